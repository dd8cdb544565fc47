"""Edges of a batch of graphs: nearest neighbours in dense form, edge lists of one large graph."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from co_gym.errors import InputError
from policies.graph import Graph


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The k nearest other nodes of each node, k the same for all, so that nothing has to be scattered.

    Attributes:
        index: int64 [B, n, k]; rows of the batch's nodes as one list of B * n, so instance b begins at b * n.
        distances: float32 [B, n, k]; in units of the mean spacing of the nodes, 0 at edges that are none.
        valid: bool [B, n, k]; false at edges that are none (too few nodes, padding); None: all are edges.
    """

    index: Tensor
    distances: Tensor
    valid: Tensor | None


def nearest(graph: Graph, k: int) -> Neighbours:
    """The k nearest other nodes of each node, at most n - 1; with an adjacency, the nearest among the adjacent.

    Which of several nodes at exactly the k-th distance are taken is not specified.

    Args:
        graph: With distances.
        k: Neighbours of a node, at least 1.

    Raises:
        InputError: The graph has no distances.
    """
    if graph.distances is None:
        raise InputError("nearest neighbours: the graph has no distances; expected a task with a metric")
    batch, n = graph.nodes.shape[:2]
    barred = torch.eye(n, dtype=torch.bool, device=graph.nodes.device).expand(batch, n, n)
    if graph.adjacency is not None:
        barred = barred | ~graph.adjacency
    if graph.mask is not None:
        barred = barred | ~(graph.mask.unsqueeze(1) & graph.mask.unsqueeze(2))
    near, index = graph.distances.masked_fill(barred, torch.inf).topk(min(k, n - 1), largest=False)
    index = index + (torch.arange(batch, device=index.device) * n).view(-1, 1, 1)
    if graph.adjacency is None and graph.mask is None:
        return Neighbours(index, near * n**0.5, None)
    valid = near.isfinite()
    return Neighbours(index, near.masked_fill(~valid, 0.0) * counts(graph).view(-1, 1, 1).sqrt(), valid)


def counts(graph: Graph) -> Tensor:
    """Number of real nodes of each instance, float32 [B]."""
    batch, n = graph.nodes.shape[:2]
    if graph.mask is None:
        return graph.nodes.new_full((batch,), float(n), dtype=torch.float32)
    return graph.mask.sum(1).float()


def links(graph: Graph) -> Tensor:
    """The adjacency without edges to padding and to oneself, bool [B, n, n].

    Raises:
        InputError: The graph has no adjacency.
    """
    if graph.adjacency is None:
        raise InputError("message passing: the graph has no adjacency; expected a task whose nodes have edges")
    real = graph.adjacency & ~torch.eye(graph.nodes.shape[1], dtype=torch.bool, device=graph.nodes.device)
    if graph.mask is not None:
        real &= graph.mask.unsqueeze(1) & graph.mask.unsqueeze(2)
    return real


def edge_list(links: Tensor) -> Tensor:
    """Edges of B graphs as those of one large graph, instance b's nodes beginning at b * n.

    Args:
        links: bool [B, n, n].

    Returns:
        int64 [2, E], as torch-geometric takes it: first the sources, second the targets, ordered by targets.
    """
    n = links.shape[1]
    batch, target, source = links.nonzero().unbind(1)
    return torch.stack([batch * n + source, batch * n + target])


def neighbour_list(neighbours: Neighbours) -> Tensor:
    """The same for nearest neighbours, which are the sources: int64 [2, E]."""
    source = neighbours.index.flatten()
    rows = torch.arange(neighbours.index.shape[:2].numel(), device=source.device)
    target = rows.repeat_interleave(neighbours.index.shape[2])
    edges = torch.stack([source, target])
    return edges if neighbours.valid is None else edges[:, neighbours.valid.flatten()]
