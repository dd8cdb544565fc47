"""Features brought to a common scale, by statistics that are fitted before the training."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LIMIT = 10.0
"""Largest absolute value of a standardized feature; what was constant in training cannot blow up."""
NOISE, RELATIVE_NOISE = 1e-8, 1e-6
"""Added to the variance among candidates, the latter times the squared mean: features that are equal but for
rounding stay near 0."""


class Standardize(nn.Module):
    """(x - mean) / deviation, limited to [-10, 10] (the prenorm of Gasse et al. 2019).

    Args:
        width: Number of features.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Standardized features [..., width]."""
        return ((x - self.mean) * self.scale).clamp(-LIMIT, LIMIT)

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Takes the statistics of features [N, width]; the scale of those that hardly vary is 1."""
        x = x.double()
        mean, deviation = x.mean(0), x.std(0, correction=0)
        constant = deviation <= 1e-3 * x.abs().amax(0).clamp_min(1e-6)
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(constant, 1.0, 1.0 / deviation))


def squash(x: Tensor) -> Tensor:
    """sign(x) log(1 + |x|): keeps the sign, and tames what spans orders of magnitude."""
    return x.sign() * x.abs().log1p()


def among(x: Tensor, counts: Tensor) -> Tensor:
    """Features [C, F] relative to mean and deviation among the candidates of the same sample, within [-10, 10].

    Args:
        x: Features of all samples' candidates, one sample behind the other.
        counts: int64 [B]; candidates of each sample.
    """
    owner = torch.repeat_interleave(torch.arange(len(counts), device=x.device), counts)
    size = counts.unsqueeze(1).to(x.dtype)
    empty = x.new_zeros(len(counts), x.shape[1])
    mean = empty.index_add(0, owner, x) / size
    centred = x - mean[owner]
    variance = empty.index_add(0, owner, centred.square()) / size
    noise = NOISE + RELATIVE_NOISE * mean.square()
    return (centred * (variance + noise).rsqrt()[owner]).clamp(-LIMIT, LIMIT)
