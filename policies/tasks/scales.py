"""Numbers of order 1 from numbers in any units."""

from __future__ import annotations

import torch
from torch import Tensor

from policies.graph import Graph

TINY = 1e-12


def real_count(graph: Graph) -> Tensor:
    """Number of nodes that are not padding, float32 [B, 1] or [1, 1]."""
    if graph.mask is None:
        return graph.nodes.new_full((1, 1), graph.nodes.shape[1])
    return graph.mask.sum(-1, keepdim=True).float()


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean [..., 1] of values [..., n] where the mask [..., n] is true, 0 where it is nowhere."""
    return (values * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp_min(1)


def relative(values: Tensor, mask: Tensor) -> Tensor:
    """Non-negative values [..., n] over their mean where the mask is true."""
    return values / masked_mean(values, mask).clamp_min(TINY)


def log_ratio(values: Tensor, others: Tensor, bound: float = 3.0) -> Tensor:
    """Logarithm of the ratio of non-negative values of order 1, within +-bound."""
    return ((values + TINY).log() - (others + TINY).log()).clamp(-bound, bound)


def ranks(values: Tensor, mask: Tensor) -> Tensor:
    """Share of the values below each, ties counted half: [B, n] in [0, 1], among those where the mask is true."""
    ordered = values.masked_fill(~mask, torch.inf).sort(-1).values
    values = values.contiguous()
    below = torch.searchsorted(ordered, values)
    upto = torch.searchsorted(ordered, values, right=True)
    count = mask.sum(-1, keepdim=True).clamp_min(1)
    return (below + torch.minimum(upto, count)) / (2.0 * count) * mask
