"""How far predictions of one instance's binary variables are from its pool of good solutions.

All take logits [b], the pool's values bool [s, b] and its weights [s], which sum to 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

TEMPERATURE = 0.1
"""Of the contrast among variables."""
MARGIN, RANK = 0.9, 0.01
"""By how much a one is to be above a zero, and what this counts beside the contrast."""
EXCHANGED = 0.1
"""Share of the ones that a negative sample exchanges (Huang et al. 2024)."""


def cross_entropy(logits: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy of the variables taken one by one, their mean (Han et al. 2023)."""
    return F.binary_cross_entropy_with_logits(logits, shares(values, weights, logits.dtype))


def shares(values: Tensor, weights: Tensor, dtype: torch.dtype) -> Tensor:
    """[b]; weight of the solutions in which a variable is 1."""
    return (weights.to(dtype) @ values.to(dtype)).clamp(0.0, 1.0)


def contrastive(logits: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    """Ones against all variables of their solution, and the margin between ones and zeros (Pu et al. 2025)."""
    return contrast(logits, values, weights) + RANK * ranking(logits, values, weights)


def contrast(logits: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    """-log of the share that a solution's ones have in the softmax of all variables; 0 where there are none."""
    some = values.any(1)
    scaled = logits / TEMPERATURE
    ones = scaled.expand(int(some.sum()), -1).masked_fill(~values[some], -torch.inf).logsumexp(1)
    return (weights[some].to(logits.dtype) * (scaled.logsumexp(0) - ones)).sum()


def ranking(logits: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    """Mean of max(0, margin - (p_i - p_j)) over all pairs of a one i and a zero j; 0 where there are none.

    The zeros that a one is not above by the margin are a tail of their order, so that sums over tails replace the
    pairs. In float64, as the tails are differences.
    """
    p = logits.double().sigmoid()
    ordered, order = p.sort()
    zeros = (~values)[:, order].double()
    start = zeros.new_zeros(len(zeros), 1)
    sums = torch.cat([start, (zeros * ordered).cumsum(1)], 1)
    counts = torch.cat([start, zeros.cumsum(1)], 1)
    bound = p - MARGIN
    place = torch.searchsorted(ordered.detach(), bound.detach(), right=True)
    lacking = sums[:, -1:] - sums[:, place] - bound * (counts[:, -1:] - counts[:, place])
    pairs = values.sum(1) * (~values).sum(1)
    found = torch.where(values, lacking, 0.0).sum(1) / pairs.clamp_min(1)
    return (weights.double() * found).sum().to(logits.dtype)


def negatives(
    logits: Tensor,
    values: Tensor,
    weights: Tensor,
    count: int = 8,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """InfoNCE of the probabilities: like good solutions, unlike disturbed ones (ConPaS, Huang et al. 2024).

    Likeness is the inner product with a solution. As there, a negative sample disturbs a good solution at random
    in about a tenth. Here ones are exchanged for as many zeros: most variables of a solution are 0, and a negative
    with fewer ones would only ask for more of them.

    Args:
        logits: See above.
        values: See above.
        weights: See above.
        count: Negative samples for each solution.
        temperature: What likeness is divided by.
        generator: Of the disturbances; None: torch's own.
    """
    p = logits.sigmoid()
    false = disturbed(values.repeat(count, 1), generator).to(p.dtype)
    likeness, unlike = values.to(p.dtype) @ p / temperature, (false @ p / temperature).logsumexp(0)
    return (weights.to(p.dtype) * (torch.logaddexp(likeness, unlike) - likeness)).sum()


def disturbed(values: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Solutions [s, b] with `EXCHANGED` of the ones, at least one, exchanged for zeros."""
    key = torch.rand(values.shape, generator=generator, device=values.device)
    ones, zeros = values.sum(1, keepdim=True), (~values).sum(1, keepdim=True)
    size = (EXCHANGED * ones).round().clamp_min(1).minimum(ones).minimum(zeros)
    # ones have the first ranks, and zeros the last
    rank = torch.where(values, key, key + 2.0).argsort(1).argsort(1)
    exchanged = torch.where(values, rank < size, rank >= values.shape[1] - size)
    return values ^ exchanged


def agreement(logits: Tensor, values: Tensor, weights: Tensor) -> dict[str, float]:
    """How well the order of the variables fits the pool.

    `auc`: the chance that a one has a higher logit than a zero of the same solution, 0.5 without such pairs;
    `precision`: share of ones of the best solution among as many variables with the highest logits, 1 without any.
    """
    ordered = logits.sort().values
    first, last = (torch.searchsorted(ordered, logits, right=right).double() for right in (False, True))
    rank = (first + 1 + last) / 2
    ones, zeros = values.sum(1).double(), (~values).sum(1).double()
    above = values.double() @ rank - ones * (ones + 1) / 2
    real = (ones * zeros > 0) * weights.double()
    auc = (real * above / (ones * zeros).clamp_min(1)).sum() / real.sum() if real.any() else 0.5
    k = int(ones[0])
    chosen = logits.topk(k).indices
    return {"auc": float(auc), "precision": float(values[0, chosen].double().mean()) if k else 1.0}


def calibration_error(marginals: Tensor, wanted: Tensor, mass: Tensor, bins: int = 15) -> float:
    """Expected calibration error: what marginals [C] and shares [C] differ by, on average over equal intervals.

    Args:
        marginals: Predicted, 0 to 1.
        wanted: See `shares`.
        mass: [C]; what each counts.
        bins: Number of intervals.
    """
    place = (marginals * bins).long().clamp(0, bins - 1)
    difference = ((marginals - wanted) * mass).double()
    return float(difference.new_zeros(bins).index_add(0, place, difference).abs().sum() / mass.double().sum())
