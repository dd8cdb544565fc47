from __future__ import annotations

import builtins
import importlib
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import co_gym
from co_gym.errors import InputError, SolverError
from co_gym.formulation import MixedIntegerProgram, binary_program
from co_gym.solvers.base import Options
from milp.distributions import distribution

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def cp_sat(monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("ortools")
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("peers.cp_sat")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("bench_primal")


def knapsack(**changes: Any) -> MixedIntegerProgram:
    """Values 6, 5, 4 and weights 4, 3, 2 within 5: the best is 9."""
    A = sparse.csr_matrix(np.array([[4.0, 3.0, 2.0]]))
    return replace(binary_program("maximize", np.array([6.0, 5.0, 4.0]), A, -np.inf, 5.0), **changes)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("set-cover-tiny", {"linearization_level": 2}),
        ("set-cover-tiny", {"interleave_search": True}),
        ("item-placement-tiny", {}),
        ("item-placement-tiny", {"interleave_search": True}),
        ("auction-tiny", {}),
    ],
)
def test_optimum_of_scip(cp_sat: Any, name: str, settings: dict[str, Any]) -> None:
    instance = distribution(name).instance("test", 0)
    program = co_gym.problem(instance.problem).formulate(instance).program
    optimum = co_gym.solve(instance, "scip", options=Options(60.0))
    assert optimum.status == "optimal"
    found = cp_sat.solve(program, 60.0, settings=settings)
    assert found.objective == pytest.approx(optimum.objective, rel=1e-6)
    assert program.is_feasible(found.solution)
    assert program.evaluate(found.solution) == found.objective == found.incumbents[-1][1]
    sign = 1 if program.sense == "minimize" else -1
    objectives = [sign * objective for _, objective in found.incumbents]
    assert objectives == sorted(set(objectives), reverse=True)
    times = [when for when, _ in found.incumbents]
    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] <= found.seconds
    if program.integer.all():
        assert found.status == "optimal"
        assert found.bound == pytest.approx(optimum.objective, rel=1e-6)
    else:  # a proof on the grid is none
        assert found.status == "feasible"
        assert found.bound is None


def test_item_placement_keeps_its_good_solutions(cp_sat: Any) -> None:
    """CP-SAT's own bound, of the program on the grid, is below what SCIP finds."""
    instance = distribution("item-placement-medium").instance("test", 0)
    program = co_gym.problem(instance.problem).formulate(instance).program
    known = co_gym.solve(instance, "scip", options=Options(3.0, settings={"heuristics": "aggressive"}))
    parameters = cp_sat.mathopt.SolveParameters(
        threads=1, cp_sat=cp_sat.sat_parameters(program, {"linearization_level": 2, "max_time_in_seconds": 2.0})
    )
    result = cp_sat.mathopt.solve(cp_sat.to_mathopt(program), cp_sat.mathopt.SolverType.CP_SAT, params=parameters)
    assert known.objective is not None
    assert result.termination.objective_bounds.dual_bound < known.objective


def test_time_limit_includes_the_model(cp_sat: Any) -> None:
    instance = distribution("set-cover-large").instance("test", 0)
    program = co_gym.problem(instance.problem).formulate(instance).program
    found = cp_sat.solve(program, 1.0)
    assert 0.5 < found.seconds < 5.0


def test_same_seed_same_solution(cp_sat: Any) -> None:
    instance = distribution("auction-tiny").instance("test", 1)
    program = co_gym.problem(instance.problem).formulate(instance).program
    runs = [cp_sat.solve(program, 60.0, seed=3, settings={"max_deterministic_time": 0.1}) for _ in range(2)]
    assert [objective for _, objective in runs[0].incumbents] == [objective for _, objective in runs[1].incumbents]


def test_what_presolve_solves_is_found(cp_sat: Any) -> None:
    found = cp_sat.solve(knapsack(offset=0.5, A=sparse.csr_matrix((1, 3))), 5.0)
    assert (found.status, found.objective, found.bound) == ("optimal", 15.5, 15.5)
    assert len(found.incumbents) == 1


