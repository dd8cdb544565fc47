"""From compatibilities to log-probabilities by plain operations, on any device."""

from __future__ import annotations

import torch
from torch import Tensor


def clipped(u: Tensor, mask: Tensor, clip: float) -> Tensor:
    """Logits clip * tanh(u), u itself for clip 0, and -inf where the mask [B, Q, n] is false."""
    return (clip * u.tanh() if clip else u).masked_fill(~mask, -torch.inf)


def chosen(logits: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities of actions [B, Q] and entropies in nats, from logits -inf where not admissible."""
    log_probs = logits.log_softmax(-1)
    impossible = log_probs.isneginf()
    finite = log_probs.masked_fill(impossible, 0.0)
    entropy = -(finite.exp() * finite).masked_fill(impossible, 0.0).sum(-1)
    return finite.gather(-1, action.unsqueeze(-1)).squeeze(-1), entropy
