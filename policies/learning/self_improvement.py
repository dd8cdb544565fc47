"""Learning from the best of one's own solutions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from co_gym.errors import InputError
from policies.learning.batches import Batch
from policies.learning.champion import Champion
from policies.learning.guards import Guarded
from policies.learning.imitation import Imitating
from policies.learning.training import OptimizerFactory, SchedulerFactory
from policies.policy import ConstructivePolicy


class SelfImprovement(Imitating):
    """Samples solutions and imitates the best of each instance (Pirnay and Grimm 2024, Corsini et al. 2024).

    Solutions are drawn with replacement, by the best policy so far or by the current one. The best policy is
    replaced after an epoch if the current one does better on the latest batches, by a one-sided paired t-test.

    Args:
        policy: What is trained.
        optimizer: See `PolicyTraining`.
        scheduler: See `PolicyTraining`.
        samples: Solutions sampled of each instance, from its starts in turn.
        keep_best: Whether the best policy so far samples; else the current one.
        significance: Level of the test.
        random_order: See `Imitating`.
        augment: See `Imitating`.
        entropy: See `Imitating`.
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
        samples: int = 64,
        keep_best: bool = True,
        significance: float = 0.05,
        random_order: bool = False,
        augment: bool = True,
        entropy: float = 0.0,
        seed: int = 0,
        num_starts: int | None = None,
        most_starts: int = 100,
        compile_encoder: bool = False,
    ) -> None:
        super().__init__(
            policy,
            optimizer,
            scheduler,
            random_order=random_order,
            augment=augment,
            entropy=entropy,
            seed=seed,
            num_starts=num_starts,
            most_starts=most_starts,
            compile_encoder=compile_encoder,
        )
        if samples < 1:
            raise InputError(f"samples is {samples}: expected at least 1")
        self.samples = samples
        self.champion = Champion(policy, significance) if keep_best else None

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of one batch."""
        self._choose.reseed(*self.entropy_of(index))
        data = self.instances(batch)
        return self.imitated(data, self._best_sampled(data))

    @torch.no_grad()
    def _best_sampled(self, data: Batch) -> Tensor:
        """The best of the sampled solutions, int64 [B, n]."""
        actor = self.policy if self.champion is None else self.champion.kept
        if self.champion is not None:
            self.champion.observe(data)
        choose = Guarded(self._choose, self.diverged)
        rollout = actor.rollout(actor.encode(data), choose, num_starts=self.samples)
        reward = rollout.reward.float()
        self.note("reward", reward.mean())
        self.note("best", reward.amax(-1).mean())
        environment: Any = actor.environment
        solutions: Tensor = environment.solution(rollout.state)
        return solutions[torch.arange(len(reward), device=reward.device), reward.argmax(-1)]

    def adopt(self) -> None:
        """Lets the best policy begin with the policy's weights."""
        if self.champion is not None:
            self.champion.adopt(self.policy)

    def on_train_epoch_end(self) -> None:
        """Lets the policy compete with the best one."""
        super().on_train_epoch_end()
        if self.champion is not None:
            replaced = self.champion.compete(self.policy)
            self.log("train/replaced", float(replaced), sync_dist=True)
