"""Message passing along the edges of a given graph."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import GATv2Conv

from co_gym.errors import InputError
from policies.encoders.base import Encoder
from policies.encoders.edges import edge_list, links
from policies.encoders.norms import Norm, norm
from policies.encoders.structure import structure
from policies.graph import Features, Graph

Aggregation = Literal["sum", "mean"]

Gather = Callable[[Tensor], Tensor]
"""From embeddings [B, n, d] to the sum or mean of the neighbours' embeddings; 0 without neighbours."""

SPARSE = 0.01
"""Below this share of linked pairs sums over an edge list are quicker than a matrix product (n = 100 to 1000)."""


def gather_dense(linked: Tensor) -> Gather:
    """Sums over neighbours as a batched matrix product, for linked bool [B, n, n]."""
    matrix = linked.float()
    return lambda x: torch.bmm(matrix.to(x.dtype), x)


def gather_sparse(linked: Tensor) -> Gather:
    """The same by an edge list."""
    source, target = edge_list(linked)

    def gather(x: Tensor) -> Tensor:
        flat = x.flatten(0, 1)
        return torch.zeros_like(flat).index_add(0, target, flat.index_select(0, source)).view_as(x)

    return gather


class _StructuredEncoder(Encoder):
    """What encoders on a given graph share: node features joined with structural ones, layers, a last norm."""

    def __init__(self, width: int, walk: int, normalization: Norm) -> None:
        super().__init__()
        self.width, self.walk = width, walk
        self.layers = nn.ModuleList()
        self.last = norm(normalization, width)

    def build(self, features: Features) -> None:
        """See `Encoder`."""
        self.embed = nn.Linear(features.nodes + 2 + max(self.walk - 1, 0), self.width)

    def forward(self, graph: Graph) -> Tensor:
        """See `Encoder`."""
        linked = links(graph)
        x = self.embed(torch.cat([graph.nodes, structure(linked, self.walk)], -1))
        edges = self.edges(linked)
        for layer in self.layers:
            x = layer(x, edges)
        return self.last(x)

    @abstractmethod
    def edges(self, linked: Tensor) -> object:
        """The edges as the layers take them, from bool [B, n, n]."""


class GINLayer(nn.Module):
    """x + MLP((1 + eps) y + sum of the neighbours' y), with y = norm(x)."""

    def __init__(self, width: int, normalization: Norm) -> None:
        super().__init__()
        self.eps = nn.Parameter(torch.zeros(()))
        self.before, self.between = norm(normalization, width), norm(normalization, 2 * width)
        self.hidden, self.back = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor, gather: Gather) -> Tensor:
        """Embeddings [B, n, d] to the next ones."""
        y = self.before(x)
        y = (1.0 + self.eps) * y + gather(y)
        return x + self.back(F.relu(self.between(self.hidden(y)), inplace=True))


class GINEncoder(_StructuredEncoder):
    """Graph isomorphism network (Xu et al. 2019) with residual connections, for graphs with an adjacency.

    Args:
        width: Length of an embedding.
        layers: Number of layers.
        aggregation: "sum" (the paper's; tells multisets apart) or "mean" (carries over to other densities).
        walk: Steps of random walks whose return probabilities are features; see `structure`. 0: degrees alone.
        normalization: "layer" and "rms" are independent of the other nodes and of padding.
    """

    def __init__(
        self,
        width: int = 128,
        layers: int = 4,
        aggregation: Aggregation = "sum",
        walk: int = 8,
        normalization: Norm = "layer",
    ) -> None:
        super().__init__(width, walk, normalization)
        self.aggregation: Aggregation = aggregation
        self.layers.extend(GINLayer(width, normalization) for _ in range(layers))

    def edges(self, linked: Tensor) -> Gather:
        """The edges as the layers take them, from bool [B, n, n]."""
        sparse = linked.sum() < SPARSE * linked.numel()
        total = gather_sparse(linked) if sparse else gather_dense(linked)
        if self.aggregation == "sum":
            return total
        share = linked.sum(2, keepdim=True).clamp_min(1).reciprocal()
        return lambda x: total(x) * share


class GATLayer(nn.Module):
    """Attention over the neighbours and oneself, then a feed-forward network, residual and normalized before."""

    def __init__(self, width: int, heads: int, normalization: Norm) -> None:
        super().__init__()
        self.norms = nn.ModuleList([norm(normalization, width), norm(normalization, width)])
        self.attend = GATv2Conv(width, width // heads, heads, add_self_loops=False)
        self.hidden, self.back = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Embeddings [B, n, d] to the next ones; `edges` int64 [2, E], with loops."""
        first, second = self.norms
        x = x + self.attend(first(x).flatten(0, 1), edges).view_as(x)
        return x + self.back(F.relu(self.hidden(second(x)), inplace=True))


class GATEncoder(_StructuredEncoder):
    """Graph attention whose ranking of the neighbours depends on the node (GATv2, Brody et al. 2022).

    Args:
        width: Length of an embedding.
        heads: Heads of the attention, divides `width`.
        layers: Number of layers.
        walk: Steps of random walks whose return probabilities are features; see `structure`. 0: degrees alone.
        normalization: "layer" and "rms" are independent of the other nodes and of padding.

    Raises:
        InputError: `heads` does not divide `width`; in `forward`, a graph without adjacency.
    """

    def __init__(
        self,
        width: int = 128,
        heads: int = 8,
        layers: int = 3,
        walk: int = 8,
        normalization: Norm = "layer",
    ) -> None:
        super().__init__(width, walk, normalization)
        if heads < 1 or width % heads:
            raise InputError(f"heads is {heads}: expected a divisor of the width, {width}")
        self.layers.extend(GATLayer(width, heads, normalization) for _ in range(layers))

    def edges(self, linked: Tensor) -> Tensor:
        """The edges as the layers take them, from bool [B, n, n]."""
        return edge_list(linked | torch.eye(linked.shape[1], dtype=torch.bool, device=linked.device))
