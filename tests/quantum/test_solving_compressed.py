from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import co_gym
from co_gym.errors import InputError, SolverError
from co_gym.instance import Instance
from co_gym.result import Result
from co_gym.solvers.base import Monitor, Options
from quantum.solving_compressed import Patience


def made(problem: str, size: int, **options: Any) -> Instance:
    return co_gym.problem(problem).generate(size, seed=5, **options)[0]


def solved(instance: Instance, method: str, seed: int = 1, **settings: Any) -> Result:
    return co_gym.solve(instance, method, options=Options(60.0, seed=seed, settings=settings))


@pytest.mark.parametrize("method", ["pce", "qrao"])
@pytest.mark.parametrize(
    ("problem", "size", "options"), [("multiknapsack", 12, {"num_constraints": 3}), ("mis", 18, {})]
)
def test_answers_come_within_a_tenth_of_the_optimum(method: str, problem: str, size: int, options: dict) -> None:
    instance = made(problem, size, **options)
    result = solved(instance, method, evaluations=150)
    best = solved(instance, "scip").objective
    assert result.check is not None
    assert result.check.ok
    assert abs(result.objective - best) <= 0.1 * abs(best)


def test_what_is_refinement_is_told_apart() -> None:
    result = solved(made("mis", 18), "pce", evaluations=100)
    json.dumps(dict(result.details))
    before, plain, random = result.details["comparison"]
    assert before["method"] == "PCE before refinement"
    assert plain["method"] == "PCE without a circuit, before refinement"
    assert random["method"] == "random bits and refinement"
    assert before["samples"] == random["samples"] == result.details["shots"]
    assert before["objective"] is None or before["objective"] <= result.objective
    assert random["feasible_fraction"] == pytest.approx(1.0)
    assert "comparison" not in solved(made("mis", 18), "pce", evaluations=20, comparison=False).details


def test_without_repair_strings_stay_as_the_energy_wants_them() -> None:
    tight = made("multiknapsack", 14, num_constraints=5, tightness=0.1)
    mended = solved(tight, "pce", evaluations=5, comparison=False)
    assert mended.feasible
    plain = solved(tight, "pce", evaluations=5, comparison=False, repair=False)
    assert not plain.feasible


def test_slack_is_compressed_too() -> None:
    result = solved(made("multiknapsack", 6, num_constraints=2), "pce", evaluations=60, encoding="slack")
    assert result.feasible
    assert result.details["variables"] > 6
    assert result.details["qubits"] < 6


def test_the_same_seed_gives_the_same_answer() -> None:
    runs = [solved(made("mis", 15), "pce", evaluations=60) for _ in range(2)]
    np.testing.assert_array_equal(runs[0].solution, runs[1].solution)
    assert runs[0].details == runs[1].details


def test_it_ends_before_an_evaluation_that_would_be_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.perf_counter", lambda: now)
    patience = Patience(Monitor(minimize=True, time_limit=10.0))
    assert not patience.is_over()
    now = 4.0
    patience.on_step(1, 0.0)
    assert not patience.is_over()
    now = 7.0
    patience.on_step(2, 0.0)
    assert patience.is_over()


def test_a_table_of_energies_is_refused() -> None:
    with pytest.raises(SolverError, match="needs a Hamiltonian of terms"):
        solved(made("multiknapsack", 6, num_constraints=2), "pce", encoding="hinge")
    with pytest.raises(InputError, match="did you mean slack"):
        solved(made("mis", 8), "pce", encoding="slck")
