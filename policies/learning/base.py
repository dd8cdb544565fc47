"""What all trainings of a policy share: optimizer, validation, guards against divergence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from co_gym.envs.wrappers import SYMMETRIES, augment
from co_gym.errors import InputError, SolverError
from policies.decoding.choose import Greedy
from policies.learning.batches import EXTRAS, Batch
from policies.learning.guards import Guarded
from policies.policy import ConstructivePolicy, Encoding, Rollout

OptimizerFactory = Callable[[Iterable], Optimizer]
SchedulerFactory = Callable[[Optimizer], LRScheduler]


class PolicyTraining(L.LightningModule):
    """Base of the training methods.

    Validation is greedy from all starts: `val/gap` is the mean gap of the best start in percent (negative: better
    than the reference), `val/gap_x8` that over the eight symmetries as well, `val/gap_greedy` that of the first
    start; `val/objective` is the mean objective of the best start. Further test sets have their name at the end.

    Args:
        policy: What is trained.
        optimizer: From parameters to an optimizer.
        scheduler: From the optimizer to a schedule of the learning rate, stepped after each batch; None: constant.
        seed: Seed of the actions drawn.
        num_starts: First actions of each instance; None: as many as there are nodes, at most `most_starts`.
        most_starts: See `num_starts`.
        compile_encoder: Whether the encoder is compiled (`torch.compile`), which takes a while at the beginning
            and for each new size.
    """

    def __init__(
        self,
        policy: ConstructivePolicy,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None = None,
        seed: int = 0,
        num_starts: int | None = None,
        most_starts: int = 100,
        compile_encoder: bool = False,
    ) -> None:
        super().__init__()
        if seed < 0 or most_starts < 1 or (num_starts is not None and num_starts < 1):
            raise InputError(
                f"seed {seed}, num_starts {num_starts}, most_starts {most_starts}: expected at least 0, 1 and 1"
            )
        self.policy = policy
        self._optimizer, self._scheduler = optimizer, scheduler
        self.seed, self.num_starts, self.most_starts = seed, num_starts, most_starts
        self.compile_encoder = compile_encoder
        self.drawn = 0
        """Training instances so far, over all processes."""

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

    def starts(self, encoding: Encoding, wanted: int | None = None) -> int:
        """S for a batch."""
        return wanted or min(encoding.graph.nodes.shape[1], self.most_starts)

    def instances(self, batch: Batch) -> Batch:
        """A batch without what is not of the instances."""
        return {key: value for key, value in batch.items() if key not in EXTRAS}

    def entropy_of(self, index: int) -> tuple[int, int, int, int]:
        """What random numbers depend on in batch `index`: the same after an interruption, other in each process.

        Returns:
            Seed, epoch, index and number of the process.
        """
        return self.seed, self.current_epoch, index, self.global_rank

    def adopt(self) -> None:
        """Called when a training begins that is not resumed; the policy may have been given other weights."""

    def on_fit_start(self) -> None:
        """Has the encoder compiled, if it is to be."""
        if self.trainer.ckpt_path is None:
            self.adopt()
        if self.compile_encoder:
            self.policy.encoder.compile()

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
        """Adds the count of instances."""
        checkpoint["instances"] = self.drawn

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes up the count of instances."""
        self.drawn = checkpoint.get("instances", 0)

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

    def validation_step(self, batch: Batch, index: int, dataloader_idx: int = 0) -> None:
        """Logs the gaps of greedy decoding; see the class."""
        data = self.instances(batch)
        values = self._greedy(data)
        unknown = torch.full_like(values[:, 0], torch.nan)
        reference = batch["reference"].float() if "reference" in batch else unknown
        suffix = f"/{self._validation_name(dataloader_idx)}" if dataloader_idx else ""
        best = self._best(values)
        self._log(f"val/objective{suffix}", best)
        self._log(f"val/gap_greedy{suffix}", self._gaps(values[:, 0], reference))
        self._log(f"val/gap{suffix}", self._gaps(best, reference))
        if self.policy.task.symmetric and "coordinates" in data:
            copies = {k: v.repeat(SYMMETRIES, *[1] * (v.ndim - 1)) for k, v in data.items() if k != "coordinates"}
            turned = self._greedy(copies | {"coordinates": augment(data["coordinates"])})
            best = self._best(self._best(turned).view(SYMMETRIES, -1).t())
            self._log(f"val/gap_x8{suffix}", self._gaps(best, reference))

    test_step = validation_step

    def _validation_name(self, index: int) -> str:
        datamodule: Any = getattr(self.trainer, "datamodule", None)
        return str(index) if datamodule is None else datamodule.validation_names()[index]

    def _greedy(self, data: Batch) -> Tensor:
        encoding = self.policy.encode(data)
        done: Rollout = self.policy.rollout(
            encoding, Guarded(Greedy(), self.diverged), num_starts=self.starts(encoding)
        )
        return self.policy.environment.objective(done.state).float()

    def _best(self, values: Tensor) -> Tensor:
        return values.amax(-1) if self.policy.environment.maximize else values.amin(-1)

    def _gaps(self, value: Tensor, reference: Tensor) -> Tensor:
        """In percent, of those instances whose reference is known."""
        worse = reference - value if self.policy.environment.maximize else value - reference
        gaps = 100 * worse / reference.abs().clamp_min(1e-9)
        return gaps[reference.isfinite()]

    def _log(self, name: str, values: Tensor) -> None:
        """Logs a mean that counts as many as there are, perhaps none, so that all processes log the same names."""
        mean, shown = values.sum() / max(1, len(values)), name in ("val/gap", "val/gap_x8")
        self.log(name, mean, prog_bar=shown, batch_size=len(values), sync_dist=True, add_dataloader_idx=False)
