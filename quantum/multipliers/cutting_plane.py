"""Cutting planes in a box."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.multipliers.models import LinearMaster
from quantum.multipliers.region import Region
from quantum.multipliers.stabilized import LEAST, MOST, Stabilized


@dataclass(frozen=True)
class CuttingPlane:
    """The model's maximum (Kelley 1960) in a box around the best point (Marsten, Hogan and Blankenship 1975).

    The box is doubled after a serious step to its boundary, and halved when the value has fallen by more than the
    model had promised it to rise.

    Attributes:
        radius: Half the width of the first box in natural units, positive.
        tolerance: Relative rise of the model that counts as none, positive.
    """

    name: ClassVar[str] = "cutting-plane"
    summary: ClassVar[str] = "cutting planes in a box (Kelley 1960; Marsten, Hogan and Blankenship 1975)"
    radius: float = 0.1
    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        if not (self.radius > 0 and self.tolerance > 0):
            raise InputError(f"radius {self.radius}, tolerance {self.tolerance}: expected more than 0")

    def start(self, multipliers: NDArray, region: Region) -> _CuttingPlane:
        """See `Rule`."""
        return _CuttingPlane(region, multipliers, self.tolerance, radius=self.radius)


@dataclass
class _CuttingPlane(Stabilized):
    radius: float = 1.0
    first: float = 1.0
    master: LinearMaster = field(init=False)

    def begin(self, slopes: NDArray) -> None:
        """See `Stabilized`."""
        self.first, self.master = self.radius, LinearMaster(slopes.size)

    def adapt(self, rise: float, predicted: float, error: float, step: NDArray) -> None:
        """See `Stabilized`."""
        if rise < -predicted:
            self.radius /= 2
        elif rise >= predicted / 2 and np.abs(step).max() >= self.radius * (1 - 1e-9):
            self.radius *= 2
        self.radius = float(np.clip(self.radius, LEAST * self.first, MOST * self.first))

    def maximum(self, errors: NDArray, slopes: NDArray) -> NDArray:
        """See `Stabilized`."""
        low = np.maximum(self.region.low - self.centre, -self.radius)
        high = np.minimum(self.region.high - self.centre, self.radius)
        return self.master.maximum(errors, slopes, low, high)
