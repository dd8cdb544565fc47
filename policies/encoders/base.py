"""What an encoder is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from policies.graph import Features, Graph


class Encoder(nn.Module, ABC):
    """From a graph to an embedding of each node.

    The layers that depend on the number of features are made by `build`, which the policy calls once.

    Attributes:
        width: Length of an embedding.
    """

    width: int

    @abstractmethod
    def build(self, features: Features) -> None:
        """Makes the layers for these features."""

    @abstractmethod
    def forward(self, graph: Graph) -> Tensor:
        """Embeddings float32 [B, n, width]; those of nodes that pad an instance mean nothing."""
