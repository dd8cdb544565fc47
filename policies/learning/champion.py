"""The best policy so far, by comparison on the latest batches."""

from __future__ import annotations

import copy
import math
from collections import deque
from statistics import NormalDist

import torch
from torch import Tensor, nn

from co_gym.errors import InputError
from policies.decoding.choose import Greedy
from policies.learning.batches import Batch
from policies.policy import ConstructivePolicy


class Champion(nn.Module):
    """A copy of a policy that is replaced once the policy does better, by a one-sided paired t-test.

    Args:
        policy: What is copied.
        significance: Level of the test, in (0, 1).
        batches: How many of the latest batches are compared.
    """

    def __init__(self, policy: ConstructivePolicy, significance: float = 0.05, batches: int = 10) -> None:
        super().__init__()
        if not 0 < significance < 1 or batches < 1:
            raise InputError(
                f"significance {significance}, batches {batches}: expected 0 < significance < 1, batches >= 1"
            )
        self.significance = significance
        self._recent: deque[Batch] = deque(maxlen=batches)
        self.kept = copy.deepcopy(policy).requires_grad_(False)

    def adopt(self, policy: ConstructivePolicy) -> None:
        """Takes the weights of a policy, whatever they are worth."""
        self.kept.load_state_dict(policy.state_dict())

    def observe(self, batch: Batch) -> None:
        """Keeps a batch for the next comparison."""
        self._recent.append(batch)

    @torch.no_grad()
    def compete(self, policy: ConstructivePolicy) -> bool:
        """Lets the policy replace the copy if it is better; returns whether it did. The batches are forgotten."""
        gains = [greedy(policy, batch) - greedy(self.kept, batch) for batch in self._recent]
        self._recent.clear()
        if not gains:
            return False
        difference = torch.cat(gains).flatten().double()
        if difference.numel() < 2:
            return False
        spread, gained = difference.std().item(), difference.mean().item()
        test = gained / (spread / math.sqrt(difference.numel())) if spread > 0 else 0.0
        better = test > NormalDist().inv_cdf(1 - self.significance)
        if better:
            self.adopt(policy)
        return better


@torch.no_grad()
def greedy(policy: ConstructivePolicy, batch: Batch, starts: int = 1) -> Tensor:
    """Rewards float32 [B, S] of greedy solutions from the first S starts."""
    return policy.rollout(policy.encode(batch), Greedy(), num_starts=starts).reward.float()
