"""The proximal bundle method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.multipliers.proximal import proximal_maximum
from quantum.multipliers.region import Region
from quantum.multipliers.stabilized import LEAST, MOST, Stabilized


@dataclass(frozen=True)
class Bundle:
    """The model's maximum less the squared distance from the best point, at a weight that adapts (Kiwiel 1990).

    Attributes:
        length: Of the first step, as a multiple of sqrt(m) in natural units, positive.
        tolerance: Relative rise of the model that counts as none, positive.
    """

    name: ClassVar[str] = "bundle"
    summary: ClassVar[str] = "proximal bundle method (Kiwiel 1990)"
    length: float = 0.3
    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        if not (self.length > 0 and self.tolerance > 0):
            raise InputError(f"length {self.length}, tolerance {self.tolerance}: expected more than 0")

    def start(self, multipliers: NDArray, region: Region) -> _Bundle:
        """See `Rule`."""
        return _Bundle(region, multipliers, self.tolerance, length=self.length)


@dataclass
class _Bundle(Stabilized):
    length: float = 1.0
    proximity: float = 1.0
    first: float = 1.0
    weights: NDArray = field(default_factory=lambda: np.zeros(0))

    def begin(self, slopes: NDArray) -> None:
        """See `Stabilized`."""
        self.proximity = self.first = self.length * np.sqrt(slopes.size) / (float(np.linalg.norm(slopes)) or 1.0)

    def adapt(self, rise: float, predicted: float, error: float, step: NDArray) -> None:
        """Towards the maximum of the parabola through value and slope at the centre and the value found."""
        bend = 2.0 * (1.0 - rise / predicted)
        factor = np.inf if bend <= 0 else 1.0 / bend
        if rise >= predicted / 2:
            self.proximity *= min(factor, 10.0)
        elif rise < 0 and error > predicted:
            self.proximity *= max(factor, 0.1)
        self.proximity = float(np.clip(self.proximity, LEAST * self.first, MOST * self.first))

    def maximum(self, errors: NDArray, slopes: NDArray) -> NDArray:
        """See `Stabilized`."""
        low, high = self.region.low - self.centre, self.region.high - self.centre
        planes = len(errors) - 1
        weights = np.insert(self.weights, planes, 0.0) if planes else np.eye(1, 1 + 2 * self.centre.size)[0]
        t = self.proximity
        step, self.weights = proximal_maximum(errors / t, slopes, low / t, high / t, weights)
        return t * step
