"""Ascent by a model that is trusted near the best point so far."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from quantum.multipliers.base import Inner
from quantum.multipliers.models import Model
from quantum.multipliers.region import Region

SUFFICIENT = 0.1
"""Share of the rise that the model predicts from which on a step is taken."""

LEAST, MOST = 1e-6, 1e6
"""By which factor trust in the model may differ from that at the start."""


@dataclass
class Stabilized(ABC):
    """Maximizes the model near a centre, and moves the centre where the value has risen enough (a serious step).

    A step that does not move the centre (a null step) improves the model there. Where the model promises no more,
    exact values prove the centre optimal and the ascent is done; otherwise the centre is estimated again, with the
    slopes of new samples.

    Attributes:
        region: In natural units.
        centre: [m] float64.
        tolerance: Rise of the model, relative to the value, that counts as none.
    """

    region: Region
    centre: NDArray
    tolerance: float
    value: float = -np.inf
    point: NDArray = field(init=False)
    predicted: float = 0.0
    model: Model = field(default_factory=Model)
    exact: bool = True
    penalty: float = 0.0

    def __post_init__(self) -> None:
        self.point = self.centre

    def next(self, inner: Inner) -> NDArray | None:
        """See `Ascent`."""
        if not self.model.values:
            self.begin(self.region.project(self.point, inner.slopes))
        self.exact &= inner.exact
        self.model.add(self.point, inner.value, inner.slopes)
        rise = inner.value - self.value
        if self.point is not self.centre:
            error = rise + float(inner.slopes @ (self.centre - self.point))
            self.adapt(rise, self.predicted, error, self.point - self.centre)
        if rise >= SUFFICIENT * self.predicted:
            self.centre, self.value = self.point, inner.value
        errors, slopes = self.model.planes(self.centre, self.value)
        step = self.maximum(errors, slopes)
        self.predicted = float(np.min(errors + slopes @ step))
        if self.predicted > self.tolerance * max(1.0, abs(self.value)):
            self.point = self.centre + step
        elif self.exact:
            return None
        else:
            self.point = self.centre
        return self.point

    @abstractmethod
    def begin(self, slopes: NDArray) -> None:
        """Set up at the start, given its slopes [m]."""

    @abstractmethod
    def adapt(self, rise: float, predicted: float, error: float, step: NDArray) -> None:
        """Trust the model more, or less.

        Args:
            rise: Of the value over that at the centre.
            predicted: What the model promised.
            error: How far the new plane is above the value at the centre.
            step: [m] float64, from the centre.
        """

    @abstractmethod
    def maximum(self, errors: NDArray, slopes: NDArray) -> NDArray:
        """The step [m] from the centre to the model's maximum near it, from errors [K] and slopes [K, m]."""
