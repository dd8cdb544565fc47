"""What all trainings of a constructive policy share: its starts and its validation."""

from __future__ import annotations

import torch
from torch import Tensor

from co_gym.envs.wrappers import SYMMETRIES, augment
from co_gym.errors import InputError
from policies.decoding.choose import Greedy
from policies.learning.batches import EXTRAS, Batch
from policies.learning.guards import Guarded
from policies.learning.training import OptimizerFactory, SchedulerFactory, Training
from policies.policy import ConstructivePolicy, Encoding, Rollout


class PolicyTraining(Training):
    """Base of the training methods of constructive policies.

    Validation is greedy from all starts: `val/gap` is the mean gap of the best start in percent (negative: better
    than the reference), `val/gap_x8` that over the eight symmetries as well, `val/gap_greedy` that of the first
    start; `val/objective` is the mean objective of the best start. Further test sets have their name at the end.

    Args:
        policy: What is trained.
        optimizer: See `Training`.
        scheduler: See `Training`.
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
        super().__init__(optimizer, scheduler, seed)
        if most_starts < 1 or (num_starts is not None and num_starts < 1):
            raise InputError(f"num_starts {num_starts}, most_starts {most_starts}: expected at least 1")
        self.policy = policy
        self.num_starts, self.most_starts = num_starts, most_starts
        self.compile_encoder = compile_encoder

    def starts(self, encoding: Encoding, wanted: int | None = None) -> int:
        """S for a batch."""
        return wanted or min(encoding.graph.nodes.shape[1], self.most_starts)

    def instances(self, batch: Batch) -> Batch:
        """A batch without what is not of the instances."""
        return {key: value for key, value in batch.items() if key not in EXTRAS}

    def on_fit_start(self) -> None:
        """Has the encoder compiled, if it is to be."""
        super().on_fit_start()
        if self.compile_encoder:
            self.policy.encoder.compile()

    def validation_step(self, batch: Batch, index: int, dataloader_idx: int = 0) -> None:
        """Logs the gaps of greedy decoding; see the class."""
        data = self.instances(batch)
        values = self._greedy(data)
        unknown = torch.full_like(values[:, 0], torch.nan)
        reference = batch["reference"].float() if "reference" in batch else unknown
        suffix = f"/{self.validation_name(dataloader_idx)}" if dataloader_idx else ""
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
