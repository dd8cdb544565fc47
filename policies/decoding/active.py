"""Search by learning on single instances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from policies.decoding.base import Candidates, Polish, Search
from policies.decoding.choose import Greedy, Sampling
from policies.decoding.states import require_above, require_at_least
from policies.policy import Choose, ConstructivePolicy, Encoding, Rollout


@dataclass(slots=True)
class _Incumbent:
    """The best episode of each instance so far.

    Attributes:
        reward: [B].
        start: int64 [B].
        actions: int64 [B, n]; those after the start, then 0.
    """

    reward: Tensor
    start: Tensor
    actions: Tensor

    def update(self, rollout: Rollout, start: Tensor) -> None:
        """Takes what is better among recorded episodes from starts int64 [B, S]."""
        reward, best = rollout.reward.max(1)
        better = (reward > self.reward).nonzero().squeeze(1)
        column = best[better]
        self.reward[better], self.start[better] = reward[better], start[better, column]
        self.actions[better] = 0
        for step, action in enumerate(rollout.actions):
            self.actions[better, step] = action[better, column]


class ActiveSearch(Search):
    """Efficient active search: learns a last layer for each instance while solving it (Hottung et al. 2022).

    Of all parameters only a copy of what the decoder declares adaptable is changed, for each instance on its own;
    the policy's weights stay as they are. Each iteration draws an episode from each start and follows the best
    solution so far once more; it then makes the draws better than their mean likelier (REINFORCE), and the best
    solution too. Advantages are in units of their standard deviation within an instance, so that the settings do
    not depend on the unit of the objective.

    Args:
        iterations: How often to draw and learn.
        num_starts: Starts, as in `MultiStart`; at least 2 episodes are needed.
        samples: Episodes drawn from each start.
        learning_rate: Of Adam.
        imitation: Weight of the best solution's log-probability (lambda).
        seed: Of the draws; each batch continues the stream.
        augmentations: See `Search`.
        polish: See `Search`.
        max_starts: See `Search`.
        batch_numbers: See `Search`; here a bound on the numbers of all decisions of the episodes.

    Raises:
        InputError: If an argument is out of range; when called, if the decoder declares nothing adaptable.
    """

    def __init__(
        self,
        iterations: int = 50,
        num_starts: int | None = None,
        samples: int = 1,
        learning_rate: float = 0.004,
        imitation: float = 0.1,
        seed: int = 0,
        augmentations: int = 1,
        polish: Polish | None = None,
        max_starts: int = 1000,
        batch_numbers: int = 1 << 24,
    ) -> None:
        super().__init__(num_starts, max_starts, augmentations, polish, batch_numbers)
        self.iterations = require_at_least(1, iterations=iterations)
        self.samples = require_at_least(1, samples=samples)
        self.learning_rate = require_above(0.0, learning_rate=learning_rate)
        self.imitation = imitation
        self.choose = Sampling(seed=seed)

    def starts(self, n: int) -> int:
        """See `Search`; where their number is free, no more than keep the decisions within the bound, but 2."""
        starts = super().starts(n)
        if self.num_starts is not None:
            return starts
        return max(min(starts, 2), min(starts, self.batch_numbers // (n * n * self.samples)))

    def at_once(self, n: int) -> int:
        """See `Search`; every decision of an episode is kept."""
        return n * (self.starts(n) * self.samples + 1)

    def episodes(self, policy: ConstructivePolicy, encoding: Encoding) -> Iterator[Candidates]:
        """See `Search`; first the greedy solutions."""
        batch, n = encoding.graph.nodes.shape[:2]
        begun, every = self.begin(policy, encoding)
        adapted = policy.decoder.adaptable(encoding.cache).detach().clone().requires_grad_()
        optimizer = torch.optim.Adam([adapted], self.learning_rate)
        rollout = policy.complete(encoding, begun.clone(), Greedy(), record=True)
        best = _Incumbent(
            rollout.reward.new_full((batch,), -torch.inf), every.new_zeros(batch), every.new_zeros(batch, n)
        )
        best.update(rollout, every)
        yield Candidates(rollout.state, every)
        if not rollout.actions:
            return  # nothing is left to decide
        every = every.repeat_interleave(self.samples, 1)
        for _ in range(self.iterations):
            own = replace(encoding, cache=policy.decoder.with_adapted(encoding.cache, adapted))
            start = torch.cat([every, best.start.unsqueeze(1)], 1)
            choose = _following(self.choose, best.actions.clone())
            rollout = policy.complete(own, begun.take_starts(start), choose, record=True)
            yield Candidates(rollout.state, start)
            self._learn(policy, own, rollout, optimizer)
            best.update(rollout, start)

    def _learn(
        self, policy: ConstructivePolicy, own: Encoding, rollout: Rollout, optimizer: torch.optim.Optimizer
    ) -> None:
        """One step of Adam; the loss is summed over the instances, so none depends on another."""
        reward = rollout.reward[:, :-1]
        spread = reward.std(1, keepdim=True, correction=0).clamp_min(1e-8)
        advantage = (reward - reward.mean(1, keepdim=True)) / spread
        with torch.enable_grad():
            log_prob = policy.evaluate(own, rollout)[0].sum(1)
            loss = -(advantage * log_prob[:, :-1]).mean(1) - self.imitation * log_prob[:, -1]
            optimizer.zero_grad()
            loss.sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _following(choose: Choose, actions: Tensor) -> Choose:
    """Chooses as `choose` does, but for the last episode of each instance these actions [B, T], step by step."""
    steps = iter(actions.unbind(1))

    def follow(logits: Tensor) -> Tensor:
        chosen = choose(logits)
        chosen[:, -1] = next(steps)
        return chosen

    return follow
