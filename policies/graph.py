"""What networks see of a batch of instances and of the states of its episodes."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(slots=True, kw_only=True)
class Graph:
    """A batch of instances as a network sees them.

    Attributes:
        nodes: float32 [B, n, f]; features of each node (city, item), of order 1.
        distances: float32 [B, n, n]; distance of each two nodes in units of order 1, None without a metric.
        adjacency: bool [B, n, n]; symmetric, None where any two nodes may be related.
        constraints: float32 [B, m, g]; features of each constraint, None without constraints over the nodes.
        weights: float32 [B, m, n]; use of each constraint by each node, relative to what there is of it.
        mask: bool [B, n]; false at nodes that pad an instance; None: all are real.
    """

    nodes: Tensor
    distances: Tensor | None = None
    adjacency: Tensor | None = None
    constraints: Tensor | None = None
    weights: Tensor | None = None
    mask: Tensor | None = None


@dataclass(slots=True, kw_only=True)
class Context:
    """What a decision depends on beside the instance: one query for each of Q states of each instance.

    Attributes:
        mask: bool [B, Q, n]; the admissible actions.
        nodes: int64 [B, Q, K]; nodes that matter now (first city, latest city); -1: none yet.
        scalars: float32 [B, Q, C]; numbers of order 1 (capacity left), None for C = 0.
        dynamic: float32 [B, Q, n, F]; features of the nodes that change on the way, None for F = 0.
    """

    mask: Tensor
    nodes: Tensor
    scalars: Tensor | None = None
    dynamic: Tensor | None = None

    def clone(self) -> Context:
        """A copy that later steps do not change."""
        parts = (self.scalars, self.dynamic)
        scalars, dynamic = (part if part is None else part.clone() for part in parts)
        return Context(mask=self.mask.clone(), nodes=self.nodes.clone(), scalars=scalars, dynamic=dynamic)


@dataclass(frozen=True, slots=True)
class Features:
    """How many features a task gives to a network.

    Attributes:
        nodes: f, features of a node.
        constraints: g, features of a constraint; 0 without.
        context_nodes: K, nodes in the context.
        scalars: C, numbers in the context.
        dynamic: F, features of a node that change on the way.
    """

    nodes: int
    constraints: int = 0
    context_nodes: int = 0
    scalars: int = 0
    dynamic: int = 0
    names: tuple[str, ...] = field(default=())


def spacings(graph: Graph) -> Tensor | None:
    """Distances [B, n, n] in units of the mean spacing of n points in the unit square; None without a metric."""
    if graph.distances is None:
        return None
    return graph.distances * graph.nodes.shape[1] ** 0.5


def mean_embedding(embeddings: Tensor, graph: Graph) -> Tensor:
    """Mean [B, d] of the embeddings [B, n, d] of the real nodes."""
    if graph.mask is None:
        return embeddings.mean(1)
    return (embeddings * graph.mask.unsqueeze(-1)).sum(1) / graph.mask.sum(1, keepdim=True)
