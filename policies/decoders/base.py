"""What a decoder is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from co_gym.errors import InputError
from policies.graph import Context, Features, Graph

Cache = Any
"""What a decoder keeps of a batch of instances; its own business."""
Memo = tuple[Tensor, ...]
"""What a decoder computed for a batch of decisions, [B, Q, ...] each; () for nothing."""


class Decoder(nn.Module, ABC):
    """From node embeddings and contexts to logits over the nodes.

    What depends on the instance alone is computed once, by `prepare`. The layers that depend on the number of
    features are made by `build`, which the policy calls once.
    """

    @abstractmethod
    def build(self, features: Features, width: int) -> None:
        """Makes the layers for these features and embeddings of this width."""

    @abstractmethod
    def prepare(self, embeddings: Tensor, graph: Graph) -> Cache:
        """What all decisions on these instances share, from embeddings [B, n, d]."""

    @abstractmethod
    def logits(self, cache: Cache, context: Context) -> Tensor:
        """Logits float32 [B, Q, n], -inf where not admissible; without gradient."""

    def remembered_logits(self, cache: Cache, context: Context) -> tuple[Tensor, Memo]:
        """`logits`, and what of their computation `evaluate` can use again."""
        return self.logits(cache, context), ()

    @abstractmethod
    def evaluate(self, cache: Cache, context: Context, action: Tensor, memo: Memo = ()) -> tuple[Tensor, Tensor]:
        """Log-probabilities of actions int64 [B, Q] and entropies in nats, [B, Q] each, with gradient.

        Args:
            cache: What the decisions share.
            context: The states.
            action: What was chosen.
            memo: What `remembered_logits` gave for these states and this very cache, if it was kept.
        """

    def adaptable(self, cache: Cache) -> Tensor:
        """The part [B, ...] of a cache that may be changed for each instance alone, to search by learning.

        Raises:
            InputError: If this decoder has no such part.
        """
        raise InputError(f"{type(self).__name__} cannot be adapted to single instances")

    def with_adapted(self, cache: Cache, adapted: Tensor) -> Cache:
        """The cache with this in place of its adaptable part; `evaluate` differentiates with respect to it."""
        raise InputError(f"{type(self).__name__} cannot be adapted to single instances")
