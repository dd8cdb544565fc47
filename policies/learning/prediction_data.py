"""Training on pools of good solutions."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from co_gym.errors import InputError
from policies.learning.batches import Batch, Batches, InOrder, Key
from policies.learning.loading import LoadedData
from policies.prediction.samples import Sample, batch_of, read_pools


class ShuffledPools(Batches):
    """Batches from endless passes over all instances, each in an order of its own.

    Args:
        samples: The instances.
        instances: How many share a batch.
        seed: Of the orders, 0 or above.
    """

    def __init__(self, samples: list[Sample], instances: int, seed: int) -> None:
        self.samples, self.instances, self.seed = samples, instances, seed
        self._order = functools.lru_cache(2)(self._drawn)

    def __len__(self) -> int:
        return -(-len(self.samples) // self.instances)

    def __getitem__(self, key: Key) -> Batch:
        """See `Batches`."""
        first = (key[0] * len(self) + key[1]) * self.instances
        places = [divmod(number, len(self.samples)) for number in range(first, first + self.instances)]
        return batch_of([self.samples[self._order(number)[place]] for number, place in places])

    def _drawn(self, number: int) -> list[int]:
        order: list[int] = np.random.default_rng((self.seed, number)).permutation(len(self.samples)).tolist()
        return order


class SolutionPools(LoadedData):
    """Pools of good solutions from folders, all in memory with their programs.

    A folder says in its manifest whose pools it holds (see `policies.prediction.format`), and has the subfolders
    `train` and `validation`; its own name is that of its validation set.

    Args:
        folders: Folders, each of one distribution of instances.
        instances: Instances in a batch.
        seed: Seed of the order.
        package: Package that offers the distributions.
        workers: See `LoadedData`.

    Raises:
        InputError: If a number is out of range; in `setup`, if pools or a manifest are missing or malformed,
            or the distribution is no longer there.
    """

    def __init__(
        self, folders: list[str], instances: int = 4, seed: int = 0, package: str = "milp", workers: int = 0
    ) -> None:
        super().__init__(workers)
        if not folders or instances < 1 or seed < 0:
            given = f"{len(folders)} folders, instances {instances}, seed {seed}"
            raise InputError(f"{given}: expected at least 1 folder and instance, and a seed of at least 0")
        self.folders, self.instances, self.seed, self.package = folders, instances, seed, package
        self.validation: list[list[Sample]] = []

    def setup(self, stage: str) -> None:
        """Reads the pools and makes the programs."""
        self.validation = [read_pools(folder, "validation", self.package) for folder in self.folders]
        if stage == "fit":
            training = [read_pools(folder, "train", self.package) for folder in self.folders]
            samples = [sample for part in training for sample in part]
            self.training = ShuffledPools(samples, self.instances, self.seed)

    def validation_sets(self) -> list[Batches]:
        """See `LoadedData`; one set for each folder."""
        return [InOrder(samples, self.instances, batch_of) for samples in self.validation]

    def validation_names(self) -> list[str]:
        """See `LoadedData`."""
        return [Path(folder).name for folder in self.folders]
