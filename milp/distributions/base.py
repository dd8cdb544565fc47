"""What a distribution is, and one whose instances come from a seeded generator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from co_gym import splits
from co_gym.errors import InputError, unknown_name
from co_gym.formulation import MixedIntegerProgram
from co_gym.instance import Instance
from co_gym.problems.mip import MIP
from co_gym.splits import SPLITS

COUNTS = {"train": 10_000, "validation": 2_000, "test": 100}
"""How many instances a split of a generated distribution holds unless its entry says otherwise."""

Generator = Callable[[np.random.Generator], MixedIntegerProgram]


class Distribution(splits.Distribution, Protocol):
    """Mixed-integer programs in three splits."""

    @property
    def family(self) -> str:
        """The kind of problem."""

    @property
    def level(self) -> str:
        """How hard: `easy`, `medium`, ..."""

    @property
    def summary(self) -> str:
        """One line with sizes and source."""

    def program(self, split: str, index: int) -> MixedIntegerProgram:
        """Instance `index` of a split as a program."""


@dataclass(frozen=True)
class Generated:
    """A seeded distribution: instance i of a split depends on (name, split, i) alone.

    Attributes:
        name: Name in the catalogue, `family-level`.
        family: The kind of problem.
        level: How hard.
        summary: One line with sizes and source.
        source: Where it is described.
        generate: Makes one program from a random generator.
        counts: How many instances each split holds.
    """

    name: str
    family: str
    level: str
    summary: str
    source: str
    generate: Generator
    counts: Mapping[str, int] = field(default_factory=lambda: dict(COUNTS))

    @property
    def problem(self) -> str:
        """`mip`."""
        return MIP.name

    def count(self, split: str) -> int:
        """How many instances a split holds."""
        return self.counts[known_split(split)]

    def program(self, split: str, index: int) -> MixedIntegerProgram:
        """Instance `index` of a split as a program."""
        check_index(self, split, index)
        digest = hashlib.sha256(self.name.encode()).digest()
        entropy = int.from_bytes(digest[:16], "big")
        seed = np.random.SeedSequence(entropy, spawn_key=(SPLITS.index(split), index))
        return replace(self.generate(np.random.default_rng(seed)), name=f"{self.name}-{split}-{index:04d}")

    def instance(self, split: str, index: int) -> Instance:
        """Instance `index` of a split as an instance of problem `mip`."""
        program = self.program(split, index)
        return MIP().from_program(program, name=program.name, source=self.name)


def known_split(split: str) -> str:
    """A split's name, checked.

    Raises:
        InputError: If there is no such split.
    """
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    return split


def check_index(distribution: Distribution, split: str, index: int) -> None:
    """Refuses an index outside a split.

    Raises:
        InputError: If the split is unknown or has no such instance.
    """
    count = distribution.count(split)
    if not 0 <= index < count:
        raise InputError(
            f"{distribution.name} has no {split} instance {index}: the split holds {count}, from 0 on"
        )
