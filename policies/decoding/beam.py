"""Beam search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from policies.decoding.base import Candidates, Polish, Search
from policies.decoding.states import require_at_least
from policies.policy import ConstructivePolicy, Encoding


class BeamSearch(Search):
    """Keeps the most probable partial solutions, step by step; of those completed the one of best objective wins.

    Probabilities count from the policy's first decision on, so starts that are given compete as equals.

    Args:
        width: Partial solutions kept of each instance.
        num_starts: See `Search`; all of them are beams before the first choice among their children.
        augmentations: See `Search`.
        polish: See `Search`.
        max_starts: See `Search`.
        batch_numbers: See `Search`.
    """

    def __init__(
        self,
        width: int = 16,
        num_starts: int | None = None,
        augmentations: int = 1,
        polish: Polish | None = None,
        max_starts: int = 1000,
        batch_numbers: int = 1 << 24,
    ) -> None:
        super().__init__(num_starts, max_starts, augmentations, polish, batch_numbers)
        self.beams = require_at_least(1, width=width)

    def at_once(self, n: int) -> int:
        """See `Search`."""
        return max(self.beams, self.starts(n))

    def episodes(self, policy: ConstructivePolicy, encoding: Encoding) -> Iterator[Candidates]:
        """See `Search`; the most probable first."""
        environment: Any = policy.environment
        state, start = self.begin(policy, encoding)
        score = torch.zeros(start.shape, device=start.device)
        while not state.all_done:
            log_prob = policy.logits(encoding, state).log_softmax(-1)
            parent, action, score = best_children(score.unsqueeze(-1) + log_prob, self.beams)
            state, start = state.take_starts(parent), start.gather(1, parent)
            environment.step(state, action, check=False)
        yield Candidates(state, start)


def best_children(score: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The best of all children of all beams.

    An instance with fewer children than others repeats its best one with the score -inf, so that this has no
    children of its own.

    Args:
        score: [B, S, n]; of each beam's children by action, -inf: there is none.
        count: How many to take at most.

    Returns:
        Parents int64 [B, W], actions int64 [B, W] and scores [B, W], best first; W: the most children that any
        instance has, at most `count`.
    """
    n = score.shape[-1]
    flat = score.flatten(1)
    top, child = flat.topk(min(count, flat.shape[1]), dim=1)
    width = int((top > -torch.inf).sum(1).max())
    top, child = top[:, :width], child[:, :width]
    child = torch.where(top == -torch.inf, child[:, :1], child)
    return child // n, child % n, top
