"""Whether an instance is like those that weights were trained on, by numbers that describe it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from policies.weights.known import Known


@dataclass(frozen=True)
class Domain:
    """Numbers that describe instances, and how far each may lie beyond the range seen in training.

    Attributes:
        names: What the numbers are.
        tolerance: How far each may lie beyond, > 0.
    """

    names: tuple[str, ...]
    tolerance: tuple[float, ...]

    def beyond(self, known: Known, descriptor: NDArray) -> NDArray:
        """How far each number lies beyond what was seen, in units of what is tolerated; 0 within the range."""
        least, greatest = np.asarray(known.least), np.asarray(known.greatest)
        if least.shape != descriptor.shape:
            raise InputError(f"a card describes instances by {least.size} numbers: expected {descriptor.size}")
        outside = np.maximum(np.maximum(least - descriptor, descriptor - greatest), 0.0)
        return outside / np.asarray(self.tolerance)

    def distance(self, trained: Sequence[Known], descriptor: NDArray) -> float:
        """How far an instance is outside of what weights were trained on: 0 is within, above 1 not tolerated."""
        return min(float(self.beyond(known, descriptor).max()) for known in trained)

    def reason_outside(self, trained: Sequence[Known], descriptor: NDArray) -> str | None:
        """Why an instance lies outside of what weights were trained on; None if that is tolerated.

        Of the nearest distribution, the number that is farthest off.
        """
        pairs = [(self.beyond(known, descriptor), known) for known in trained]
        off, nearest_known = min(pairs, key=lambda pair: pair[0].max())
        worst = int(off.argmax())
        if off[worst] <= 1.0:
            return None
        seen = f"{nearest_known.least[worst]:.3g} to {nearest_known.greatest[worst]:.3g} in {nearest_known.name}"
        return f"{self.names[worst]} is {descriptor[worst]:.3g}: trained on {seen}"
