"""REINFORCE over multiple starts."""

from __future__ import annotations

import torch
from torch import Tensor

from co_gym.errors import InputError
from policies.decoding.choose import Sampling
from policies.learning.base import PolicyTraining
from policies.learning.baselines import Baseline, SharedBaseline
from policies.learning.batches import Batch
from policies.learning.guards import Guarded
from policies.learning.training import OptimizerFactory, SchedulerFactory
from policies.policy import ConstructivePolicy, Encoding, Rollout


class PolicyGradient(PolicyTraining):
    """What methods share that sample solutions and compare their rewards with a baseline.

    Args:
        policy: What is trained.
        optimizer: See `PolicyTraining`.
        scheduler: See `PolicyTraining`.
        baseline: What rewards are compared with; None: `SharedBaseline`.
        leader: Factor of the advantage of the best start of each instance, 1 or above (leader reward, Wang et al.
            2024): training for the best of several solutions.
        scale: Whether advantages are divided by their standard deviation within the batch.
        entropy: Weight of an entropy bonus.
        seed: See `PolicyTraining`.
        num_starts: See `PolicyTraining`.
        most_starts: See `PolicyTraining`.
        compile_encoder: See `PolicyTraining`.
    """

    def __init__(
        self,
        policy: ConstructivePolicy,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory | None = None,
        baseline: Baseline | None = None,
        leader: float = 1.0,
        scale: bool = False,
        entropy: float = 0.0,
        seed: int = 0,
        num_starts: int | None = None,
        most_starts: int = 100,
        compile_encoder: bool = False,
    ) -> None:
        super().__init__(policy, optimizer, scheduler, seed, num_starts, most_starts, compile_encoder)
        if leader < 1:
            raise InputError(f"leader is {leader}: expected at least 1")
        self.baseline = baseline or SharedBaseline()
        self.baseline.begin(policy)
        self.leader, self.scale, self.entropy = leader, scale, entropy
        self._choose = Sampling(seed=seed)

    def sampled(self, data: Batch, encoding: Encoding, index: int) -> tuple[Rollout, Tensor]:
        """Solutions from all starts of each instance, and their advantages [B, S]."""
        self._choose.reseed(*self.entropy_of(index))
        starts = self.starts(encoding, self.num_starts)
        choose = Guarded(self._choose, self.diverged)
        rollout = self.policy.rollout(encoding, choose, num_starts=starts, record=True)
        reward = rollout.reward.float()
        advantage = self._shaped(reward, reward - self.baseline(self.policy, data, reward))
        self.note("reward", reward.mean())
        self.note("best", reward.amax(-1).mean())
        return rollout, advantage

    def _shaped(self, reward: Tensor, advantage: Tensor) -> Tensor:
        if self.leader != 1.0:
            leads = reward == reward.amax(-1, keepdim=True)
            advantage = torch.where(leads, self.leader * advantage, advantage)
        return advantage / (advantage.std() + 1e-8) if self.scale else advantage

    def adopt(self) -> None:
        """Lets the baseline begin with the policy's weights."""
        self.baseline.adopt(self.policy)

    def on_train_epoch_end(self) -> None:
        """Lets the baseline catch up."""
        super().on_train_epoch_end()
        self.baseline.end_of_epoch(self.policy)


class Reinforce(PolicyGradient):
    """Policy gradient over sampled solutions (Williams 1992; POMO with the shared baseline, Kwon et al. 2020).

    Solutions are sampled without gradient; one pass over all their decisions then gives the gradient. For the
    arguments see `PolicyGradient`.
    """

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of one batch."""
        data = self.instances(batch)
        encoding = self.policy.encode(data)
        rollout, advantage = self.sampled(data, encoding, index)
        log_prob, entropy = self.policy.evaluate(encoding, rollout)
        loss = -(advantage * log_prob.sum(1)).mean() + self.baseline.loss(rollout.reward.float())
        if self.entropy:
            loss = loss - self.entropy * entropy.sum(1).mean()
        return self.check(loss)
