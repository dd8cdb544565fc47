"""What is made of samples: each is decoded, the best feasible one is kept and told."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from co_gym.solvers.base import Monitor
from quantum.hamiltonians import state_numbers
from quantum.instances import Subject

WORD = 62
"""Bits of strings that are compared as one number."""


class Catch:
    """Keeps the best of all samples, counts them, and says what they are worth.

    Args:
        subject: What is solved.
        monitor: Told of each new best solution.
        repair: Makes a feasible string [n] of any; None leaves what is not feasible alone.
    """

    def __init__(
        self, subject: Subject, monitor: Monitor, repair: Callable[[NDArray], NDArray | None] | None = None
    ) -> None:
        self.subject, self.monitor, self._repair = subject, monitor, repair
        self.shots = 0
        self.feasible_shots = 0
        self.value = np.inf

    def take(self, x: NDArray) -> tuple[NDArray, NDArray]:
        """Takes strings [S, n] in; returns their objectives, to be minimized, and feasibility, [S] each."""
        program = self.subject.program
        unique, where, counts = distinct(x)
        objectives, feasible = program.evaluate(unique), program.feasible(unique)
        self.shots += len(x)
        self.feasible_shots += int(counts[feasible].sum())
        if feasible.any():
            self._keep(unique[feasible][np.argmin(objectives[feasible])])
        if self._repair is not None:
            for one in unique[~feasible]:
                mended = self._repair(one)
                if mended is not None:
                    self._keep(mended)
        return objectives[where], feasible[where]

    def _keep(self, x: NDArray) -> None:
        value = float(self.subject.program.evaluate(x))
        if value < self.value:
            self.value = value
            self.monitor.incumbent(self.subject.solution(x), self.subject.objective(x))


def distinct(x: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """The different strings [K, n] of [S, n], which of them each is, [S], and how often each occurs, [K]."""
    if x.shape[1] <= WORD:
        _, first, where, counts = np.unique(
            state_numbers(x), return_index=True, return_inverse=True, return_counts=True
        )
        return x[first], where, counts
    unique, where, counts = np.unique(x, axis=0, return_inverse=True, return_counts=True)
    return unique, where.ravel(), counts
