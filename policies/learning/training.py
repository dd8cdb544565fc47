"""What all trainings share: optimizer, exact random numbers, guards against divergence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from co_gym.errors import InputError, SolverError
from policies.learning.batches import Batch

OptimizerFactory = Callable[[Iterable], Optimizer]
SchedulerFactory = Callable[[Optimizer], LRScheduler]


class Training(L.LightningModule):
    """Base of all trainings: optimizer, exact random numbers, guards against divergence.

    Args:
        optimizer: From parameters to an optimizer.
        scheduler: From the optimizer to a schedule of the learning rate, stepped after each batch; None: constant.
        seed: Seed of what the training draws.
    """

    def __init__(
        self, optimizer: OptimizerFactory, scheduler: SchedulerFactory | None = None, seed: int = 0
    ) -> None:
        super().__init__()
        if seed < 0:
            raise InputError(f"seed {seed}: expected at least 0")
        self._optimizer, self._scheduler, self.seed = optimizer, scheduler, seed
        self.drawn = 0
        """Training instances so far, over all processes."""
        self.seconds = 0.0
        """Wall-clock seconds of training before this process began."""
        self._begin: float | None = None

    def configure_optimizers(self) -> Any:
        """Optimizer, and the schedule by batches.

        Raises:
            InputError: If one of them refuses its arguments.
        """
        try:
            optimizer = self._optimizer([p for p in self.parameters() if p.requires_grad])
            if self._scheduler is None:
                return optimizer
            scheduler = self._scheduler(optimizer)
        except (TypeError, ValueError) as error:
            raise InputError(f"optimizer or scheduler: {error}") from error
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def entropy_of(self, index: int) -> tuple[int, int, int, int]:
        """What random numbers depend on in batch `index`: the same after an interruption, other in each process.

        Returns:
            Seed, epoch, index and number of the process.
        """
        return self.seed, self.current_epoch, index, self.global_rank

    def adopt(self) -> None:
        """Called when a training begins that is not resumed; the policy may have been given other weights."""

    def on_fit_start(self) -> None:
        """Adopts what the training begins with, unless it is resumed."""
        self._begin = time.perf_counter()
        if self.trainer.ckpt_path is None:
            self.adopt()

    def note(self, name: str, value: Tensor) -> None:
        """Logs the mean of a figure over the batches of the epoch, as `train/...`."""
        self.log(f"train/{name}", value, on_step=False, on_epoch=True, batch_size=1, sync_dist=True)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Counts instances."""
        self.drawn += len(next(iter(batch.values()))) * self.trainer.world_size

    def on_train_epoch_end(self) -> None:
        """Logs how many instances there were so far."""
        self.log("train/instances", float(self.drawn), sync_dist=True)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds the count of instances, and the time."""
        now = 0.0 if self._begin is None else time.perf_counter() - self._begin
        checkpoint["instances"], checkpoint["seconds"] = self.drawn, self.seconds + now

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes up the count of instances, and the time."""
        self.drawn, self.seconds = checkpoint.get("instances", 0), checkpoint.get("seconds", 0.0)

    def check(self, loss: Tensor) -> Tensor:
        """The loss, if it is finite.

        Raises:
            SolverError: If it is not.
        """
        if not torch.isfinite(loss):
            raise self.diverged(f"the loss is {loss.item()}")
        return loss

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Stops before weights are spoilt.

        Raises:
            SolverError: If a gradient is not finite. With scaled gradients (16-mixed) such steps are left out
                instead, as the scaler does.
        """
        if getattr(self.trainer.precision_plugin, "scaler", None) is not None:
            return
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if gradients and not torch.isfinite(torch.nn.utils.get_total_norm(gradients)):
            raise self.diverged("a gradient is not finite")

    def diverged(self, what: str) -> SolverError:
        """The error that ends a training that diverged."""
        return SolverError(
            f"training diverged in epoch {self.current_epoch}, step {self.global_step}: {what}. "
            "The last checkpoint is from before; try a lower learning rate or gradient clipping"
        )

    def validation_name(self, index: int) -> str:
        """Name of a test set, for the log."""
        datamodule: Any = getattr(self.trainer, "datamodule", None)
        return str(index) if datamodule is None else datamodule.validation_names()[index]
