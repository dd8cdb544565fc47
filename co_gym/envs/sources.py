"""Where the instances of an environment's episodes come from: a seeded generator, or a fixed set."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray

from co_gym.errors import InputError
from co_gym.instance import Instance
from co_gym.problems.base import Problem

Arrays = dict[str, NDArray]
Convert = Callable[[Mapping[str, NDArray]], Arrays]
"""From the arrays of one or several instances to those that an environment takes."""

LARGEST_BLOCK = 32
BLOCK_NUMBERS = 4096
"""A row draws as many instances at once as hold this many numbers, `LARGEST_BLOCK` at most. Its stream depends on
its seed alone, not on how many rows there are."""


class Source(Protocol):
    """A stream of instances for each row of a batch."""

    def seed(self, row: int, seed: int | None) -> int:
        """Starts the stream of a row anew; None draws a seed. Returns the seed."""

    def take(self, rows: NDArray) -> Arrays:
        """The next instance of each given row, [k, ...] by key; the rows ascend. Perhaps views of the source."""

    def probe(self) -> Arrays:
        """Some instance [1, ...], to read shapes from; advances no stream."""


class _Streams:
    """One random generator per row, seeded as gymnasium seeds its environments."""

    def __init__(self, num_rows: int) -> None:
        self.generators: list[np.random.Generator | None] = [None] * num_rows

    def seed(self, row: int, seed: int | None) -> int:
        """See `Source`."""
        self.generators[row], used = seeding.np_random(seed)
        return used

    def generator(self, row: int) -> np.random.Generator:
        """The generator of a row, seeded on first use."""
        if self.generators[row] is None:
            self.seed(row, None)
        found = self.generators[row]
        assert found is not None
        return found


class GeneratedSource(_Streams):
    """Instances drawn from a distribution of the problem, a block at a time for each row.

    Args:
        problem: The problem.
        size: Cities, items or nodes.
        distribution: Name of one of its distributions.
        options: Parameters of the distribution.
        num_rows: Rows of the batch.
        convert: From drawn arrays to the environment's.

    Raises:
        InputError: If the distribution or an option is unknown.
    """

    def __init__(
        self,
        problem: Problem,
        size: int,
        distribution: str,
        options: Mapping[str, Any],
        num_rows: int,
        convert: Convert,
    ) -> None:
        super().__init__(num_rows)
        _, draw = problem.distribution(distribution, options)
        self._draw = partial(draw, **options)
        self._at_once = "count" in inspect.signature(draw).parameters
        self.size, self._convert = size, convert
        self._block = 1
        numbers = sum(value.size for value in self.probe().values())
        self._block = max(1, min(LARGEST_BLOCK, BLOCK_NUMBERS // numbers))
        self._cursor = np.full(num_rows, self._block)
        self._blocks: Arrays = {}

    def seed(self, row: int, seed: int | None) -> int:
        """See `Source`."""
        self._cursor[row] = self._block
        return super().seed(row, seed)

    def take(self, rows: NDArray) -> Arrays:
        """See `Source`."""
        for row in rows[self._cursor[rows] == self._block]:
            self._refill(int(row))
        position = self._cursor[rows]
        self._cursor[rows] += 1
        if len(rows) == len(self._cursor) and (position == position[0]).all():
            return {key: block[:, position[0]] for key, block in self._blocks.items()}
        return {key: block[rows, position] for key, block in self._blocks.items()}

    def probe(self) -> Arrays:
        """See `Source`."""
        return {key: value[:1] for key, value in self._drawn(np.random.default_rng(0)).items()}

    def _drawn(self, rng: np.random.Generator) -> Arrays:
        """A block of instances; reals as float32, in which environments work."""
        if self._at_once:
            drawn = self._convert(self._draw(rng, self.size, count=self._block))
        else:
            single = [self._convert(self._draw(rng, self.size)) for _ in range(self._block)]
            drawn = {key: np.stack([arrays[key] for arrays in single]) for key in single[0]}
        return {key: a.astype(np.float32) if a.dtype.kind == "f" else a for key, a in drawn.items()}

    def _refill(self, row: int) -> None:
        drawn = self._drawn(self.generator(row))
        if not self._blocks:
            rows = len(self._cursor)
            self._blocks = {key: np.empty((rows, *value.shape), value.dtype) for key, value in drawn.items()}
        for key, value in drawn.items():
            self._blocks[key][row] = value
        self._cursor[row] = 0


class FixedSource(_Streams):
    """Instances of a given set: the only one, or one of several drawn uniformly.

    Args:
        instances: At least one, all of one size.
        num_rows: Rows of the batch.
        convert: From an instance's arrays to the environment's.

    Raises:
        InputError: If there is none, or sizes differ.
    """

    def __init__(self, instances: Sequence[Instance], num_rows: int, convert: Convert) -> None:
        super().__init__(num_rows)
        if not instances:
            raise InputError("an environment needs at least one instance")
        single = [convert(instance.data) for instance in instances]
        shapes = {tuple((key, a.shape) for key, a in arrays.items()) for arrays in single}
        if len(shapes) > 1:
            raise InputError("the instances of an environment have different sizes: expected one size")
        self.arrays = {key: np.stack([arrays[key] for arrays in single]) for key in single[0]}
        self._count = len(single)

    def probe(self) -> Arrays:
        """See `Source`."""
        return {key: value[:1] for key, value in self.arrays.items()}

    def take(self, rows: NDArray) -> Arrays:
        """See `Source`."""
        if self._count == 1:
            chosen = np.zeros(len(rows), dtype=np.int64)
        else:
            chosen = np.array([self.generator(int(row)).integers(self._count) for row in rows])
        return {key: value[chosen] for key, value in self.arrays.items()}


def load_instances(instances: str | Sequence[str | Instance] | Instance, problem: str) -> list[Instance]:
    """Instances from files' names, or as they are.

    Raises:
        InputError: If a file cannot be read, or holds another problem.
    """
    from co_gym.io import read

    given = [instances] if isinstance(instances, str | Instance) else list(instances)
    loaded = [i for item in given for i in ([item] if isinstance(item, Instance) else read(item))]
    for instance in loaded:
        if instance.problem != problem:
            raise InputError(f"{instance.name} is an instance of {instance.problem}: expected {problem}")
    return loaded
