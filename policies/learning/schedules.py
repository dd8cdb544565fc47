"""Schedules of the learning rate."""

from __future__ import annotations

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


class FlatThenCosine(LambdaLR):
    """Linear warm-up, constant, then a cosine down to a fraction of the peak.

    Args:
        optimizer: Whose learning rate is the peak.
        steps: Optimizer steps of the whole training.
        warmup: Steps of the warm-up.
        flat: Share of the steps before the decay begins.
        final: Last learning rate relative to the peak.
    """

    def __init__(
        self, optimizer: Optimizer, steps: int, warmup: int = 100, flat: float = 0.5, final: float = 0.02
    ) -> None:
        def factor(step: int) -> float:
            rise = min(1.0, (step + 1) / max(1, warmup))
            share = min(1.0, step / steps)
            fall = 0.0 if share < flat else (share - flat) / max(1e-9, 1 - flat)
            return rise * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * fall)))

        super().__init__(optimizer, factor)
