"""Steps along a subgradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.multipliers.base import Inner
from quantum.multipliers.region import Region


@dataclass(frozen=True)
class DualAscent:
    """Projected subgradients, with steps that become shorter as (1 + k)^-decay (Shor 1985).

    It does not look at values, and errors of slopes average out: the rule for samples.

    Attributes:
        length: Of the first step, as a multiple of sqrt(m) in natural units, positive.
        decay: More than 0, at most 1: the steps then vanish, and their sum does not converge.
    """

    name: ClassVar[str] = "dual-ascent"
    summary: ClassVar[str] = "projected subgradients with steps that become shorter (Shor 1985)"
    length: float = 0.3
    decay: float = 1.0

    def __post_init__(self) -> None:
        if not (self.length > 0 and 0 < self.decay <= 1):
            raise InputError(f"length {self.length}, decay {self.decay}: expected length > 0 and 0 < decay <= 1")

    def start(self, multipliers: NDArray, region: Region) -> _DualAscent:
        """See `Rule`."""
        return _DualAscent(self, region, multipliers)


@dataclass
class _DualAscent:
    rule: DualAscent
    region: Region
    point: NDArray
    step: int = 0
    penalty: float = 0.0

    def next(self, inner: Inner) -> NDArray:
        """See `Ascent`."""
        slopes = self.region.project(self.point, inner.slopes)
        norm = float(np.linalg.norm(slopes)) or 1.0
        length = self.rule.length * np.sqrt(slopes.size) * (1 + self.step) ** -self.rule.decay
        self.step += 1
        self.point = self.region.clip(self.point + length / norm * slopes)
        return self.point


@dataclass(frozen=True)
class Polyak:
    """Projected subgradients, with steps from the distance to an upper bound (Polyak 1969).

    The upper bound, the objective of a feasible solution, may not be attained. So the factor of the step is halved
    whenever the value has not risen for a while (Held, Wolfe and Crowder 1974).

    Attributes:
        factor: Of the first step, more than 0, at most 2.
        patience: Steps without a higher value until the factor is halved, at least 1.
    """

    name: ClassVar[str] = "polyak"
    summary: ClassVar[str] = "projected subgradients with steps from an upper bound (Held, Wolfe and Crowder 1974)"
    factor: float = 1.0
    patience: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.factor <= 2 or self.patience < 1:
            raise InputError(
                f"factor {self.factor}, patience {self.patience}: expected 0 < factor <= 2 and 1 or more"
            )

    def start(self, multipliers: NDArray, region: Region) -> _Polyak:
        """See `Rule`.

        Raises:
            InputError: If the region has no upper bound.
        """
        if not np.isfinite(region.upper):
            raise InputError("rule polyak needs an upper bound: expected the objective of a feasible solution")
        return _Polyak(self, region, multipliers, self.factor)


@dataclass
class _Polyak:
    rule: Polyak
    region: Region
    point: NDArray
    factor: float
    best: float = -np.inf
    failures: int = 0
    penalty: float = 0.0

    def next(self, inner: Inner) -> NDArray:
        """See `Ascent`."""
        self.failures = 0 if inner.value > self.best else self.failures + 1
        self.best = max(self.best, inner.value)
        if self.failures == self.rule.patience:
            self.factor, self.failures = self.factor / 2, 0
        slopes = self.region.project(self.point, inner.slopes)
        distance = max(self.region.upper - inner.value, 0.0)
        self.point = self.region.clip(
            self.point + self.factor * distance / (float(slopes @ slopes) or 1.0) * slopes
        )
        return self.point
