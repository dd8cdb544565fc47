"""What trainings on what solvers did share: statistics of features, random numbers, figures by distribution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import torch

from policies.learning.training import Training


class Supervised(Training):
    """Base of trainings of a network on samples of several distributions."""

    network: Any
    """What is trained; `fit` takes the statistics of its features from batches."""
    statistics: ClassVar[int]
    """Batches from which these are taken."""
    shown: ClassVar[tuple[str, ...]]
    """Figures of the validation that the progress bar shows."""

    def adopt(self) -> None:
        """Takes the statistics of the features from the first batches."""
        datamodule: Any = getattr(self.trainer, "datamodule", None)
        batches = datamodule.training
        self.network.fit([batches[0, index] for index in range(min(len(batches), self.statistics))])

    @contextmanager
    def drawing(self, index: int) -> Iterator[None]:
        """Within, what is drawn depends on the training batch alone, which makes resuming exact."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(np.random.SeedSequence(self.entropy_of(index)).generate_state(1)[0]))
            yield

    def log_means(self, means: Mapping[int, Mapping[str, float]]) -> None:
        """Logs the figures of each distribution, by its number, and their means."""
        for index, found in means.items():
            if len(means) > 1:
                self._log_all(found, f"/{self.validation_name(index)}")
        if means:
            self._log_all({key: sum(m[key] for m in means.values()) / len(means) for key in found})

    def _log_all(self, found: Mapping[str, float], suffix: str = "") -> None:
        for key, value in found.items():
            self.log(f"val/{key}{suffix}", value, prog_bar=not suffix and key in self.shown)
