"""Beam search guided by simulations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from co_gym.envs import State
from policies.decoding.base import Candidates, Polish, Search
from policies.decoding.beam import best_children
from policies.decoding.choose import Greedy
from policies.decoding.states import require_at_least
from policies.policy import ConstructivePolicy, Encoding, Rollout


class SimulationGuidedBeamSearch(Search):
    """Keeps the partial solutions whose greedy completions are best (Choo et al. 2022).

    Each step expands every beam by its most probable actions, completes each child greedily and keeps the beams
    whose completions have the best rewards. Every completion is a candidate, so the result is at least as good as
    that of the greedy policy from the same starts.

    Args:
        width: Beams kept of each instance (beta).
        expansion: Children of each beam (gamma).
        num_starts: First actions of the beams, as in `MultiStart`: the best of these are the first beams.
        augmentations: See `Search`.
        polish: See `Search`.
        max_starts: See `Search`.
        batch_numbers: See `Search`.
    """

    def __init__(
        self,
        width: int = 4,
        expansion: int = 4,
        num_starts: int | None = None,
        augmentations: int = 1,
        polish: Polish | None = None,
        max_starts: int = 1000,
        batch_numbers: int = 1 << 24,
    ) -> None:
        super().__init__(num_starts, max_starts, augmentations, polish, batch_numbers)
        self.beams = require_at_least(1, width=width)
        self.expansion = require_at_least(1, expansion=expansion)

    def at_once(self, n: int) -> int:
        """See `Search`."""
        return max(self.beams * self.expansion, self.starts(n))

    def episodes(self, policy: ConstructivePolicy, encoding: Encoding) -> Iterator[Candidates]:
        """See `Search`."""
        state, start = self.begin(policy, encoding)
        alive = torch.ones_like(start, dtype=torch.bool)
        while True:
            done = policy.complete(encoding, state.clone(), Greedy())
            yield Candidates(done.state, start)
            state, start, alive = self._pruned(state, start, alive, done)
            if state.all_done:
                return
            state, start, alive = self._expanded(policy, encoding, state, start, alive)

    def _pruned(self, state: State, start: Tensor, alive: Tensor, done: Rollout) -> tuple[State, Tensor, Tensor]:
        """The beams whose completions are best."""
        value = done.reward.masked_fill(~alive, -torch.inf)
        kept = value.topk(min(self.beams, value.shape[1]), dim=1).indices
        return state.take_starts(kept), start.gather(1, kept), alive.gather(1, kept)

    def _expanded(
        self, policy: ConstructivePolicy, encoding: Encoding, state: State, start: Tensor, alive: Tensor
    ) -> tuple[State, Tensor, Tensor]:
        """The most probable children of each beam."""
        environment: Any = policy.environment
        logits = policy.logits(encoding, state)
        batch, beams, n = logits.shape
        _, action, score = best_children(logits.view(batch * beams, 1, n), self.expansion)
        action, score = action.reshape(batch, -1), score.reshape(batch, -1)
        parent = torch.arange(beams, device=action.device).repeat_interleave(action.shape[1] // beams)
        parent = parent.expand(batch, -1)
        state, start = state.take_starts(parent), start.gather(1, parent)
        environment.step(state, action, check=False)
        return state, start, alive.gather(1, parent) & (score > -torch.inf)
