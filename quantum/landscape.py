"""All bit strings of a small program, and what distributions over them are worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from quantum.encodings.base import Encoded
from quantum.hamiltonians import state_bits, state_numbers
from quantum.programs import BinaryProgram
from quantum.quality import Quality, quality

MOST_BITS = 20
"""Programs up to this size are enumerated."""
CHUNK = 1 << 15


@dataclass(frozen=True, eq=False)
class Landscape:
    """Objective and feasibility of every bit string of a program, enumerated when they are first asked for.

    Attributes:
        program: The program, of at most `MOST_BITS` variables.
    """

    program: BinaryProgram

    @cached_property
    def objectives(self) -> NDArray:
        """[2^n] float64, to be minimized."""
        return self._of_all(self.program.evaluate)

    @cached_property
    def feasible(self) -> NDArray:
        """[2^n] bool."""
        return self._of_all(self.program.feasible)

    def _of_all(self, values: Callable[[NDArray], NDArray]) -> NDArray:
        n = self.program.num_variables
        return np.concatenate([values(state_bits(numbers, n)) for numbers in chunks(n)])

    @cached_property
    def scores(self) -> NDArray:
        """[2^n] float64, as `BinaryProgram.scores`."""
        return np.where(self.feasible, self.objectives, self.program.worst)

    @cached_property
    def optimum(self) -> float | None:
        """Least objective of a feasible string; None if there is none."""
        return float(self.objectives[self.feasible].min()) if self.feasible.any() else None

    @cached_property
    def uniform(self) -> float:
        """Probability of an optimum in uniform sampling."""
        best = self.optimum
        if best is None:
            return 0.0
        near = self.objectives <= best + 1e-9 * max(1.0, abs(best))
        return float(np.mean(self.feasible & near))

    def quality(self, probabilities: NDArray) -> Quality:
        """Figures of a distribution [2^n]."""
        return quality(
            self.objectives,
            self.feasible,
            probabilities,
            optimum=self.optimum,
            worst=self.program.worst,
            uniform=self.uniform,
        )


def chunks(num_bits: int) -> list[NDArray]:
    """Numbers of all strings of so many bits, in parts."""
    return [np.arange(a, min(a + CHUNK, 1 << num_bits)) for a in range(0, 1 << num_bits, CHUNK)]


def on_variables(encoded: Encoded, bits: NDArray, probabilities: NDArray) -> NDArray:
    """[2^n] float64, the distribution of a program's variables from that of qubits.

    Args:
        encoded: Says which qubits these are.
        bits: [K, q] uint8, states or samples.
        probabilities: [K] float64.
    """
    numbers = state_numbers(encoded.decode(bits))
    return np.bincount(numbers, probabilities, minlength=1 << encoded.program.num_variables)
