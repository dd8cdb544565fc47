"""Episodes from many starts, several of each."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from policies.decoding.base import Candidates, Polish, Search
from policies.decoding.choose import Greedy
from policies.decoding.states import require_at_least
from policies.policy import Choose, ConstructivePolicy, Encoding


class MultiStart(Search):
    """Builds solutions from many first actions, and keeps the best (Kwon et al. 2020).

    Args:
        choose: How actions are chosen.
        num_starts: See `Search`.
        samples: Episodes from each start; more than 1 is of use only where actions are drawn.
        augmentations: See `Search`.
        polish: See `Search`.
        max_starts: See `Search`.
        batch_numbers: See `Search`; episodes beyond it are built after one another.
    """

    def __init__(
        self,
        choose: Choose | None = None,
        num_starts: int | None = None,
        samples: int = 1,
        augmentations: int = 1,
        polish: Polish | None = None,
        max_starts: int = 1000,
        batch_numbers: int = 1 << 24,
    ) -> None:
        super().__init__(num_starts, max_starts, augmentations, polish, batch_numbers)
        self.choose = Greedy() if choose is None else choose
        self.samples = require_at_least(1, samples=samples)

    def at_once(self, n: int) -> int:
        """See `Search`."""
        episodes = self.starts(n) * self.samples
        return min(episodes, max(1, self.batch_numbers // n))

    def episodes(self, policy: ConstructivePolicy, encoding: Encoding) -> Iterator[Candidates]:
        """See `Search`."""
        batch, n = encoding.graph.nodes.shape[:2]
        begun, starts = self.begin(policy, encoding)
        every = starts.repeat_interleave(self.samples, 1)
        # the work grows with n * n: on large instances fewer at a time, so that the deadline is looked at in time
        block = max(1, self.batch_numbers // (n * max(batch, n // 8)))
        for start in torch.split(every, block, 1):
            yield Candidates(policy.complete(encoding, begun.take_starts(start), self.choose).state, start)
