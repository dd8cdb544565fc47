"""Training on samples of strong branching."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from co_gym.errors import InputError
from policies.branching.samples import Samples, Stream, Unit, batch_of
from policies.learning.batches import Batch, Batches, InOrder, Key
from policies.learning.loading import LoadedData


class MixedSamples(Batches):
    """Batches to which each folder contributes equally, however many samples it holds.

    Args:
        folders: The samples of each folder.
        instances: Graphs in a batch.
        most: Most samples of an instance in a batch, where they share a graph.
        length: Batches in an epoch; None: about as many as are needed to see all samples once.
        seed: Of the order, 0 or above.
    """

    def __init__(self, folders: list[Samples], instances: int, most: int, length: int | None, seed: int) -> None:
        self.instances = instances
        self.streams = [Stream(samples, most, (seed, place)) for place, samples in enumerate(folders)]
        units = sum(stream.length for stream in self.streams)
        self.length = length or -(-units // instances)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: Key) -> Batch:
        """See `Batches`."""
        epoch, index = key
        first, parts = (epoch * self.length + index) * self.instances, []
        for number in range(first, first + self.instances):
            stream = self.streams[number % len(self.streams)]
            parts += stream.samples.parts(stream[number // len(self.streams)])
        return batch_of(parts)


class BranchingSamples(LoadedData):
    """Samples of strong branching from folders, all in memory.

    A folder holds the subfolders `train` and `validation`; all folders contribute equally to a batch. Where the
    network looks at the graph of the root, samples of the same instance share it within a batch.

    Args:
        folders: Folders, each of one distribution of instances.
        instances: Graphs in a batch.
        samples: Most samples of an instance in a batch, where they share a graph.
        batches: Batches of each process in an epoch; None: about as many as see all samples once.
        seed: Seed of the order.
        workers: See `LoadedData`.

    Raises:
        InputError: If a number is out of range; in `setup`, if samples are missing or malformed.
    """

    def __init__(
        self,
        folders: list[str],
        instances: int = 8,
        samples: int = 8,
        batches: int | None = None,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        super().__init__(workers)
        if not folders or instances < 1 or samples < 1 or (batches is not None and batches < 1) or seed < 0:
            given = f"{len(folders)} folders, instances {instances}, samples {samples}, batches {batches}"
            raise InputError(f"{given}, seed {seed}: expected at least 1 of each, and a seed of at least 0")
        self.folders, self.instances, self.samples = folders, instances, samples
        self.batches, self.seed = batches, seed
        self.validation: list[Samples] = []

    def setup(self, stage: str) -> None:
        """Reads the samples."""
        self.validation = [self._read(folder, "validation") for folder in self.folders]
        if stage == "fit":
            training = [self._read(folder, "train") for folder in self.folders]
            self.training = MixedSamples(training, self.instances, self._most, self.batches, self.seed)

    def validation_sets(self) -> list[Batches]:
        """See `LoadedData`; one set for each folder."""
        return [
            InOrder(samples.units(self._most), self.instances, functools.partial(_joined, samples))
            for samples in self.validation
        ]

    def validation_names(self) -> list[str]:
        """See `LoadedData`."""
        return [Path(folder).name for folder in self.folders]

    def _read(self, folder: str, part: str) -> Samples:
        return Samples(Path(folder).expanduser() / part, self._needs_graph)

    @property
    def _needs_graph(self) -> bool:
        module: Any = None if self.trainer is None else self.trainer.lightning_module
        return module is not None and bool(module.network.needs_graph)

    @property
    def _most(self) -> int:
        return 1 if self._needs_graph else self.samples


def _joined(samples: Samples, units: Sequence[Unit]) -> Batch:
    return batch_of([part for unit in units for part in samples.parts(unit)])
