"""Distributions of instances in fixed splits, the same for everybody who names them."""

from __future__ import annotations

from typing import Protocol

from co_gym.instance import Instance

SPLITS = ("train", "validation", "test")
"""The splits of every distribution."""


class Distribution(Protocol):
    """Instances in three splits, each found by its number alone.

    A package offers its own by a line in the entry-point group `co_gym.distributions`: a function from a name to a
    distribution. `co-gym generate package/name` writes its instances.
    """

    @property
    def name(self) -> str:
        """What it is found by."""

    @property
    def problem(self) -> str:
        """Name of the problem whose instances these are."""

    def count(self, split: str) -> int:
        """How many instances a split holds.

        Raises:
            InputError: If there is no such split.
        """

    def instance(self, split: str, index: int) -> Instance:
        """Instance `index` of a split.

        Raises:
            InputError: If there is no such instance.
        """
