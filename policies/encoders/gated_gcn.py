"""The gated graph convolution over nearest neighbours."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from co_gym.errors import InputError
from policies.encoders.base import Encoder
from policies.encoders.edges import Neighbours, nearest
from policies.encoders.norms import Norm, norm
from policies.graph import Features, Graph


class GatedLayer(nn.Module):
    """One anisotropic convolution: each edge has an embedding, whose sigmoid says how much passes along it.

    Args:
        width: Length of a node's embedding, d.
        edge_width: Length of an edge's embedding, c; divides `width`. Channel i of a node passes gate i modulo c.
        normalization: See `policies.encoders.norms`.
    """

    def __init__(self, width: int, edge_width: int, normalization: Norm) -> None:
        super().__init__()
        self.sizes, self.share = (width, edge_width, edge_width, width), width // edge_width
        self.nodes = nn.Linear(width, sum(self.sizes))
        self.edges = nn.Linear(edge_width, edge_width, bias=False)
        self.node_norm = norm(normalization, width)
        self.edge_norm = norm(normalization, edge_width)

    def forward(self, x: Tensor, e: Tensor, near: Neighbours) -> tuple[Tensor, Tensor]:
        """Embeddings of nodes [B, n, d] and of edges [B, n, k, c] to the next ones."""
        own, here, there, value = self.nodes(x).split(self.sizes, -1)
        mixed = self.edges(e) + here.unsqueeze(2) + _gather(there, near.index)
        e = e + F.relu(self.edge_norm(mixed.flatten(1, 2)).view_as(e), inplace=True)
        gate = e.sigmoid()
        if near.valid is not None:
            gate = gate * near.valid.unsqueeze(-1)
        gate = gate / (gate.sum(2, keepdim=True) + 1e-6)
        values = _gather(value, near.index).view(*near.index.shape, self.share, e.shape[-1])  # [B, n, k, d / c, c]
        gathered = (gate.unsqueeze(-2) * values).sum(2).flatten(-2)
        return x + F.relu(self.node_norm(own + gathered)), e


def _gather(x: Tensor, index: Tensor) -> Tensor:
    """Rows [B, n, k, d] of embeddings [B, n, d]."""
    return x.flatten(0, 1).index_select(0, index.flatten()).view(*index.shape, x.shape[-1])


class GatedGCNEncoder(Encoder):
    """Gated graph convolutions over nearest neighbours (Bresson and Laurent 2018; for tours Joshi et al. 2019).

    Edges begin as their length, in units of the mean spacing of the nodes, and have embeddings of their own, which
    decide by channel how much of a neighbour is taken in, relative to the other neighbours. As each node has the
    same number of neighbours, nothing is scattered: an instance is a dense [n, k] table of edges.

    Args:
        width: Length of an embedding.
        layers: Number of layers.
        neighbours: k, neighbours of a node; n - 1 where there are fewer.
        edge_width: Length of an edge's embedding, divides `width`; 0: as long as a node's, as in the papers. Time
            and memory go mostly into edges.
        normalization: "layer" and "rms" are independent of other nodes and of padding; the papers have "batch".

    Raises:
        InputError: A number out of range; in `forward`, a graph without distances.
    """

    def __init__(
        self,
        width: int = 128,
        layers: int = 4,
        neighbours: int = 10,
        edge_width: int = 0,
        normalization: Norm = "layer",
    ) -> None:
        super().__init__()
        edge_width = edge_width or width
        if neighbours < 1:
            raise InputError(f"neighbours is {neighbours}: expected at least 1")
        if edge_width < 0 or width % edge_width:
            raise InputError(f"edge_width is {edge_width}: expected 0 or a divisor of the width, {width}")
        self.width, self.neighbours = width, neighbours
        self.embed_edge = nn.Linear(1, edge_width)
        self.layers = nn.ModuleList(GatedLayer(width, edge_width, normalization) for _ in range(layers))

    def build(self, features: Features) -> None:
        """See `Encoder`."""
        self.embed = nn.Linear(features.nodes, self.width)

    def forward(self, graph: Graph) -> Tensor:
        """See `Encoder`."""
        near = nearest(graph, self.neighbours)
        x = self.embed(graph.nodes)
        e = self.embed_edge(near.distances.unsqueeze(-1))
        for layer in self.layers:
            x, e = layer(x, e, near)
        return x
