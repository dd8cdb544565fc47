"""Learning to branch by imitating strong branching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from co_gym.errors import InputError
from policies.branching.batch import Batch, padded
from policies.branching.losses import PADDING, agreement, cross_entropy, lambda_rank
from policies.branching.network import BranchingNetwork
from policies.learning.supervised import Supervised
from policies.learning.training import OptimizerFactory, SchedulerFactory


@dataclass(slots=True)
class Tally:
    """Figures of the samples of one test set so far.

    Attributes:
        keys: Names of the figures.
        totals: Their sums, float64.
        count: Samples.
    """

    keys: tuple[str, ...]
    totals: Tensor
    count: int = 0

    def add(self, totals: Tensor, count: int) -> None:
        """Adds the sums over some samples."""
        self.totals += totals
        self.count += count


class BranchingImitation(Supervised):
    """Imitates strong branching (Gasse et al. 2019; Gupta et al. 2020); the data module is `BranchingSamples`.

    Validation logs `val/acc1`, `val/acc5` and `val/acc10` (percent of samples in which one of so many candidates
    scored highest is best), `val/gap` (what the pick's strong-branching score lacks to the best, in percent) and
    `val/loss`. These are means over the distributions; those of one distribution have its name at the end.

    Args:
        network: What is trained.
        optimizer: See `Training`.
        scheduler: See `Training`.
        loss: "cross-entropy" against probabilities (see `mixing`), or "rank": LambdaRank.
        mixing: Share of the probabilities that follows the scores; the rest is the best candidates'. 0 to 1.
        temperature: Of the former: exp(score / best score / temperature).
        seed: Seed of what dropout leaves out.

    Raises:
        InputError: If a number is out of range.
    """

    statistics, shown = 32, ("gap", "acc1")

    def __init__(
        self,
        network: BranchingNetwork,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None = None,
        loss: Literal["cross-entropy", "rank"] = "cross-entropy",
        mixing: float = 1.0,
        temperature: float = 0.3,
        seed: int = 0,
    ) -> None:
        super().__init__(optimizer, scheduler, seed)
        if not 0 <= mixing <= 1 or not temperature > 0:
            raise InputError(f"mixing {mixing}, temperature {temperature}: expected 0 to 1, and more than 0")
        self.network, self.loss, self.mixing, self.temperature = network, loss, mixing, temperature
        self._tallies: dict[int, Tally] = {}

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of one batch."""
        with self.drawing(index):
            predicted, scores = self._compared(batch)
        loss = self._loss(predicted, scores)
        self.note("loss", loss.detach())
        self.note("acc1", 100 * agreement(predicted.detach(), scores)["acc1"].mean())
        return self.check(loss)

    def validation_step(self, batch: Batch, index: int, dataloader_idx: int = 0) -> None:
        """Logs the figures; see the class."""
        predicted, scores = self._compared(batch)
        found = {name: 100 * value for name, value in agreement(predicted, scores).items()}
        found["gap"] = 100 - found.pop("ratio")
        found["loss"] = self._loss(predicted, scores).expand(len(scores))
        totals = torch.stack([values.sum().double() for values in found.values()])
        tally = self._tallies.setdefault(dataloader_idx, Tally(tuple(found), torch.zeros_like(totals)))
        tally.add(totals, len(scores))

    test_step = validation_step

    def on_validation_epoch_end(self) -> None:
        """Logs the figures of each distribution, and their means."""
        tallies, self._tallies = self._tallies, {}
        means = {index: self._mean(tally) for index, tally in tallies.items()}
        self.log_means(means)

    on_test_epoch_end = on_validation_epoch_end

    def _mean(self, tally: Tally) -> dict[str, float]:
        given = torch.cat([tally.totals, tally.totals.new_tensor([tally.count])])
        *totals, count = self.trainer.strategy.reduce(given, reduce_op="sum").tolist()
        return {key: total / count for key, total in zip(tally.keys, totals, strict=True)}

    def _compared(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Predictions and strong-branching scores [B, k]."""
        counts = batch["counts"]
        return padded(self.network(batch), counts, PADDING), padded(batch["scores"], counts, -1.0)

    def _loss(self, predicted: Tensor, scores: Tensor) -> Tensor:
        if self.loss == "rank":
            return lambda_rank(predicted, scores)
        return cross_entropy(predicted, scores, self.temperature, self.mixing)
