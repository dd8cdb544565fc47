from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import co_gym
from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.problems.mip import MIP
from milp.distributions import distribution
from milp.shards import missing
from milp.solution_pools import PoolSettings, chosen, collect_pools, disturbed, make_pool
from policies.prediction.format import Pool

SHORT = PoolSettings(solutions=8, first_seconds=8.0, seconds=8.0)


def fixed(program: MixedIntegerProgram, pool: Pool, solution: int) -> MixedIntegerProgram:
    """The program with its binary variables at the values of a solution of the pool."""
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[pool.columns] = upper[pool.columns] = pool.values[solution]
    return replace(program, lower=lower, upper=upper)


@pytest.mark.parametrize("name", ["set-cover-tiny", "facility-tiny", "auction-tiny", "item-placement-tiny"])
def test_solutions_are_feasible_and_as_good_as_they_say(name: str) -> None:
    program = distribution(name).program("train", 0)
    pool = make_pool(program, SHORT)
    assert pool is not None
    assert 1 < len(pool) <= 8
    best = co_gym.solve(MIP().from_program(program), "scip").objective
    assert best is not None
    assert pool.objectives[0] == pytest.approx(float(best), rel=1e-6)
    assert (np.abs(pool.objectives - pool.objectives[0]) <= 0.05 * abs(pool.objectives[0])).all()
    assert len(np.unique(pool.values, axis=0)) == len(pool)
    for index in (0, len(pool) - 1):
        rest = co_gym.solve(MIP().from_program(fixed(program, pool, index)), "scip")
        assert rest.objective is not None
        better = float(rest.objective) - pool.objectives[index]
        assert (better if pool.minimize else -better) <= 1e-6 * abs(pool.objectives[index])


@pytest.mark.parametrize("name", ["set-cover-tiny", "auction-tiny"])
def test_disturbed(name: str) -> None:
    program = distribution(name).program("train", 0)
    best = co_gym.solve(MIP().from_program(program), "scip")
    assert best.solution is not None
    assert best.objective is not None
    first, second = (disturbed(program, float(best.objective), SHORT, run) for run in range(2))
    assert first.is_feasible(best.solution)
    assert not np.array_equal(first.c, second.c)
    worst = co_gym.solve(MIP().from_program(replace(first, c=-program.c)), "scip").solution
    assert worst is not None
    behind = abs(program.evaluate(worst) - float(best.objective)) / abs(float(best.objective))
    assert 0 < behind <= 0.05 * (1 + 1e-6)


def test_chosen() -> None:
    settings = PoolSettings(solutions=3, cutoff=0.1)
    values = np.array([[1, 0], [0, 1], [0, 1], [1, 1], [0, 0]], dtype=bool)
    objectives = np.array([10.5, 10.0, 10.0, 12.0, 10.9])
    assert chosen(objectives, values, True, settings).tolist() == [1, 0, 4]
    assert chosen(objectives, values, False, settings).tolist() == [3, 4]
    assert chosen(-objectives, values, False, replace(settings, solutions=2)).tolist() == [1, 0]


def test_files(tmp_path: Path) -> None:
    found = list(collect_pools("set-cover-tiny", "train", range(2), SHORT, tmp_path, jobs=2))
    assert sorted(one.index for one in found) == [0, 1]
    for one in found:
        pool = Pool.load(tmp_path / "train" / f"{one.index:05d}.npz")
        assert (len(pool), pool.objectives[0]) == (one.solutions, one.best)
    assert missing(tmp_path, "train", range(3)) == [2]
    assert list(collect_pools("set-cover-tiny", "train", range(2), SHORT, tmp_path)) == []


def test_nothing_to_predict() -> None:
    program = distribution("set-cover-tiny").program("train", 0)
    with pytest.raises(InputError, match="no binary variables"):
        make_pool(replace(program, integer=np.zeros(200, dtype=bool)), SHORT)


def test_no_solution() -> None:
    program = distribution("set-cover-tiny").program("train", 0)
    rows = replace(program, row_lower=np.full(100, 201.0), row_upper=np.full(100, np.inf))
    assert make_pool(rows, SHORT) is None


@pytest.mark.parametrize("wrong", [{"solutions": 0}, {"runs": -1}, {"cutoff": 0.0}, {"seconds": -1.0}])
def test_wrong_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        PoolSettings(**wrong)  # type: ignore[arg-type]
