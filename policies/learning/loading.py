"""Data modules whose batches depend on their keys alone."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import lightning as L

from co_gym.errors import InputError
from policies.learning.batches import Batches, Loader


class LoadedData(L.LightningDataModule):
    """Base of the data modules: loaders for one of several processes.

    Args:
        workers: Processes that make batches; 0: the training process itself.
    """

    def __init__(self, workers: int = 0) -> None:
        super().__init__()
        if workers < 0:
            raise InputError(f"workers {workers}: expected at least 0")
        self.workers = workers
        self.training: Batches
        """What is trained on; set by the subclass."""

    def train_dataloader(self) -> Loader:
        """Loads this process's share of the batches; their number is the same with any number of processes."""
        if self.trainer is None:
            return Loader(self.training, len(self.training), workers=self.workers)
        rank, world = self.trainer.global_rank, self.trainer.world_size
        loader = Loader(self.training, len(self.training), rank, world, self.workers)
        # a resumed training makes its first iterator before it tells the epoch
        keys: Any = loader.sampler
        progress: Any = self.trainer.fit_loop.epoch_progress.current
        keys.set_epoch(progress.processed)
        return loader

    def val_dataloader(self) -> list[Loader]:
        """One loader for each test set."""
        rank, world = (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)
        return [Loader(batches, -(-len(batches) // world), rank, world) for batches in self.validation_sets()]

    def test_dataloader(self) -> list[Loader]:
        """The same as for validation."""
        return self.val_dataloader()

    @abstractmethod
    def validation_sets(self) -> list[Batches]:
        """The batches of each test set, in order; the first set is the one that counts for the best checkpoint."""

    @abstractmethod
    def validation_names(self) -> list[str]:
        """Name of each test set, for the log."""
