"""All bit strings of a small program, and what distributions over them are worth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from quantum.encodings.base import Encoded
from quantum.hamiltonians import state_bits, state_numbers
from quantum.instances import worst_value
from quantum.programs import BinaryProgram
from quantum.quality import Quality, quality

MOST_BITS = 20
"""Programs up to this size are enumerated."""
CHUNK = 1 << 15


@dataclass(frozen=True, eq=False)
class Landscape:
    """Objective and feasibility of every bit string of a program.

    Attributes:
        program: The program, of at most `MOST_BITS` variables.
        objectives: [2^n] float64, to be minimized.
        feasible: [2^n] bool.
    """

    program: BinaryProgram
    objectives: NDArray = field(init=False)
    feasible: NDArray = field(init=False)

    def __post_init__(self) -> None:
        objectives, feasible = zip(*map(self._values, chunks(self.program.num_variables)), strict=True)
        object.__setattr__(self, "objectives", np.concatenate(objectives))
        object.__setattr__(self, "feasible", np.concatenate(feasible))

    def _values(self, numbers: NDArray) -> tuple[NDArray, NDArray]:
        x = state_bits(numbers, self.program.num_variables)
        return self.program.evaluate(x), self.program.feasible(x)

    @property
    def scores(self) -> NDArray:
        """[2^n] float64, the objective, and the worst possible one of what is not feasible."""
        return np.where(self.feasible, self.objectives, worst_value(self.program))

    @property
    def optimum(self) -> float | None:
        """Least objective of a feasible string; None if there is none."""
        return float(self.objectives[self.feasible].min()) if self.feasible.any() else None

    @property
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
            worst=worst_value(self.program),
            uniform=self.uniform,
        )

    def product(self, marginals: NDArray) -> NDArray:
        """[2^n] float64, the distribution of independent bits with marginals [n]."""
        found = np.ones(1)
        for p in marginals:
            found = np.concatenate([(1.0 - p) * found, p * found])
        return found


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
