"""What the phases of a search on one program share: the incumbent, the clock, and HiGHS."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from co_gym.formulation import MixedIntegerProgram
from co_gym.highs import quiet_highs
from milp.highs import Run, as_highs, set_start, status_of, values_of
from milp.kernels.annealing import BETTER
from milp.reporting import settle

Tell = Callable[[NDArray], object]

ENDED = {"optimal": "optimal", "infeasible": "infeasible", "unbounded": "unbounded", "empty": "optimal"}
"""How HiGHS ends when nothing is left to do; all else is for lack of time."""


@dataclass
class SearchState:
    """A program, the best solution so far, and the time that is left since it was made.

    Attributes:
        program: Without a quadratic objective.
        seconds: Time limit.
        tell: Called with each better solution, [n] float64.
        is_over: Asked now and then; whether to stop.
        seed: Of everything random.
        patience: It stagnates after so long without improvement, relative to the time until the last one.
        incumbent: The best solution so far.
        ended: Why the search ended: `optimal`, `infeasible`, `unbounded`, `stagnated`, `time`, `interrupted`,
            `no solution`, `stuck` (HiGHS did not return).
        interrupted: Whether Ctrl-C stopped it.
    """

    program: MixedIntegerProgram
    seconds: float
    tell: Tell
    is_over: Callable[[], bool] = lambda: False
    seed: int = 0
    patience: float = float("inf")
    incumbent: NDArray | None = None
    ended: str = "time"
    interrupted: bool = False

    def __post_init__(self) -> None:
        self._began, self._improved = time.perf_counter(), 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._began

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - self.elapsed

    @property
    def stopped(self) -> bool:
        """Whether something else than the clock ended it."""
        return self.interrupted or self.is_over()

    def forgive(self) -> None:
        """Counts the time without improvement from now on."""
        self._improved = self.elapsed

    @property
    def stagnates(self) -> bool:
        """Whether there was no improvement for so long that patience is at its end."""
        return self.elapsed - self._improved > 2.0 + self.patience * self._improved

    def take(self, values: NDArray) -> bool:
        """Keeps and tells a solution [n] if it is feasible and better; returns whether it is."""
        values = settle(self.program, values)
        if self.incumbent is not None:
            sign = 1.0 if self.program.sense == "minimize" else -1.0
            ours, theirs = (sign * self.program.evaluate(x) for x in (values, self.incumbent))
            if ours >= theirs - BETTER * max(1.0, abs(theirs)):
                return False
        if not self.program.is_feasible(values):
            return False
        self.incumbent, self._improved = values, self.elapsed
        self.tell(values)
        return True

    def solve(
        self,
        program: MixedIntegerProgram,
        seconds: float,
        start: NDArray | None = None,
        enough: float = np.inf,
        take: Tell | None = None,
    ) -> tuple[str, NDArray | None]:
        """Solves a program by HiGHS: how that ended (`optimal`, `infeasible`, `unbounded`, `time`), and the best.

        Args:
            program: The program, or a part of it.
            seconds: Time limit.
            start: A solution.
            enough: Seconds after which any incumbent of the search will do.
            take: Called with each better solution.

        Raises:
            AbandonedError: If HiGHS does not return.
        """
        highs, begin = quiet_highs(), time.perf_counter()
        highs.setOptionValue("time_limit", max(0.01, float(seconds)))
        highs.setOptionValue("random_seed", self.seed)
        highs.passModel(as_highs(program))
        if start is not None:
            set_start(highs, start)

        def is_over() -> bool:
            found = self.incumbent is not None and time.perf_counter() - begin > enough
            return found or self.is_over()

        self.interrupted |= Run(highs, take).go("highs-repair", is_over)
        return ENDED.get(status_of(highs), "time"), values_of(highs)

    def solve_whole(self, seconds: float, enough: float = np.inf) -> bool:
        """Lets HiGHS solve the whole program; returns whether nothing is left to do. See `solve`."""
        status, values = self.solve(self.program, seconds, self.incumbent, enough, self.take)
        if values is not None:
            self.take(values)
        if status == "time":
            return False
        self.ended = status
        return True
