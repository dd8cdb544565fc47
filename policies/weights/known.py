"""What is known of a distribution of instances that weights were trained on, and cards that say so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.weights.cards import BaseCard, Part


@dataclass(frozen=True, kw_only=True)
class Known:
    """A distribution of instances that a network was trained on.

    Attributes:
        name: Of the distribution.
        instances: Instances that were learned from.
        samples: What was collected from them: decisions of branching, or good solutions.
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


def known(name: str, samples: int, descriptors: NDArray) -> Known:
    """What there is to know of a distribution, from numbers [instances, D] that describe its instances."""
    numbers = np.asarray(descriptors, dtype=np.float64)
    statistics = (numbers.mean(0), numbers.std(0), numbers.min(0), numbers.max(0))
    mean, deviation, least, greatest = (tuple(np.round(one, 6).tolist()) for one in statistics)
    return Known(
        name=name,
        instances=len(numbers),
        samples=samples,
        mean=mean,
        deviation=deviation,
        least=least,
        greatest=greatest,
    )


@dataclass(frozen=True, kw_only=True)
class NetworkCard(BaseCard):
    """Everything known of the weights of one network; results are percentages by held-out set.

    Attributes:
        network: The network, with its arguments.
        trained: What it was trained on.
    """

    network: Part
    trained: tuple[Known, ...]
