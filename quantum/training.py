"""Minimization of a function of angles by L-BFGS from many starts, which can be ended at any evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError

ACCURACY = 1e-3
"""A run ends where the relative decrease of a step is below this: more starts are worth more than last digits."""

Function = Callable[[NDArray], tuple[float, NDArray]]
"""Value and gradient [P] at angles [P]."""


class _Ended(Exception):
    """Evaluations are used up, or time is."""


class Training:
    """Runs of L-BFGS (Liu and Nocedal 1989) from random angles, on one function or on several one after the other.

    Args:
        functions: What is minimized; from the minimum of one goes the way to that of the next, and from that of
            the last to new random angles.
        num_parameters: P.
        steps: Evaluations of all runs together, at least 1.
        on_step: Called after each evaluation with its number, from 1 on, and the value.
        is_over: Asked after each evaluation.
        width: Random angles are uniform from minus this to this.

    Attributes:
        losses: Values of all evaluations.
        interrupted: Whether `is_over` ended it.

    Raises:
        InputError: If there are no steps.
    """

    def __init__(
        self,
        functions: Sequence[Function],
        num_parameters: int,
        steps: int,
        on_step: Callable[[int, float], None] | None,
        is_over: Callable[[], bool],
        width: float = np.pi,
    ) -> None:
        if steps < 1:
            raise InputError(f"steps are {steps}: expected at least 1")
        self._functions, self._num_parameters, self._steps = functions, num_parameters, steps
        self._on_step, self._is_over, self._width = on_step, is_over, width
        self._lowest, self._best = np.inf, np.zeros(num_parameters)
        self.losses: list[float] = []
        self.interrupted = False

    def runs(self, rng: np.random.Generator) -> Iterator[NDArray]:
        """Best angles [P] of each run, until the evaluations are used up."""
        while not self._is_done():
            angles = rng.uniform(-self._width, self._width, size=self._num_parameters)
            for function in self._functions:
                if not self._is_done():
                    angles = self._minimized(function, angles)
                    yield angles

    def _is_done(self) -> bool:
        return self.interrupted or len(self.losses) >= self._steps

    def _minimized(self, function: Function, start: NDArray) -> NDArray:
        from scipy.optimize import minimize

        lowest, best = np.inf, start

        def evaluate(angles: NDArray) -> tuple[float, NDArray]:
            nonlocal lowest, best
            value, gradient = function(angles)
            if value < lowest:
                lowest, best = value, angles.copy()
            self._count(value)
            return value, gradient

        options = {"ftol": ACCURACY, "maxiter": self._steps, "maxfun": self._steps + 1}
        with suppress(_Ended):
            minimize(evaluate, start, jac=True, method="L-BFGS-B", options=options)
        return best

    def _count(self, value: float) -> None:
        self.losses.append(value)
        if self._on_step is not None:
            self._on_step(len(self.losses), value)
        self.interrupted = self._is_over()
        if self._is_done():
            raise _Ended