def test_zeros_and_duplicates_in_the_matrix(cp_sat: Any) -> None:
    A = sparse.csr_matrix(
        (np.array([4.0, 1.0, 2.0, 0.0, 2.0]), np.array([0, 1, 1, 2, 2]), np.array([0, 5])), (1, 3)
    )
    program = knapsack(A=A)
    found = cp_sat.solve(program, 5.0)
    assert (found.status, found.objective) == ("optimal", 9.0)
    assert program.A.nnz == 5  # as it was


def test_infeasible_is_told_of_integers_alone(cp_sat: Any) -> None:
    pairs = sparse.csr_matrix(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]))
    no_two_of_three = {"A": pairs, "row_lower": np.array([-np.inf, -np.inf, -np.inf, 2.0])}
    no_two_of_three["row_upper"] = np.array([1.0, 1.0, 1.0, 3.0])
    whole = cp_sat.solve(knapsack(**no_two_of_three), 5.0)
    assert (whole.status, whole.objective, whole.solution) == ("infeasible", None, None)
    grid = {"A": sparse.csr_matrix(np.array([[1.0, 0.0, 0.0]])), "row_lower": np.array([0.0015])}
    grid["row_upper"] = np.array([0.0016])
    assert cp_sat.solve(knapsack(**grid, integer=np.zeros(3, dtype=bool)), 5.0).status != "infeasible"


def test_solutions_that_are_infeasible_do_not_count(cp_sat: Any) -> None:
    mathopt = cp_sat.mathopt
    termination: Any = SimpleNamespace(
        reason=mathopt.TerminationReason.OPTIMAL, objective_bounds=mathopt.ObjectiveBounds(15.0, 15.0)
    )
    heavy, good, worse = np.ones(3), np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.0, 1.0])
    found = cp_sat.outcome(knapsack(), termination, [(0.1, heavy), (0.2, good), (0.3, worse)], 1.0)
    assert found.incumbents == ((0.2, 9.0),)
    assert found.status == "feasible"  # the bound is not that of the solution
    assert cp_sat.outcome(knapsack(), termination, [(0.1, heavy)], 1.0).status == "rejected"
    assert cp_sat.outcome(knapsack(), termination, [], 1.0).status == "unknown"


def test_continuous_variables_are_the_best_for_the_integers(cp_sat: Any) -> None:
    program = knapsack(integer=np.array([True, True, False]))
    np.testing.assert_allclose(cp_sat.completed(program, np.array([0.0, 1.0 - 1e-9, 0.25])), [0.0, 1.0, 1.0])
    np.testing.assert_allclose(cp_sat.completed(program, np.array([1.0, 0.0, 0.9])), [1.0, 0.0, 0.5])


def test_errors(cp_sat: Any, bench: Any) -> None:
    unscaled = sparse.csr_matrix(np.array([[3.0, 3.0, 3.0]]))
    with pytest.raises(SolverError, match=r"CP-SAT failed: .*MODEL_INVALID"):
        cp_sat.solve(knapsack(A=unscaled, row_lower=np.array([4.0])), 1.0)
    with pytest.raises(InputError, match="'cp-sat' has no setting 'heuristics'"):
        bench.solve("set-cover-tiny", "test", 0, "cp-sat heuristics=off", 1.0)
    with pytest.raises(InputError, match="linearization_level"):
        cp_sat.solve(knapsack(), 1.0, settings={"linearization_level": "high"})
    with pytest.raises(SolverError, match="quadratic"):
        cp_sat.solve(knapsack(Q=sparse.identity(3, format="csr")), 1.0)


def test_line_of_the_benchmark(cp_sat: Any, bench: Any) -> None:
    one = bench.solve("set-cover-tiny", "test", 0, "cp-sat linearization_level=2", 20.0)
    assert one["method"] == "cp-sat linearization_level=2"
    assert (one["status"], one["minimize"]) == ("optimal", True)
    assert one["incumbents"][-1][1] == one["objective"] == one["bound"]


def test_without_ortools(bench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == "ortools":
            raise ModuleNotFoundError(f"No module named '{name}'")
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "peers.cp_sat", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"cp-sat needs OR-Tools .*\[bench\]"):
        bench.main(["set-cover-tiny"], methods=["scip", "cp-sat"], output=str(tmp_path / "solves.jsonl"))
    assert not (tmp_path / "solves.jsonl").exists()
