from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import co_gym
from co_gym.cli import main
from co_gym.errors import InputError, SolverError
from co_gym.instance import Instance
from co_gym.result import Result
from co_gym.solvers.base import Options

CASES = [
    ("knapsack", 6, {}), ("multiknapsack", 6, {"num_constraints": 2}), ("mis", 8, {}), ("tsp", 4, {}),
    ("qap", 3, {}), ("market-split", 8, {"num_constraints": 2, "distribution": "planted"}),
]  # fmt: skip
METHODS = ["qaoa", "vqe", "recursive-qaoa", "pce", "qrao"]


def made(problem: str, size: int, **options: Any) -> Instance:
    return co_gym.problem(problem).generate(size, seed=5, **options)[0]


def solved(instance: Instance, method: str = "qaoa", seconds: float = 60.0, **settings: Any) -> Result:
    return co_gym.solve(instance, method, options=Options(seconds, seed=1, settings=settings))


@pytest.fixture(scope="module")
def knapsack() -> Instance:
    return made("multiknapsack", 6, num_constraints=2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("problem", "size", "options"), CASES)
def test_every_answer_is_feasible_and_verified_or_there_is_none(
    method: str, problem: str, size: int, options: dict
) -> None:
    instance = made(problem, size, **options)
    result = solved(instance, method)
    assert "error" not in result.details
    if result.solution is None:
        assert result.status == "unknown"
        assert result.details["why"] == "no feasible sample"
        return
    assert result.check is not None
    assert result.check.ok
    assert result.bound is not None
    better = (result.bound - result.objective) * (1 if co_gym.problem(problem).sense == "minimize" else -1)
    assert better <= 1e-6 * max(1.0, abs(result.bound))


@pytest.mark.parametrize(("problem", "size", "options"), CASES)
def test_qaoa_finds_a_solution_of_each_problem(problem: str, size: int, options: dict) -> None:
    assert solved(made(problem, size, **options)).feasible


def test_figures_are_those_of_the_circuit_and_its_distribution(knapsack: Instance) -> None:
    details = solved(knapsack, layers=2).details
    assert (details["qubits"], details["layers"], details["parameters"]) == (6, 2, 4)
    assert details["two_qubit_gates"] == 2 * 2 * 15
    assert details["depth"] > 0
    assert details["tuned_on"] == "exact distribution"
    assert 0 < details["evaluations"] <= 60
    assert details["shots"] == 1024
    assert 0 < details["p_optimal"] <= details["feasible_fraction"] <= 1 + 1e-12
    assert details["over_uniform"] == pytest.approx(details["p_optimal"] * 2**6)
    assert details["best_of_50_gap"] <= details["mean_gap"]
    assert details["optimum"] == solved(knapsack, "scip").objective
    assert sum(share for _, share in details["distribution"]) == pytest.approx(
        details["feasible_fraction"], abs=0.08
    )
    assert len(details["tuning"]) == details["evaluations"]
    json.dumps(details)


def test_samplers_without_anything_quantum_stand_beside_it(knapsack: Instance) -> None:
    rows = {row["method"]: row for row in solved(knapsack).details["comparison"]}
    named = ["uniform sampling", "LP rounding", "product state", "simulated annealing", "greedy", "scip"]
    assert list(rows) == named
    assert all(rows[name]["samples"] == 1024 for name in named[:3])
    assert rows["scip"]["status"] == "optimal"
    assert "comparison" not in solved(knapsack, comparison=False).details


def test_a_linear_lagrangian_is_said_to_be_a_product_state(knapsack: Instance) -> None:
    linear = solved(knapsack, encoding="lagrangian", comparison=False).details
    assert linear["two_qubit_gates"] == 0
    assert "product state" in linear["note"]
    assert "note" not in solved(knapsack, encoding="augmented", comparison=False).details


def test_a_table_of_energies_has_no_gates_to_count(knapsack: Instance) -> None:
    details = solved(knapsack, encoding="hinge", comparison=False).details
    assert (details["qubits"], details["two_qubit_gates"], details["depth"]) == (6, None, None)


def test_all_samples_are_counted_when_angles_are_tuned_on_them(knapsack: Instance) -> None:
    details = solved(knapsack, tuning="samples", shots=100, evaluations=12, comparison=False).details
    assert details["tuned_on"] == "samples"
    assert details["shots"] == 100 * (details["evaluations"] + 1)


@pytest.mark.parametrize("rule", ["lp", "zero", "dual-ascent", "polyak", "bundle", "cutting-plane", "augmented"])
def test_multipliers_by_every_rule(knapsack: Instance, rule: str) -> None:
    result = solved(knapsack, encoding="augmented", multipliers=rule, steps=3, shots=200, comparison=False)
    found = result.details["multipliers"]
    assert found["rule"] == rule
    assert found["updates"] == (0 if rule in ("lp", "zero") else 3)
    assert found["certified_bound"] is None  # samples prove nothing
    assert np.all(np.array(found["values"]) >= 0)
    assert result.feasible


def test_the_same_seed_gives_the_same_answer(knapsack: Instance) -> None:
    runs = [solved(knapsack, tuning="samples", evaluations=10).to_json() for _ in range(2)]
    for run in runs:
        del run["runtime_seconds"]
        for row in run["details"]["comparison"]:
            row.pop("seconds", None)
    assert runs[0] == runs[1]


