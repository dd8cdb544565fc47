"""What the reward of a sampled solution is compared with."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from co_gym.errors import InputError
from policies.graph import mean_embedding
from policies.learning.champion import Champion, greedy
from policies.policy import ConstructivePolicy


class Baseline(nn.Module, ABC):
    """From rewards [B, S] to what was to be expected of them."""

    @abstractmethod
    def forward(self, policy: ConstructivePolicy, batch: dict[str, Tensor], reward: Tensor) -> Tensor:
        """The baseline, broadcastable to the rewards [B, S]; without gradient."""

    def loss(self, reward: Tensor) -> Tensor:
        """What the baseline itself has to learn from the latest batch."""
        return reward.new_zeros(())

    def begin(self, policy: ConstructivePolicy) -> None:
        """Called once, when the training is made; makes what depends on the policy."""

    def adopt(self, policy: ConstructivePolicy) -> None:
        """Called when a training begins that is not resumed; the policy may have been given other weights."""

    def end_of_epoch(self, policy: ConstructivePolicy) -> None:
        """Called after each epoch."""


class SharedBaseline(Baseline):
    """The mean over the starts of the same instance (POMO, Kwon et al. 2020)."""

    def forward(self, policy: ConstructivePolicy, batch: dict[str, Tensor], reward: Tensor) -> Tensor:
        """See `Baseline`."""
        return reward.mean(1, keepdim=True)


class ExponentialBaseline(Baseline):
    """A moving average over batches (Kool et al. 2019, warm-up).

    Args:
        decay: Weight of the past, in [0, 1).
    """

    def __init__(self, decay: float = 0.8) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise InputError(f"decay is {decay}: expected a number in [0, 1)")
        self.decay = decay
        self.average: Tensor
        self.register_buffer("average", torch.tensor(torch.nan))

    def forward(self, policy: ConstructivePolicy, batch: dict[str, Tensor], reward: Tensor) -> Tensor:
        """See `Baseline`."""
        past = torch.where(self.average.isnan(), reward.mean(), self.average)
        self.average.copy_(self.decay * past + (1 - self.decay) * reward.mean())
        return self.average.clone()


class RolloutBaseline(Baseline):
    """Greedy solutions of the best policy so far (Kool et al. 2019), from the same starts.

    After each epoch the policy replaces the one kept if it does better on the latest batches, by a one-sided
    paired t-test.

    Args:
        significance: Level of the test.
        batches: How many of the latest batches are compared.
    """

    def __init__(self, significance: float = 0.05, batches: int = 10) -> None:
        super().__init__()
        self.significance, self.batches = significance, batches

    def begin(self, policy: ConstructivePolicy) -> None:
        """See `Baseline`."""
        self.champion = Champion(policy, self.significance, self.batches)

    def adopt(self, policy: ConstructivePolicy) -> None:
        """See `Baseline`."""
        self.champion.adopt(policy)

    def forward(self, policy: ConstructivePolicy, batch: dict[str, Tensor], reward: Tensor) -> Tensor:
        """See `Baseline`."""
        self.champion.observe(batch)
        return greedy(self.champion.kept, batch, reward.shape[1])

    def end_of_epoch(self, policy: ConstructivePolicy) -> None:
        """See `Baseline`."""
        self.champion.compete(policy)


class CriticBaseline(Baseline):
    """A learned estimate of the reward from the mean embedding of the nodes (Bello et al. 2017).

    Args:
        hidden: Hidden units.
        weight: Weight of the critic's loss.
    """

    def __init__(self, hidden: int = 128, weight: float = 1.0) -> None:
        super().__init__()
        self.hidden, self.weight = hidden, weight
        self._value: Tensor | None = None

    def begin(self, policy: ConstructivePolicy) -> None:
        """See `Baseline`."""
        width = policy.encoder.width
        self.network = nn.Sequential(nn.Linear(width, self.hidden), nn.ReLU(), nn.Linear(self.hidden, 1))

    def forward(self, policy: ConstructivePolicy, batch: dict[str, Tensor], reward: Tensor) -> Tensor:
        """See `Baseline`."""
        with torch.no_grad():
            graph = policy.task.graph(batch)
            mean = mean_embedding(policy.encoder(graph), graph)
        self._value = self.network(mean).float()
        return self._value.detach()

    def loss(self, reward: Tensor) -> Tensor:
        """Mean squared error of the latest estimates."""
        if self._value is None:
            raise RuntimeError("the critic has to estimate before it can learn")
        return self.weight * (self._value - reward).square().mean()
