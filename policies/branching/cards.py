"""Cards of weights that branch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from policies.weights.cards import BaseCard, Budget, Part

SPREAD = 0.05
"""Least deviation of a number that describes instances: what was constant in training may vary a little."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """A distribution of instances that a network was trained on.

    Attributes:
        name: Of the distribution.
        instances: Instances that samples were collected from.
        samples: Samples.
        mean: Mean of each number that describes an instance.
        deviation: Standard deviation of each.
        least: Smallest value of each.
        greatest: Largest value of each.
    """

    name: str
    instances: int
    samples: int
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    least: tuple[float, ...] = ()
    greatest: tuple[float, ...] = ()

    def distance(self, descriptor: ArrayLike) -> float:
        """How far the most unusual number of an instance lies from the range seen, in deviations; 0 within it."""
        given = np.asarray(descriptor, dtype=np.float64)
        if given.shape != (len(self.mean),):
            return math.inf
        beyond = np.maximum(np.subtract(self.least, given), np.subtract(given, self.greatest)).clip(0.0)
        return float((beyond / np.maximum(self.deviation, SPREAD)).max(initial=0.0))


@dataclass(frozen=True, kw_only=True)
class BranchingBudget(Budget):
    """What collecting samples and training cost; `instances` and `samples` are those collected.

    Attributes:
        samples: Samples in all.
        seen: Samples that the training has looked at, as often as it did.
        collecting_minutes: Minutes of one core that collecting the samples took.
    """

    samples: int = 0
    seen: int = 0
    collecting_minutes: float = 0.0


@dataclass(frozen=True, kw_only=True)
class BranchingCard(BaseCard):
    """Everything known of weights that branch; results are percentages by held-out set.

    Attributes:
        network: The network, with its arguments.
        trained: What it was trained on.
        budget: See `BranchingBudget`.
        feature_version: Version of the features that it takes.
        reliability: (a, b): from the node after the a-th to the b-th, reliability branching decides instead.
    """

    network: Part
    trained: tuple[Known, ...]
    budget: BranchingBudget
    feature_version: int
    reliability: tuple[int, int] = (0, 0)

    def distance(self, descriptor: ArrayLike) -> float:
        """Distance of an instance to the nearest distribution that was trained on; infinite if none is known."""
        return min((known.distance(descriptor) for known in self.trained), default=math.inf)
