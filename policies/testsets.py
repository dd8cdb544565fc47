"""Fixed test sets: seeded instances that are generated anew, and shipped reference objectives.

A set is its specification; only the references travel with the package. Each comes with a digest of its instance,
so that a generator that has changed is an error and never a silently wrong gap.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym import registry
from co_gym.errors import InputError, unknown_name
from co_gym.instance import Instance

FOLDER = Path(__file__).parent / "references"
"""Holds `sets.json`, the specifications by name, and the references of each set as `<name>.npz`."""


@dataclass(frozen=True, eq=False)
class ReferenceSet:
    """Instances by specification, with the best objectives known.

    Attributes:
        name: Name of the set.
        problem: Name of the problem.
        size: Cities, items or nodes; or the smallest and largest of them, drawn uniformly for each instance.
        distribution: A distribution of the problem.
        options: Its options.
        count: Number of instances.
        seed: Seed of the generator; instance i depends on `(seed, i)` alone. Where sizes are drawn, instance i is
            the first of seed + i.
        made: How the references were made, how many are proven, and their mean.
    """

    name: str
    problem: str
    size: int | tuple[int, int]
    distribution: str
    count: int
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)

    def generate(self, count: int | None = None) -> list[Instance]:
        """The first `count` instances as the generator makes them today, without references.

        Raises:
            InputError: If `count` is not 0 to `self.count`.
        """
        count = self._checked(count)
        problem = registry.problem(self.problem)
        if isinstance(self.size, int):
            return problem.generate(
                self.size, count=count, distribution=self.distribution, seed=self.seed, **self.options
            )
        made = []
        for index in range(count):
            size = int(np.random.default_rng((self.seed, index, 1)).integers(*self.size, endpoint=True))
            made += problem.generate(size, distribution=self.distribution, seed=self.seed + index, **self.options)
        return made

    def instances(self, count: int | None = None) -> list[Instance]:
        """The first `count` instances, all by default; each holds its `reference`.

        Raises:
            InputError: If `count` is out of range, or an instance is not the one its reference was made for.
        """
        made, data = self.generate(count), self._data()
        for index, (instance, expected) in enumerate(zip(made, data["digests"].tolist(), strict=False)):
            if digest(instance) != expected:
                raise InputError(
                    f"reference set '{self.name}': instance {index} has digest {digest(instance):08x} where its "
                    f"reference was made for {expected:08x}: the generator has changed"
                )
        best = data["objectives"].tolist()
        return [replace(instance, reference=best[index]) for index, instance in enumerate(made)]

    def references(self, count: int | None = None) -> NDArray:
        """Best known objectives [count], int64 or float64, of the first instances, which are checked.

        Raises:
            InputError: As `instances`.
        """
        return self._data()["objectives"][: len(self.instances(count))]

    @property
    def proven(self) -> NDArray[np.bool_]:
        """Whether each reference is proven optimal, bool [count]."""
        return self._data()["proven"]

    def _checked(self, count: int | None) -> int:
        if count is not None and not 0 <= count <= self.count:
            raise InputError(f"count is {count}: expected 0 to {self.count}, the size of '{self.name}'")
        return self.count if count is None else count

    def _data(self) -> dict[str, NDArray]:
        """`objectives`, `proven` and `digests` (uint32), each [count]."""
        path = FOLDER / f"{self.name}.npz"
        try:
            with np.load(path, allow_pickle=False) as file:
                data = {key: file[key] for key in ("objectives", "proven", "digests")}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(f"expected the references of '{self.name}': {error}", path=path) from error
        for key, array in data.items():
            if array.shape != (self.count,):
                raise InputError(f"{key} has shape {array.shape}: expected ({self.count},)", path=path)
        return data


def digest(instance: Instance) -> int:
    """The first 32 bits of the SHA-256 of an instance's arrays, in the order of their keys.

    Floats count as float32, so that the last bit of a platform's logarithm makes no difference.
    """
    state = hashlib.sha256()
    for key in sorted(instance.data):
        array = instance[key]
        state.update(f"{key}{array.shape}".encode())
        state.update(array.astype("<f4" if array.dtype.kind == "f" else "<i8").tobytes())
    return int.from_bytes(state.digest()[:4], "big")


def sets() -> list[str]:
    """Names of the sets."""
    return list(_specifications())


def load(name: str) -> ReferenceSet:
    """The set of a given name.

    Raises:
        InputError: If there is none of that name.
    """
    known = _specifications()
    if name not in known:
        raise unknown_name("reference set", name, list(known))
    given = dict(known[name])
    if isinstance(given["size"], list):
        given["size"] = tuple(given["size"])
    return ReferenceSet(name=name, **given)


def _specifications() -> dict[str, dict[str, Any]]:
    specifications: dict[str, dict[str, Any]] = json.loads((FOLDER / "sets.json").read_text(encoding="utf-8"))
    return specifications
