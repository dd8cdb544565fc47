"""Independent sets, node by node."""

from __future__ import annotations

import torch
from torch import Tensor

from co_gym.envs.mis import MISEnv, MISState
from co_gym.errors import InputError
from policies.graph import Context, Features, Graph
from policies.tasks.base import Data, Task
from policies.tasks.scales import log_ratio, masked_mean, ranks, real_count, relative

MOST_NODES = 4096
"""Graphs are taken as dense matrices up to this many nodes."""
NEAR = 1e-3
"""Share of the mean weight below which a node's weight counts as this."""


class MISTask(Task):
    """Nodes of a graph, with weights; a decision depends on what chosen nodes left of the graph.

    Degrees are taken relative to the mean or as logarithms. The loss of a choice is what the node's neighbours add
    to the bound sum w / (degree + 1) on the independence number (Caro 1979, Wei 1981), over the node's weight.
    """

    features = Features(nodes=8, scalars=3, dynamic=3)
    symmetric = False

    def environment(self) -> MISEnv:
        """See `Task`."""
        return MISEnv()

    def graph(self, data: Data) -> Graph:
        """See `Task`.

        Raises:
            InputError: If a graph given by neighbour lists has more than 4096 nodes.
        """
        adjacency = data["adjacency"] if "adjacency" in data else _dense(data)
        mask = data.get("node_mask")
        real = torch.ones(adjacency.shape[:2], dtype=torch.bool, device=adjacency.device) if mask is None else mask
        if mask is not None:
            adjacency = adjacency & mask.unsqueeze(1) & mask.unsqueeze(2)
        nodes = _nodes(adjacency.float(), data["weights"].float() * real, real)
        return Graph(nodes=nodes * real.unsqueeze(-1), adjacency=adjacency, mask=mask)

    def context(self, state: MISState, graph: Graph) -> Context:
        """See `Task`."""
        assert graph.adjacency is not None
        edges, free = graph.adjacency.float(), state.action_mask.float()
        weights = graph.nodes[:, None, :, WEIGHT].clamp_min(NEAR)
        degrees = free @ edges
        loss = ((free * weights) / (degrees + 1.0)) @ edges / weights
        mean = (degrees * free).sum(-1) / free.sum(-1)
        dynamic = torch.stack(
            [degrees / (mean.unsqueeze(-1) + 1.0), degrees.log1p() * 0.5, loss.clamp_max_(1e3).log1p_()], -1
        )
        real = real_count(graph)
        scalars = torch.stack([free.sum(-1) / real, mean.log1p() * 0.5, mean / real], -1)
        nodes = state.current.new_empty((*state.current.shape, 0))
        return Context(mask=state.action_mask, nodes=nodes, scalars=scalars, dynamic=dynamic)


WEIGHT = 0


def _nodes(edges: Tensor, weights: Tensor, real: Tensor) -> Tensor:
    """[B, n, 8] from adjacency float32 [B, n, n] and weights [B, n]."""
    weights = relative(weights, real).clamp_max(100.0)
    degrees = edges.sum(-1)
    around = (edges @ degrees.unsqueeze(-1)).squeeze(-1) / degrees.clamp_min(1.0)
    triangles = ((edges @ edges) * edges).sum(-1)
    heavy = weights.clamp_min(NEAR)
    loss = (edges @ (heavy / (degrees + 1.0)).unsqueeze(-1)).squeeze(-1) / heavy
    mean = masked_mean(degrees, real)
    columns = [
        weights,
        relative(degrees, real),
        log_ratio(degrees + 1.0, mean + 1.0),
        degrees.log1p() * 0.5,
        log_ratio(around + 1.0, degrees + 1.0),
        triangles / (degrees * (degrees - 1.0)).clamp_min(1.0),
        loss.clamp_max(1e3).log1p(),
        ranks(degrees, real),
    ]
    return torch.stack(columns, -1)


def _dense(data: Data) -> Tensor:
    """Adjacency bool [B, n, n] from neighbour lists."""
    indptr, indices = data["indptr"].long(), data["indices"].long()
    batch, n = data["weights"].shape
    if n > MOST_NODES:
        raise InputError(f"a graph has {n} nodes: policies take graphs of up to {MOST_NODES}")
    slots = torch.arange(indices.shape[1], device=indices.device).expand(batch, -1).contiguous()
    source = torch.searchsorted(indptr.contiguous(), slots, right=True) - 1
    instance, slot = (slots < indptr[:, -1:]).nonzero(as_tuple=True)
    adjacency = torch.zeros(batch, n, n, dtype=torch.bool, device=indices.device)
    adjacency[instance, source[instance, slot], indices[instance, slot]] = True
    return adjacency