def test_angles_grow_from_layer_to_layer(knapsack: Instance) -> None:
    grown = solved(knapsack, layers=3, angles="grown", evaluations=60, comparison=False).details
    assert grown["parameters"] == 6
    assert grown["evaluations"] <= 60


def test_subspaces_hold_the_rows_of_assignments() -> None:
    instance = made("tsp", 4)
    xy = solved(instance, ansatz="xy", encoding="slack", objective="mean", comparison=False).details
    plain = solved(instance, ansatz="qaoa", encoding="slack", objective="mean", comparison=False).details
    assert xy["feasible_fraction"] > 0.8 > plain["feasible_fraction"]
    with pytest.raises(SolverError, match="in none"):
        solved(made("mis", 8), ansatz="xy")


def test_repair_makes_answers_of_samples_that_are_not_feasible() -> None:
    instance = made("multiknapsack", 12, num_constraints=5, tightness=0.1)
    wanted = {
        "shots": 1,
        "evaluations": 1,
        "layers": 1,
        "ansatz": "qaoa",
        "comparison": False,
        "encoding": "augmented",
    }
    assert solved(instance, **wanted).status == "unknown"
    repaired = solved(instance, **wanted, repair=True)
    assert repaired.feasible


def test_fixed_variables_save_qubits_and_lose_no_better_solution() -> None:
    instance = co_gym.problem("knapsack").generate(12, seed=3)[0]
    best = solved(instance, "scip").objective
    plain = solved(instance, comparison=False).details
    options = Options(60, seed=1, settings={"fix": "reduced-costs", "comparison": False})
    fixed = co_gym.solve(instance, "greedy+qaoa", options=options)
    assert fixed.details["qaoa"]["qubits"] < plain["qubits"] == 12
    assert fixed.objective == best
    assert fixed.bound >= best
    with pytest.raises(InputError, match=r"greedy\+qaoa"):
        solved(instance, fix="reduced-costs")


def test_propagation_fixes_what_single_rows_fix() -> None:
    data = {"profits": [9, 5, 4], "weights": [[30, 5, 5]], "capacities": [10]}
    instance = co_gym.problem("multiknapsack").instance(data)
    found = solved(instance, fix="propagation", comparison=False)
    assert found.details["qubits"] == 2
    assert found.objective == 9


def test_a_start_solution_is_kept(knapsack: Instance) -> None:
    best = solved(knapsack, "scip")
    again = co_gym.solve(
        knapsack, "qaoa", options=Options(settings={"shots": 1, "evaluations": 1}), start=best.solution
    )
    assert again.objective == best.objective


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"encoding": "slck"}, "did you mean slack"),
        ({"ansatz": "qoa"}, "did you mean qaoa"),
        ({"backend": "fst"}, "unknown backend 'fst'"),
        ({"multipliers": "bundel", "encoding": "augmented"}, "did you mean bundle"),
        ({"objective": "cvar:2"}, "expected more than 0, at most 1"),
        ({"objective": "cvar:a"}, "expected a number behind the colon"),
        ({"layers": 0}, "layers is 0: expected at least 1"),
        ({"shots": 1.5}, "shots is 1.5: expected int"),
        ({"tuning": "exact", "backend": "aer"}, "knows no exact distribution"),
        ({"encoding": "hinge", "backend": "statevector"}, "no gates"),
        ({"form": "none"}, "unknown"),
    ],
)
def test_what_does_not_go_together_is_said(knapsack: Instance, settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        solved(knapsack, **settings)


def test_programs_that_do_not_fit_qubits_are_refused_by_name() -> None:
    path = Path(__file__).parents[1] / "data"
    assert path.is_dir()
    instance = co_gym.problem("knapsack").generate(40, seed=0)[0]
    with pytest.raises((InputError, SolverError), match="qubits"):
        solved(instance, encoding="slack")


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "knapsack", "--size", "6", "--output", str(tmp_path)]) == 0
    file = str(next(tmp_path.glob("*.kp")))
    capsys.readouterr()
    picture = tmp_path / "picture.png"
    wanted = [
        "--method",
        "qaoa",
        "--encoding",
        "augmented",
        "--multipliers",
        "bundle",
        "--steps",
        "2",
        "--layers",
        "2",
    ]
    assert main(["solve", file, *wanted, "--plot", str(picture)]) == 0
    shown = capsys.readouterr().out
    assert "uniform sampling" in shown
    assert "LP rounding" in shown
    assert picture.stat().st_size > 10_000
    assert main(["solve", file, *wanted, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    wanted_keys = {
        "qubits", "two_qubit_gates", "depth", "evaluations", "shots", "feasible_fraction", "best_of_50_gap",
        "p_optimal",
    }  # fmt: skip
    assert wanted_keys <= found["details"].keys()


def test_no_feasible_sample_is_said_with_its_own_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "tsp", "--size", "5", "--output", str(tmp_path)]) == 0
    file = str(next(tmp_path.glob("*.tsp")))
    few = ["--method", "qaoa", "--ansatz", "qaoa", "--shots", "1", "--evaluations", "1", "--comparison", "false"]
    assert main(["solve", file, *few]) == 3
    assert "no feasible sample" in capsys.readouterr().err
