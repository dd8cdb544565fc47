"""Proximal policy optimization."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from co_gym.errors import InputError
from policies.graph import Context
from policies.learning.baselines import Baseline
from policies.learning.batches import Batch
from policies.learning.reinforce import PolicyGradient
from policies.learning.training import OptimizerFactory, SchedulerFactory
from policies.policy import ConstructivePolicy, Rollout


class PPO(PolicyGradient):
    """Several steps on the same sampled solutions, with the ratio of probabilities clipped (Schulman et al. 2017).

    The ratio is taken decision by decision; as rewards come at the end, all decisions of a solution share its
    advantage over the baseline. Minibatches are groups of starts, the instances being the same. The learning rate
    is scheduled by batches, not by optimizer steps. Gradients are clipped here (`Trainer.gradient_clip_val` cannot
    be used).

    Args:
        policy: What is trained.
        optimizer: See `PolicyTraining`.
        scheduler: See `PolicyTraining`.
        baseline: See `PolicyGradient`; one that learns does so once for each batch.
        clip: Most that a ratio may differ from 1 and still be rewarded, > 0.
        passes: How often the solutions of a batch are learned from.
        minibatches: Groups of starts in each pass.
        gradient_clip: Largest norm of the gradient; 0: not clipped.
        leader: See `PolicyGradient`.
        scale: See `PolicyGradient`.
        entropy: See `PolicyGradient`.
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
        clip: float = 0.2,
        passes: int = 2,
        minibatches: int = 2,
        gradient_clip: float = 1.0,
        leader: float = 1.0,
        scale: bool = True,
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
            baseline=baseline,
            leader=leader,
            scale=scale,
            entropy=entropy,
            seed=seed,
            num_starts=num_starts,
            most_starts=most_starts,
            compile_encoder=compile_encoder,
        )
        if not clip > 0 or passes < 1 or minibatches < 1 or gradient_clip < 0:
            raise InputError(
                f"clip {clip}, passes {passes}, minibatches {minibatches}, gradient_clip {gradient_clip}: "
                "expected clip > 0, at least 1 pass and minibatch, and gradient_clip >= 0"
            )
        self.clip, self.passes, self.minibatches, self.gradient_clip = clip, passes, minibatches, gradient_clip
        self.automatic_optimization = False

    def training_step(self, batch: Batch, index: int) -> None:
        """Several optimizer steps on one batch."""
        data = self.instances(batch)
        with torch.no_grad():
            encoding = self.policy.encode(data)
        rollout, advantage = self.sampled(data, encoding, index)
        with torch.no_grad():
            before, _ = self.policy.evaluate(encoding, rollout)
        own = self.baseline.loss(rollout.reward.float())
        for starts in self._groups(advantage, index):
            loss = self._loss(data, part(rollout, starts), before[..., starts], advantage[:, starts])
            self._step(self.check(loss + own))
            own = torch.zeros_like(own)
        if self._scheduler is not None:
            scheduler: Any = self.lr_schedulers()
            scheduler.step()

    def _groups(self, advantage: Tensor, index: int) -> list[Tensor]:
        """The starts of each minibatch of all passes, in random order."""
        rng = np.random.default_rng(self.entropy_of(index))
        count = advantage.shape[1]
        found: list[Tensor] = []
        for _ in range(self.passes):
            order = torch.from_numpy(rng.permutation(count)).to(advantage.device)
            found += order.tensor_split(min(self.minibatches, count))
        return found

    def _loss(self, data: Batch, rollout: Rollout, before: Tensor, advantage: Tensor) -> Tensor:
        log_prob, entropy = self.policy.evaluate(self.policy.encode(data), rollout)
        loss = clipped_loss(log_prob, before, advantage, self.clip)
        return loss - self.entropy * entropy.sum(1).mean() if self.entropy else loss

    def _step(self, loss: Tensor) -> None:
        optimizer: Any = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(loss)
        if self.gradient_clip:
            self.clip_gradients(optimizer, self.gradient_clip, "norm")
        optimizer.step()


def clipped_loss(log_prob: Tensor, before: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """The clipped surrogate, summed over decisions.

    Args:
        log_prob: [B, T, S]; log-probabilities with gradient.
        before: [B, T, S]; those by which the actions were drawn.
        advantage: [B, S].
        clip: Most that a ratio may differ from 1 and still be rewarded.
    """
    ratio = (log_prob - before).exp()
    gain = torch.minimum(ratio * advantage.unsqueeze(1), ratio.clamp(1 - clip, 1 + clip) * advantage.unsqueeze(1))
    return -gain.sum(1).mean()


def part(rollout: Rollout, starts: Tensor) -> Rollout:
    """Some starts int64 [s] of recorded episodes; the states are left as they are."""
    contexts = [_taken(context, starts) for context in rollout.contexts]
    return Rollout(rollout.state, rollout.reward[:, starts], contexts, [a[:, starts] for a in rollout.actions])


def _taken(context: Context, starts: Tensor) -> Context:
    scalars, dynamic = (x if x is None else x[:, starts] for x in (context.scalars, context.dynamic))
    return Context(mask=context.mask[:, starts], nodes=context.nodes[:, starts], scalars=scalars, dynamic=dynamic)
