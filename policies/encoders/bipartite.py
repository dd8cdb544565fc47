"""Messages between nodes and the constraints over them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from co_gym.errors import InputError
from policies.encoders.base import Encoder
from policies.encoders.norms import Norm, norm
from policies.graph import Features, Graph


class Passage(nn.Module):
    """Messages from one side to the other: x + MLP(x, mean of y, weighted mean of y), with x and y normalized.

    Both means are of order 1 whatever the numbers of nodes and of constraints.
    """

    def __init__(self, width: int, normalization: Norm) -> None:
        super().__init__()
        self.own, self.other = norm(normalization, width), norm(normalization, width)
        self.hidden, self.back = nn.Linear(3 * width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor, y: Tensor, plain: Tensor, weighted: Tensor) -> Tensor:
        """Embeddings [B, p, d] to the next ones, from [B, q, d]; the two matrices of the means, [B, p, q]."""
        y = self.other(y)
        parts = [self.own(x), torch.bmm(plain, y).expand_as(x), torch.bmm(weighted, y)]
        return x + self.back(F.relu(self.hidden(torch.cat(parts, -1)), inplace=True))


class BipartiteEncoder(Encoder):
    """Graph network between nodes and constraints (Gasse et al. 2019), residual, with dense weights.

    An item of a knapsack and a constraint are joined by the item's weight, in units of an even share of the
    capacity (1 / n): so what was learned at one size carries over to others. As the weights are dense, messages
    are batched matrix products. Constraints that no node uses bind nothing and are ignored, so that instances with
    fewer constraints are padded with zeros.

    Args:
        width: Length of an embedding.
        layers: Number of layers; each passes messages from nodes to constraints and back.
        normalization: "layer" and "rms" are independent of the other nodes and of padding.

    Raises:
        InputError: In `build` and `forward`, a task or graph without constraints.
    """

    def __init__(self, width: int = 128, layers: int = 3, normalization: Norm = "layer") -> None:
        super().__init__()
        self.width = width
        self.to_constraints = nn.ModuleList(Passage(width, normalization) for _ in range(layers))
        self.to_nodes = nn.ModuleList(Passage(width, normalization) for _ in range(layers))
        self.last = norm(normalization, width)

    def build(self, features: Features) -> None:
        """See `Encoder`."""
        if features.constraints < 1:
            raise InputError("bipartite encoder: the task has no constraints; expected features of them")
        self.embed = nn.Linear(features.nodes, self.width)
        self.embed_constraint = nn.Linear(features.constraints, self.width)

    def forward(self, graph: Graph) -> Tensor:
        """See `Encoder`."""
        down, down_weighted, up, up_weighted = averages(graph)
        x, c = self.embed(graph.nodes), self.embed_constraint(graph.constraints)
        for to_constraints, to_nodes in zip(self.to_constraints, self.to_nodes, strict=True):
            c = to_constraints(c, x, down, down_weighted)
            x = to_nodes(x, c, up, up_weighted)
        return self.last(x)


def averages(graph: Graph) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Matrices that take means over nodes ([B, 1, n]), weighted ([B, m, n]), over constraints and so weighted.

    The latter are [B, 1, m] and [B, n, m]. Padding has no share in any.
    """
    if graph.constraints is None or graph.weights is None:
        raise InputError("bipartite encoder: the graph has no constraints; expected constraints and weights")
    weights = graph.weights
    real = weights.new_ones(weights.shape[0], 1, weights.shape[2])
    if graph.mask is not None:
        real = graph.mask.unsqueeze(1).to(weights.dtype)
        weights = weights.masked_fill(~graph.mask.unsqueeze(1), 0.0)
    binding = (weights != 0).any(2).to(weights.dtype).unsqueeze(1)
    nodes, constraints = real.sum(2, keepdim=True), binding.sum(2, keepdim=True).clamp_min(1.0)
    return real / nodes, weights, binding / constraints, weights.transpose(1, 2) * (nodes / constraints)
