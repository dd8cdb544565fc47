from __future__ import annotations

import numpy as np
import pytest

import co_gym
from co_gym.solvers.base import Monitor
from quantum.catch import Catch, distinct
from quantum.instances import subject
from quantum.repair import Repair


@pytest.mark.parametrize("width", [1, 5, 62, 63, 80])
def test_distinct_strings_are_told_apart_whatever_their_width(width: int) -> None:
    rng = np.random.default_rng(0)
    pool = rng.integers(0, 2, size=(6, width), dtype=np.uint8)
    x = pool[rng.integers(6, size=50)]
    unique, where, counts = distinct(x)
    np.testing.assert_array_equal(unique[where], x)
    assert len({row.tobytes() for row in unique}) == len(unique) == len(counts)
    np.testing.assert_array_equal(np.bincount(where), counts)


def test_the_best_feasible_sample_is_kept_and_told() -> None:
    instance = co_gym.problem("multiknapsack").generate(8, num_constraints=2, seed=0)[0]
    task, monitor = subject(instance), Monitor(minimize=False, time_limit=60)
    catch = Catch(task, monitor)
    x = np.random.default_rng(0).integers(0, 2, size=(200, 8), dtype=np.uint8)
    objectives, feasible = catch.take(x)
    np.testing.assert_allclose(objectives, task.program.evaluate(x))
    np.testing.assert_array_equal(feasible, task.program.feasible(x))
    assert (catch.shots, catch.feasible_shots) == (200, feasible.sum())
    assert monitor.objective == -objectives[feasible].min()
    assert catch.value == objectives[feasible].min()
    scores = task.program.scores(x)
    assert (scores[feasible] == objectives[feasible]).all()
    assert (scores[~feasible] >= objectives.max()).all()


def test_repair_ends_in_feasible_strings() -> None:
    rng = np.random.default_rng(0)
    for seed in range(5):
        instance = co_gym.problem("multiknapsack").generate(10, num_constraints=3, seed=seed)[0]
        program = subject(instance).program
        for x in rng.integers(0, 2, size=(10, 10)):
            mended = Repair(program)(x)
            assert mended is not None
            assert program.feasible(mended)
            if program.feasible(x):
                assert program.evaluate(mended) <= program.evaluate(x)
