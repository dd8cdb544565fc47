"""The linear relaxation of packing problems, for a batch at once."""

from __future__ import annotations

import torch
from torch import Tensor

ITERATIONS = 24
CENTRING = 0.1
"""Each iteration aims at this share of the complementarity before it."""
FLOOR = 1e-10
"""No product of a variable and its multiplier is to get below this, for the sake of rounding."""
STEP = 0.95
"""Share of the way to the boundary that an iteration goes at most."""


def relaxation(profits: Tensor, weights: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Solves max p x, W x <= 1, 0 <= x <= 1 by a primal-dual interior-point method (Wright 1997, chapter 5).

    The iterates stay strictly feasible, and a fixed number of iterations brings the gap below 1e-9 of the profits,
    1e-3 for a thousand items. Where solutions are many, they end in the middle of them, so that equal items get
    equal values.

    Args:
        profits: float64 [B, n], non-negative, of order 1.
        weights: float64 [B, m, n], non-negative, at most 1.
        mask: bool [B, n]; false for items that do not take part; their profits and weights are 0.

    Returns:
        The solution x [B, n] and the dual values [B, m] of the capacities.
    """
    real = mask.to(profits.dtype)
    count = 2 * real.sum(-1, keepdim=True) + weights.shape[1]
    x = (0.5 / weights.sum(-1).amax(-1, keepdim=True).clamp_min(1.0)).expand_as(profits)
    y = (profits.sum(-1, keepdim=True) / weights.sum((1, 2)).clamp_min(1e-9).unsqueeze(-1)).clamp(1e-3, 1e3)
    y = y.expand(weights.shape[:2])
    surplus = profits - _priced(weights, y)
    low, high = (-surplus).clamp_min(0.0) + 0.1, surplus.clamp_min(0.0) + 0.1
    for _ in range(ITERATIONS):
        slack, room = 1.0 - _used(weights, x), 1.0 - x
        products = torch.cat([real * (x * low + room * high), slack * y], -1)
        target = (CENTRING * products.sum(-1, keepdim=True) / count).clamp_min(FLOOR)
        curvature = 1.0 / (high / room + low / x)
        pull = target / room - high - target / x + low
        scaled = weights * curvature.unsqueeze(1)
        system = scaled @ weights.transpose(1, 2) + torch.diag_embed(slack / y)
        dy = torch.linalg.solve(system, target / y - slack - _used(scaled, pull))
        dx = -curvature * (_priced(weights, dy) + pull)
        d_low = (target - low * dx) / x - low
        d_high = (target + high * dx) / room - high
        d_slack = -_used(weights, dx)
        dx, d_low, d_high = dx * real, d_low * real, d_high * real
        ratios = [dx / x, -dx / room, d_low / low, d_high / high, dy / y, d_slack / slack]
        length = (STEP / (-torch.cat(ratios, -1)).amax(-1, keepdim=True).clamp_min(STEP)).clamp_max(1.0)
        x, y = x + length * dx, y + length * dy
        low, high = low + length * d_low, high + length * d_high
    return x * real, y


def _priced(weights: Tensor, prices: Tensor) -> Tensor:
    """[B, n]: the weights of each item at prices [B, m]."""
    return (prices.unsqueeze(1) @ weights).squeeze(1)


def _used(weights: Tensor, x: Tensor) -> Tensor:
    """[B, m]: how much x [B, n] weighs."""
    return (weights @ x.unsqueeze(-1)).squeeze(-1)
