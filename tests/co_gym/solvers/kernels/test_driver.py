"""The driver: deadline, target, reports and interrupts, on a search without kernels."""

from time import perf_counter, sleep
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from co_gym.solvers.kernels.driver import improve


class Countdown:
    """Improves by one each time ``step`` iterations have been run, down to zero."""

    maximize = False

    def __init__(self, start: int, step: int = 1, seconds: float = 0.0) -> None:
        self.best_value = start
        self.start, self.step, self.seconds, self.done = start, step, seconds, 0
        self.interrupt_at: int | None = None

    @property
    def best(self) -> NDArray[Any]:
        return np.array([self.best_value])

    @property
    def complete(self) -> bool:
        return self.best_value == 0

    def run(self, iterations: int) -> bool:
        sleep(self.seconds * iterations)
        before = self.best_value
        self.done += iterations
        self.best_value = max(0, self.start - self.done // self.step)
        if self.interrupt_at is not None and self.done >= self.interrupt_at:
            raise KeyboardInterrupt
        return self.best_value < before


class Reports(list):
    """Collects what is reported."""

    def __call__(self, best: NDArray[Any], value: float) -> None:
        assert best.tolist() == [value]
        self.append(value)


def test_stops_when_complete_and_reports_improvements_only() -> None:
    search, reports = Countdown(20, step=3), Reports()
    done = improve(search, deadline=lambda: 1.0, on_improvement=reports)
    assert done == search.done
    assert reports[-1] == 0
    assert reports == sorted(set(reports), reverse=True)


def test_stops_at_the_target() -> None:
    search, reports = Countdown(1000), Reports()
    improve(search, deadline=lambda: 1.0, on_improvement=reports, target=990)
    assert 0 < search.best_value <= 990
    assert improve(search, deadline=lambda: 1.0, on_improvement=reports, target=995) == 0


def test_target_respects_the_sense() -> None:
    search = Countdown(1000)
    search.maximize = True
    assert improve(search, deadline=lambda: 1.0, on_improvement=Reports(), target=1000) == 0


def test_expired_deadline_runs_nothing() -> None:
    assert improve(Countdown(5), deadline=lambda: 0.0, on_improvement=Reports()) == 0


def test_chunks_grow_to_the_intended_length_and_the_deadline_is_kept() -> None:
    search = Countdown(10**9, seconds=0.0005)
    began = perf_counter()
    calls = 0

    def deadline() -> float:
        nonlocal calls
        calls += 1
        return began + 0.4 - perf_counter()

    improve(search, deadline=deadline, on_improvement=Reports())
    assert perf_counter() - began < 0.6
    assert 5 < calls < 60


def test_interrupt_passes_after_the_last_improvement_was_reported() -> None:
    search, reports = Countdown(10**6), Reports()
    search.interrupt_at = 50
    with pytest.raises(KeyboardInterrupt):
        improve(search, deadline=lambda: 1.0, on_improvement=reports)
    assert reports[-1] == search.best_value
