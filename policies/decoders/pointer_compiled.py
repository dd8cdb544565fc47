"""The pointer's decisions on the CPU: compiled kernels around matrix products, block by block within the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from policies.decoders.choice import compiled_choice
from policies.kernels import pointer as kernels

BLOCK_NUMBERS = 1 << 18
"""Glimpse weights of a block, in numbers; with this many a block stays in a core's cache."""

Block = tuple[slice, slice]


def _blocks(batch: int, queries: int, numbers: int) -> Iterator[Block]:
    """Blocks of instances and queries; `numbers`: glimpse weights of one query."""
    fit = max(1, BLOCK_NUMBERS // max(1, numbers))
    step = min(queries, fit)
    instances = max(1, fit // max(1, queries)) if step == queries else 1
    for first in range(0, batch, instances):
        for start in range(0, queries, max(1, step)):
            yield slice(first, min(batch, first + instances)), slice(start, min(queries, start + step))


class _Decisions:
    """The arrays of one batch of decisions, and the steps on a block of them."""

    def __init__(
        self, cache: tuple[Tensor, ...], nodes: Tensor, scalars: Tensor, mask: Tensor, clip: float
    ) -> None:
        tables, powers, scalar_tables, self.values, self.keys, bias = (part.detach() for part in cache)
        self.tables, self.scalar_tables = tables.flatten(3).numpy(), scalar_tables.flatten(2).numpy()
        self.powers = powers.flatten(3).numpy()
        self.bias = bias.numpy()
        self.nodes, self.scalars = nodes.contiguous().numpy(), scalars.contiguous().numpy()
        self.mask, self.clip = mask.contiguous().numpy(), clip
        self.heads, self.n = self.values.shape[1], self.keys.shape[1]
        self.batch, self.queries = mask.shape[:2]

    def blocks(self) -> Iterator[Block]:
        return _blocks(self.batch, self.queries, self.heads * self.n)

    def weights(self, block: Block) -> Tensor:
        """Glimpse weights [c, H, q, n]."""
        b, q = block
        c = b.stop - b.start
        out = torch.empty(c, self.heads, q.stop - q.start, self.n)
        kernels.attention(
            self.tables[b],
            self.powers[b],
            self.scalar_tables[b],
            self.nodes[b, q],
            self.scalars[b, q],
            self.mask[b, q],
            out.numpy(),
        )
        return out

    def glimpse(self, block: Block, weights: Tensor) -> Tensor:
        """What the glimpse gathers, [c, q, d]."""
        return (weights @ self.values[block[0]]).transpose(1, 2).flatten(2)

    def logits(self, block: Block, glimpse: Tensor, out: Tensor) -> None:
        """Clipped logits to `out` [c, q, n]."""
        b, q = block
        torch.bmm(glimpse, self.keys[b].transpose(1, 2), out=out)
        kernels.logits(out.numpy(), self.bias[b], self.nodes[b, q], self.mask[b, q], self.clip, -np.inf)


def compiled_logits(*args: Any) -> tuple[Tensor, Tensor]:
    """Logits [B, Q, n], -inf where not admissible, and glimpses [B, Q, d].

    Arguments as of `CompiledPointer` without action and memo.
    """
    *cache, nodes, scalars, mask, clip = args
    decisions = _Decisions(tuple(cache), nodes, scalars, mask, clip)
    logit = torch.empty(mask.shape)
    glimpse = torch.empty(*mask.shape[:2], decisions.keys.shape[-1])
    for block in decisions.blocks():
        glimpse[block] = decisions.glimpse(block, decisions.weights(block))
        decisions.logits(block, glimpse[block], logit[block])
    return logit, glimpse


class CompiledPointer(torch.autograd.Function):
    """Log-probabilities of given actions and entropies, with gradients written out.

    The glimpse and the logits are kept for the way back, the glimpse's weights (H times as many) made again.
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> tuple[Tensor, Tensor]:
        """The parts of a `PointerCache`, nodes, scalars, mask, action [B, Q], memo (or ()) and clip."""
        *cache, nodes, scalars, mask, action, memo, clip = args
        logit, glimpse = memo or compiled_logits(*cache, nodes, scalars, mask, clip)
        action = action.contiguous()
        log_prob, entropy, log_sum = compiled_choice(logit, action)
        ctx.save_for_backward(*cache, nodes, scalars, mask, action, logit, glimpse, log_sum, entropy)
        ctx.clip = clip
        return log_prob, entropy

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the parts of the cache."""
        *cache, nodes, scalars, mask, action, logit, glimpse, log_sum, entropy = ctx.saved_tensors
        d_log_prob, d_entropy = (g.contiguous() for g in gradients)
        decisions = _Decisions(tuple(cache), nodes, scalars, mask, ctx.clip)
        tables, _, scalar_tables, values, keys, bias = (torch.zeros_like(part) for part in cache)
        for block in decisions.blocks():
            b, q = block
            d_u = torch.empty_like(logit[block])
            kernels.choices_backward(
                logit[block].numpy(),
                action[block].numpy(),
                log_sum[block].numpy(),
                entropy[block].numpy(),
                d_log_prob[block].numpy(),
                d_entropy[block].numpy(),
                ctx.clip,
                decisions.nodes[b, q],
                bias[b].numpy(),
                d_u.numpy(),
            )
            keys[b].baddbmm_(d_u.transpose(1, 2), glimpse[block])
            d_glimpse = d_u @ decisions.keys[b]
            d_glimpse = d_glimpse.view(*d_u.shape[:2], decisions.heads, -1).transpose(1, 2).contiguous()
            weights = decisions.weights(block)
            values[b] += weights.transpose(2, 3) @ d_glimpse
            d_weights = d_glimpse @ decisions.values[b].transpose(2, 3)
            kernels.attention_backward(
                weights.numpy(),
                d_weights.numpy(),
                decisions.nodes[b, q],
                decisions.scalars[b, q],
                tables[b].flatten(3).numpy(),
                scalar_tables[b].flatten(2).numpy(),
            )
        return tables, None, scalar_tables, values, keys, bias, None, None, None, None, None, None


compiled_choices: Callable[..., tuple[Tensor, Tensor]] = CompiledPointer.apply
"""Log-probabilities and entropies with gradient; arguments as of `CompiledPointer.forward`."""
