"""Normalization of node embeddings [B, n, d]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

Norm = Literal["instance", "batch", "layer", "rms", "none"]


class InstanceNorm(nn.Module):
    """Each channel of each instance to zero mean and unit variance over its nodes (as in POMO)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """[B, n, d] to the same."""
        mean = x.mean(1, keepdim=True)  # var_mean over this axis is far slower than two means
        variance = (x - mean).square().mean(1, keepdim=True)
        scale = torch.rsqrt(variance + 1e-5) * self.weight
        return torch.addcmul(self.bias - mean * scale, x, scale)


class BatchNorm(nn.BatchNorm1d):
    """Each channel over all nodes of the batch (as in Kool et al. 2019)."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, n, d] to the same."""
        return super().forward(x.flatten(0, 1)).view_as(x)


_NORMS: dict[Norm, Callable[[int], nn.Module]] = {
    "instance": InstanceNorm,
    "batch": BatchNorm,
    "layer": nn.LayerNorm,
    "rms": nn.RMSNorm,
    "none": lambda width: nn.Identity(),
}


def norm(kind: Norm, width: int) -> nn.Module:
    """A normalization by name."""
    return _NORMS[kind](width)
