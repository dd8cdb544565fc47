"""Learning to predict binary variables from pools of good solutions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from co_gym.errors import InputError
from policies.branching.batch import Batch
from policies.learning.supervised import Supervised
from policies.learning.training import OptimizerFactory, SchedulerFactory
from policies.prediction.losses import (
    agreement,
    calibration_error,
    contrastive,
    cross_entropy,
    negatives,
    shares,
)
from policies.prediction.network import Predictor
from policies.prediction.samples import instances_of

LOSSES = {"cross-entropy": cross_entropy, "contrastive": contrastive, "negatives": negatives}


@dataclass(slots=True)
class Seen:
    """What one test set has shown so far.

    Attributes:
        figures: Of each instance.
        logits: Of the binary variables of each instance.
        wanted: Their shares of the pool; see `losses.shares`.
    """

    figures: list[dict[str, float]] = field(default_factory=list)
    logits: list[Tensor] = field(default_factory=list)
    wanted: list[Tensor] = field(default_factory=list)

    def joined(self) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, shares, and what each variable counts, so that all instances count the same; float64."""
        mass = torch.cat([torch.full_like(logits, 1.0 / len(logits)) for logits in self.logits])
        return torch.cat(self.logits), torch.cat(self.wanted), mass


class SolutionPrediction(Supervised):
    """Predicts binary variables (Han et al. 2023; Huang et al. 2024); the data module is `SolutionPools`.

    Validation logs `val/loss`, `val/auc` (chance that a one of a solution is above a zero, in percent),
    `val/precision` (percent of ones of the best solution among as many variables that are highest), `val/gap`
    (what this lacks to 100; it need not fall with the loss) and `val/calibration` (expected calibration error in
    percent, once scale and shift are fitted to the same pools). These are means over the distributions; those of
    one distribution have its name at the end. With several processes, each calibrates by its share of the pools.

    Args:
        network: What is trained.
        optimizer: See `Training`.
        scheduler: See `Training`.
        loss: "cross-entropy" of each variable; "contrastive": ones of a solution against its other variables;
            "negatives": good solutions against disturbed ones.
        temperature: Of the pools: a solution that is worse by this share weighs 1/e of the best one, > 0.
        seed: Seed of the disturbances.

    Raises:
        InputError: If a number is out of range.
    """

    statistics, shown = 8, ("auc", "precision")

    def __init__(
        self,
        network: Predictor,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None = None,
        loss: Literal["cross-entropy", "contrastive", "negatives"] = "cross-entropy",
        temperature: float = 0.02,
        seed: int = 0,
    ) -> None:
        super().__init__(optimizer, scheduler, seed)
        if not temperature > 0:
            raise InputError(f"temperature {temperature}: expected more than 0")
        self.network, self.loss, self.temperature = network, loss, temperature
        self._seen: dict[int, Seen] = {}

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of one batch."""
        found = instances_of(batch, self.network(batch), self.temperature)
        with self.drawing(index):
            loss = torch.stack([self._loss(*each) for each in found]).mean()
        self.note("loss", loss.detach())
        return self.check(loss)

    def validation_step(self, batch: Batch, index: int, dataloader_idx: int = 0) -> None:
        """Logs the figures; see the class."""
        seen = self._seen.setdefault(dataloader_idx, Seen())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(index)
            for logits, values, weights in instances_of(batch, self.network(batch), self.temperature):
                found = {name: 100 * value for name, value in agreement(logits, values, weights).items()}
                found["gap"] = 100 - found["precision"]
                seen.figures.append(found | {"loss": float(self._loss(logits, values, weights))})
                seen.logits.append(logits.double())
                seen.wanted.append(shares(values, weights, torch.float64))

    test_step = validation_step

    def on_validation_epoch_end(self) -> None:
        """Calibrates, and logs the figures of each distribution and their means."""
        self._calibrate()
        self._log_figures()

    def on_test_epoch_end(self) -> None:
        """Logs the figures as in validation, with the calibration as it is."""
        self._log_figures()

    def _calibrate(self) -> None:
        parts = [seen.joined() for seen in self._seen.values()]
        if parts:
            self.network.calibrate(*(torch.cat(each) for each in zip(*parts, strict=True)))

    def _log_figures(self) -> None:
        seen, self._seen = self._seen, {}
        means = {index: self._mean(each) for index, each in seen.items()}
        self.log_means(means)

    def _mean(self, seen: Seen) -> dict[str, float]:
        logits, wanted, mass = seen.joined()
        found = {key: sum(each[key] for each in seen.figures) / len(seen.figures) for key in seen.figures[0]}
        found["calibration"] = 100 * calibration_error(self.network.marginals(logits), wanted, mass)
        reduced = self.trainer.strategy.reduce(torch.tensor(list(found.values())), reduce_op="mean").tolist()
        return dict(zip(found, reduced, strict=True))

    def _loss(self, logits: Tensor, values: Tensor, weights: Tensor) -> Tensor:
        return LOSSES[self.loss](logits, values, weights)
