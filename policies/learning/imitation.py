"""Learning from solutions that are given."""

from __future__ import annotations

import torch
from torch import Tensor

from co_gym.envs.wrappers import SYMMETRIES
from co_gym.errors import InputError
from policies.decoding.augmentation import augmented
from policies.decoding.choose import Sampling
from policies.learning.base import PolicyTraining
from policies.learning.batches import Batch
from policies.learning.demonstrations import demonstrate
from policies.learning.guards import Guarded
from policies.learning.training import OptimizerFactory, SchedulerFactory
from policies.policy import ConstructivePolicy


class Imitating(PolicyTraining):
    """What methods share that imitate solutions.

    The loss is minus the log of the total probability of the actions that may still lead to the solution, so that
    neither the order of a subset nor the direction or beginning of a tour is prescribed; see
    `policies.learning.demonstrations`.

    Args:
        policy: What is trained.
        optimizer: See `PolicyTraining`.
        scheduler: See `PolicyTraining`.
        random_order: Whether the order is drawn uniformly; else as the policy prefers.
        augment: Whether instances whose task has symmetries are turned at random.
        entropy: Weight of an entropy bonus.
        seed: See `PolicyTraining`.
        num_starts: Episodes that lead to each solution; None: see `PolicyTraining`.
        most_starts: See `PolicyTraining`.
        compile_encoder: See `PolicyTraining`.
    """

    def __init__(
        self,
        policy: ConstructivePolicy,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None = None,
        random_order: bool = False,
        augment: bool = True,
        entropy: float = 0.0,
        seed: int = 0,
        num_starts: int | None = None,
        most_starts: int = 100,
        compile_encoder: bool = False,
    ) -> None:
        super().__init__(policy, optimizer, scheduler, seed, num_starts, most_starts, compile_encoder)
        self.random_order, self.augment, self.entropy = random_order, augment, entropy
        self._choose = Sampling(seed=seed)

    def imitated(self, data: Batch, solution: Tensor) -> Tensor:
        """The loss for solutions int64 [B, n] of a batch of instances."""
        if self.augment and self.policy.task.symmetric and "coordinates" in data:
            data = self._turned(data)
        encoding = self.policy.encode(data)
        starts = self.starts(encoding, self.num_starts)
        choose = Guarded(self._choose, self.diverged)
        shown = demonstrate(self.policy, encoding, solution, choose, starts, uniform=self.random_order)
        log_prob, entropy = self.policy.evaluate(encoding, shown.rollout)
        loss = -shown.mean(log_prob)
        if self.entropy:
            loss = loss - self.entropy * shown.mean(entropy)
        self.note("loss", -shown.mean(shown.log_prob))
        self.note("imitated", shown.rollout.reward[:, 0].float().mean())
        return self.check(loss)

    def _turned(self, data: Batch) -> Batch:
        logits = torch.zeros(len(data["coordinates"]), SYMMETRIES, device=data["coordinates"].device)
        return augmented(data, self._choose(logits))


class Imitation(Imitating):
    """Imitates the solutions that come with the instances, such as optima (Vinyals et al. 2015, in spirit).

    The data module has to provide solutions: `SolvedData`, or `GeneratedData` or `FileData` with `labels`. For the
    arguments see `Imitating`.
    """

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of one batch.

        Raises:
            InputError: If the batch has no solutions.
        """
        if "solution" not in batch:
            raise InputError("imitation needs solutions: expected SolvedData, or a data module with labels")
        self._choose.reseed(*self.entropy_of(index))
        return self.imitated(self.instances(batch), batch["solution"])
