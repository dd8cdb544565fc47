"""Batches that depend on (seed, epoch, number) alone, whatever the workers, devices and interruptions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.distributed import DistributedSampler

Batch = dict[str, Tensor]
"""Instances as the environment takes them; perhaps with the keys in `EXTRAS`."""

Key = tuple[int, int]
"""Epoch, and number of a batch in it."""

EXTRAS = ("reference", "solution")
"""Keys that are not of the instance: best objective known [B] (NaN: none), good solution int64 [B, n]."""


class Batches(Dataset[Batch], ABC):
    """Batches by key, so that the epoch travels with the number to whichever process makes the batch."""

    @abstractmethod
    def __len__(self) -> int:
        """Batches in an epoch."""

    @abstractmethod
    def __getitem__(self, key: Key) -> Batch:
        """The batch of a key; the same whenever and wherever it is made."""


class Stored(Batches):
    """Batches of a fixed set of instances, shuffled anew in each epoch.

    Args:
        groups: Instances that may share a batch, each group as one large batch.
        batch_size: Most instances in a batch.
        seed: Seed of the order; None: always the order in which they are given.
    """

    def __init__(self, groups: Sequence[Batch], batch_size: int, seed: int | None = None) -> None:
        self.groups, self.batch_size, self.seed = list(groups), batch_size, seed
        sizes = [len(next(iter(group.values()))) for group in self.groups]
        self._rows = [(g, first) for g, size in enumerate(sizes) for first in range(0, size, batch_size)]
        self._sizes = sizes

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: Key) -> Batch:
        """See `Batches`."""
        epoch, number = key
        number %= len(self)
        if self.seed is not None:
            number = int(np.random.default_rng((self.seed, epoch)).permutation(len(self))[number])
        group, first = self._rows[number]
        rows = np.arange(self._sizes[group])
        if self.seed is not None:
            rows = np.random.default_rng((self.seed, epoch, group)).permutation(rows)
        chosen = torch.from_numpy(rows[first : first + self.batch_size])
        return {name: tensor[chosen] for name, tensor in self.groups[group].items()}


class InOrder(Batches):
    """Batches of items in the order in which they are given.

    Args:
        items: What batches are made of.
        size: Most items of a batch.
        join: From items to a batch.
    """

    def __init__(self, items: Sequence, size: int, join: Callable[[Sequence], Batch]) -> None:
        self.items, self.size, self.join = items, size, join

    def __len__(self) -> int:
        return -(-len(self.items) // self.size)

    def __getitem__(self, key: Key) -> Batch:
        """See `Batches`."""
        first = key[1] % len(self) * self.size
        return self.join(self.items[first : first + self.size])


class Keys(DistributedSampler[Key]):
    """The keys of an epoch for one of several processes, which share no batch.

    Args:
        length: Batches of this process in an epoch.
        rank: Number of the process.
        world: How many there are.
    """

    def __init__(self, length: int, rank: int = 0, world: int = 1) -> None:
        super().__init__(range(length * world), num_replicas=world, rank=rank, shuffle=False)  # type: ignore[arg-type]
        self.length, self.first = length, 0

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Key]:
        first, self.first = self.first, 0
        return iter([(self.epoch, self.rank + i * self.num_replicas) for i in range(first, self.length)])


class Loader(DataLoader[Batch]):
    """Loads batches by key and knows how far it is, so that a training can go on within an epoch.

    Args:
        batches: What to load.
        length: Batches of this process in an epoch.
        rank: Number of the process.
        world: How many there are.
        workers: Processes that make batches; 0: this one.
    """

    def __init__(self, batches: Batches, length: int, rank: int = 0, world: int = 1, workers: int = 0) -> None:
        keys: Any = Keys(length, rank, world)
        super().__init__(batches, batch_size=None, sampler=keys, num_workers=workers)
        self._done = 0

    def __iter__(self) -> Any:
        keys: Any = self.sampler
        first = keys.first
        return self._counted(super().__iter__(), first)

    def _counted(self, batches: Iterator[Batch], first: int) -> Iterator[Batch]:
        for done, batch in enumerate(batches, first + 1):
            self._done = done
            yield batch

    def state_dict(self) -> dict[str, int]:
        """How many batches of the epoch were loaded."""
        return {"done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Lets the next epoch begin behind these; at the end of an epoch, with a full one."""
        keys: Any = self.sampler
        keys.first = state["done"] % keys.length
