"""The method of multipliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.multipliers.base import Inner
from quantum.multipliers.region import Region


@dataclass(frozen=True)
class Augmented:
    """Multipliers plus penalty times slopes of the augmented Lagrangian (Hestenes 1969, Powell 1969).

    The penalty grows when the slopes, which are the violation, have not become short enough. Those of samples
    never do: for them `growth` 1 keeps the penalty, which would else grow to its limit. The oracle adds the
    quadratic term with the weights that it is given, see `oracles.augmented_oracle`.

    Attributes:
        penalty: The first, in natural units, positive.
        growth: Its factor when violation has not shrunk, at least 1.
        shrink: Share of the last violation that counts as shrunk, more than 0, less than 1.
        largest: What the penalty does not exceed, in natural units.
    """

    name: ClassVar[str] = "augmented"
    summary: ClassVar[str] = "method of multipliers of the augmented Lagrangian (Hestenes 1969, Powell 1969)"
    penalty: float = 1.0
    growth: float = 1.5
    shrink: float = 0.5
    largest: float = 1e4

    def __post_init__(self) -> None:
        if not (0 < self.penalty <= self.largest and self.growth >= 1 and 0 < self.shrink < 1):
            raise InputError(
                f"penalty {self.penalty}, largest {self.largest}, growth {self.growth}, shrink {self.shrink}: "
                "expected 0 < penalty <= largest, growth >= 1, 0 < shrink < 1"
            )

    def start(self, multipliers: NDArray, region: Region) -> _Augmented:
        """See `Rule`."""
        return _Augmented(self, region, multipliers, self.penalty)


@dataclass
class _Augmented:
    rule: Augmented
    region: Region
    point: NDArray
    penalty: float
    violation: float = np.inf

    def next(self, inner: Inner) -> NDArray:
        """See `Ascent`."""
        following = self.region.clip(self.point + self.penalty * inner.slopes)
        violation = float(np.linalg.norm(following - self.point)) / self.penalty
        if violation > self.rule.shrink * self.violation:
            self.penalty = min(self.penalty * self.rule.growth, self.rule.largest)
        self.point, self.violation = following, violation
        return self.point
