from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from milp.distributions import distribution
from milp.search_state import SearchState

COVER = distribution("set-cover-tiny").program("test", 0)
EVERYTHING = np.ones(COVER.num_variables)


def test_only_feasible_and_better_solutions_are_kept_and_told() -> None:
    told: list[float] = []
    fewer = without_one(EVERYTHING)
    state = SearchState(COVER, 1.0, lambda values: told.append(COVER.evaluate(values)))
    assert not state.take(np.zeros(COVER.num_variables))
    assert state.incumbent is None
    assert state.take(EVERYTHING)
    assert not state.take(EVERYTHING)
    assert state.take(fewer)
    assert not state.take(EVERYTHING)
    assert told == [COVER.evaluate(EVERYTHING), COVER.evaluate(fewer)]
    np.testing.assert_array_equal(state.incumbent, fewer)


def test_what_is_better_depends_on_the_sense() -> None:
    state = SearchState(replace(COVER, sense="maximize"), 1.0, lambda values: None)
    assert state.take(without_one(EVERYTHING))
    assert state.take(EVERYTHING)


@pytest.mark.parametrize(("shift", "ended"), [(0.0, "optimal"), (1e3, "infeasible")])
def test_the_whole_program_says_how_it_ends(shift: float, ended: str) -> None:
    state = SearchState(replace(COVER, row_lower=COVER.row_lower + shift), 20.0, lambda values: None)
    assert state.solve_whole(20.0)
    assert state.ended == ended
    assert (state.incumbent is not None) == (ended == "optimal")


def test_any_incumbent_will_do_after_a_while() -> None:
    hard = distribution("set-cover-large").program("test", 0)
    state = SearchState(hard, 60.0, lambda values: None)
    assert state.take(np.ones(hard.num_variables))
    begin = time.perf_counter()
    assert not state.solve_whole(60.0, enough=0.2)
    assert time.perf_counter() - begin < 30


def test_patience_counts_from_the_last_improvement(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("milp.search_state.time.perf_counter", lambda: now)
    state = SearchState(COVER, 100.0, lambda values: None, patience=0.5)
    now = 10.0
    assert state.stagnates
    assert state.take(EVERYTHING)
    now = 17.0
    assert not state.stagnates  # 2 s, and half of the 10 s
    now = 17.1
    assert state.stagnates
    state.forgive()
    assert not state.stagnates
    assert state.left == pytest.approx(82.9)


def test_it_is_stopped_by_whoever_asks_or_by_an_interruption() -> None:
    asked = SearchState(COVER, 1.0, lambda values: None, is_over=lambda: True)
    interrupted = SearchState(COVER, 1.0, lambda values: None, interrupted=True)
    assert asked.stopped
    assert interrupted.stopped
    assert not SearchState(COVER, 1.0, lambda values: None).stopped


def without_one(values: np.ndarray) -> np.ndarray:
    """The cover without a set that it does not need."""
    for column in range(values.size):
        fewer = values.copy()
        fewer[column] = 0.0
        if COVER.is_feasible(fewer):
            return fewer
    raise AssertionError("every set is needed")
