"""How far scores are from those of strong branching.

All take predictions and strong-branching scores as [B, k], a row for each sample, padded by `PADDING` in the
predictions and by -1 in the scores.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

PADDING = -1e9
"""Prediction for a candidate that is none; finite, so that 0 times its logarithm is 0."""


def targets(scores: Tensor, temperature: float, mixing: float) -> Tensor:
    """What is to be chosen, as probabilities [B, k].

    Args:
        scores: Strong-branching scores.
        temperature: Candidates count by exp(score / best score / temperature), > 0.
        mixing: Weight of this; the rest is shared among the best candidates.
    """
    best = scores.amax(1, keepdim=True)
    tied = (scores >= best).to(scores.dtype)
    relative = (scores / best.clamp_min(1e-30)).masked_fill(scores < 0, -torch.inf)
    soft = (relative / temperature).softmax(1)
    return (1.0 - mixing) * tied / tied.sum(1, keepdim=True) + mixing * soft


def cross_entropy(predicted: Tensor, scores: Tensor, temperature: float, mixing: float) -> Tensor:
    """Mean divergence of the predicted choice from the `targets`; 0 where they agree."""
    wanted = targets(scores, temperature, mixing)
    found = F.kl_div(predicted.log_softmax(1), wanted, reduction="none").sum(1)
    return found.mean()


def lambda_rank(predicted: Tensor, scores: Tensor) -> Tensor:
    """Logistic loss of wrongly ordered pairs, weighted by what their exchange changes in the NDCG (Burges 2010).

    The gain of a candidate is its score relative to the best.
    """
    real = scores >= 0
    gain = (scores / scores.amax(1, keepdim=True).clamp_min(1e-30)).clamp_min(0.0)
    place = predicted.argsort(1, descending=True).argsort(1)
    discount = 1.0 / torch.log2(place.to(gain.dtype) + 2.0)
    ideal = gain.sort(1, descending=True).values
    best = (ideal / torch.log2(torch.arange(2, 2 + gain.shape[1], device=gain.device))).sum(1).clamp_min(1e-9)
    better = gain.unsqueeze(2) - gain.unsqueeze(1)
    pairs = (better > 0) & real.unsqueeze(1) & real.unsqueeze(2)
    weight = better * (discount.unsqueeze(2) - discount.unsqueeze(1)).abs() / best.view(-1, 1, 1)
    loss = F.softplus(predicted.unsqueeze(1) - predicted.unsqueeze(2)) / math.log(2.0)
    return torch.where(pairs, weight * loss, 0.0).sum((1, 2)).mean()


def agreement(predicted: Tensor, scores: Tensor) -> dict[str, Tensor]:
    """How good the predictions of each sample are, [B] each.

    `acc1`, `acc5`, `acc10`: whether one of so many candidates predicted as best has the best score; `ratio`: the
    score of the first of them relative to the best score, 1 if all are 0.
    """
    best = scores.amax(1)
    order = predicted.topk(min(10, predicted.shape[1]), 1).indices
    right = scores.gather(1, order) >= best.unsqueeze(1)
    found = {f"acc{k}": right[:, :k].any(1).to(scores.dtype) for k in (1, 5, 10)}
    picked = scores.gather(1, order[:, :1]).squeeze(1)
    found["ratio"] = torch.where(best > 0, picked / best.clamp_min(1e-30), 1.0)
    return found
