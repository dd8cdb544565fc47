"""Minimization of a function of angles by L-BFGS from many starts, which can be ended at any evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError

ACCURACY = 1e-5
"""A run ends where the relative decrease of a step is below this."""


class _Ended(Exception):
    """Evaluations are used up, or time is."""


class Training:
    """Runs of L-BFGS (Liu and Nocedal 1989) from random angles.

    Args:
        function: Value and gradient [P] at angles [P].
        num_parameters: P.
        steps: Evaluations of all runs together, at least 1.
        on_step: Called after each evaluation with its number, from 1 on, and the value.
        is_over: Asked after each evaluation.

    Attributes:
        losses: Values of all evaluations.
        interrupted: Whether `is_over` ended it.

    Raises:
        InputError: If there are no steps.
    """

    def __init__(
        self,
        function: Callable[[NDArray], tuple[float, NDArray]],
        num_parameters: int,
        steps: int,
        on_step: Callable[[int, float], None] | None,
        is_over: Callable[[], bool],
    ) -> None:
        if steps < 1:
            raise InputError(f"steps are {steps}: expected at least 1")
        self._function, self._num_parameters, self._steps = function, num_parameters, steps
        self._on_step, self._is_over = on_step, is_over
        self._lowest, self._best = np.inf, np.zeros(num_parameters)
        self.losses: list[float] = []
        self.interrupted = False

    def runs(self, rng: np.random.Generator) -> Iterator[NDArray]:
        """Best angles [P] of each run, until the evaluations are used up."""
        from scipy.optimize import minimize

        while len(self.losses) < self._steps and not self.interrupted:
            self._lowest = np.inf
            start = rng.uniform(-np.pi, np.pi, size=self._num_parameters)
            options = {"ftol": ACCURACY, "maxiter": self._steps, "maxfun": self._steps + 1}
            with suppress(_Ended):
                minimize(self._evaluate, start, jac=True, method="L-BFGS-B", options=options)
            yield self._best

    def _evaluate(self, angles: NDArray) -> tuple[float, NDArray]:
        value, gradient = self._function(angles)
        self.losses.append(value)
        if value < self._lowest:
            self._lowest, self._best = value, angles.copy()
        if self._on_step is not None:
            self._on_step(len(self.losses), value)
        self.interrupted = self._is_over()
        if self.interrupted or len(self.losses) >= self._steps:
            raise _Ended
        return value, gradient
