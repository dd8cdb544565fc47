"""From compatibilities to log-probabilities."""

from __future__ import annotations

import torch
from torch import Tensor

from policies.kernels import pointer as kernels


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


def compiled_choice(logits: Tensor, action: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same as `chosen` on the CPU, without gradient, and the logarithms of the sums of exponentials [B, Q].

    Args:
        logits: float32 [B, Q, n], contiguous.
        action: int64 [B, Q], contiguous.
    """
    log_prob, entropy, log_sum = (torch.empty(action.shape) for _ in range(3))
    kernels.choices(logits.numpy(), action.numpy(), log_prob.numpy(), entropy.numpy(), log_sum.numpy())
    return log_prob, entropy, log_sum
