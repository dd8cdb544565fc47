"""Probabilities that are all computed before the first decision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from co_gym.errors import InputError
from policies.decoders.base import Decoder, Memo
from policies.decoders.choice import chosen, clipped, compiled_choice
from policies.graph import Context, Features, Graph, spacings
from policies.kernels import pointer as kernels


@dataclass(slots=True)
class HeatCache:
    """What `HeatmapDecoder` keeps of a batch.

    Attributes:
        heat: [B, n + 1, n]; logits of the next node by latest node, the last row where there is none yet;
            [B, 1, n] without nodes in the context.
    """

    heat: Tensor


class HeatmapDecoder(Decoder):
    """Non-autoregressive: decisions read a table of logits (Joshi et al. 2019).

    With nodes in the context there is a logit for each pair of latest and next node, the sum of a bilinear form of
    their embeddings and of hidden units that see both and the distance; without, one logit for each node.

    Args:
        hidden: Hidden units of the pairs, 0 for the bilinear form alone.
        clip: Logits are clip * tanh(heat / clip) (Bello et al. 2017); 0: no clipping.
        distance_bias: Whether distance lowers a logit, by a learned factor, in units of the mean spacing of the
            nodes; for graphs with distances.
        compiled: Whether compiled kernels may be used on the CPU.
    """

    def __init__(
        self, hidden: int = 0, clip: float = 10.0, distance_bias: bool = False, compiled: bool = True
    ) -> None:
        super().__init__()
        if hidden < 0 or clip < 0:
            raise InputError(f"hidden {hidden}, clip {clip}: expected at least 0")
        self.hidden, self.clip, self.distance_bias, self.compiled = hidden, clip, distance_bias, compiled

    def build(self, features: Features, width: int) -> None:
        """See `Decoder`."""
        self.pairs = features.context_nodes > 0
        self.single = nn.Linear(width, 1)
        if self.pairs:
            self.source, self.target = (nn.Linear(width, width, bias=False) for _ in range(2))
            self.units = nn.Linear(width, 2 * self.hidden)
            self.by_distance = nn.Parameter(torch.zeros(self.hidden))
            self.output = nn.Parameter(torch.randn(self.hidden) / math.sqrt(max(1, self.hidden)))
            self.decay = nn.Parameter(torch.tensor(1.0)) if self.distance_bias else None

    def prepare(self, embeddings: Tensor, graph: Graph) -> HeatCache:
        """See `Decoder`."""
        heat = self.single(embeddings).transpose(1, 2)
        if self.pairs:
            heat = torch.cat([self._pairs(embeddings, graph), heat], 1)
        heat = heat.float()
        return HeatCache(self.clip * (heat / self.clip).tanh() if self.clip else heat)

    def _pairs(self, embeddings: Tensor, graph: Graph) -> Tensor:
        """[B, n, n], by latest and next node."""
        width = embeddings.shape[-1]
        heat = self.source(embeddings) @ self.target(embeddings).transpose(1, 2) * width**-0.5
        spacing = spacings(graph) if self.distance_bias or self.hidden else None
        if self.hidden:
            latest, following = self.units(embeddings).chunk(2, -1)
            units = latest.unsqueeze(2) + following.unsqueeze(1)
            if spacing is not None:
                units = units + spacing.unsqueeze(-1) * self.by_distance
            heat = heat + units.relu() @ self.output
        if self.decay is not None and spacing is not None:
            heat = heat - self.decay * spacing
        return heat

    def heat(self, cache: HeatCache) -> Tensor:
        """Logits with gradient: [B, n, n] of the next node by latest node, or [B, n] without pairs."""
        return cache.heat[:, :-1] if self.pairs else cache.heat[:, 0]

    def logits(self, cache: HeatCache, context: Context) -> Tensor:
        """See `Decoder`."""
        with torch.no_grad():
            if self.compiled and context.mask.is_cpu:
                return _compiled(cache.heat, self._latest(context), context.mask, -torch.inf)
            return clipped(self._gathered(cache, context), context.mask, 0.0)

    def evaluate(
        self, cache: HeatCache, context: Context, action: Tensor, memo: Memo = ()
    ) -> tuple[Tensor, Tensor]:
        """See `Decoder`."""
        if self.compiled and context.mask.is_cpu:
            found: tuple[Tensor, Tensor] = _compiled_choices(
                cache.heat, self._latest(context), context.mask, action
            )
            return found
        return chosen(clipped(self._gathered(cache, context), context.mask, 0.0), action)

    def adaptable(self, cache: HeatCache) -> Tensor:
        """The heat."""
        return cache.heat

    def with_adapted(self, cache: HeatCache, adapted: Tensor) -> HeatCache:
        """See `Decoder`."""
        return HeatCache(adapted)

    def _latest(self, context: Context) -> Tensor:
        """Row of the heat for each query, int64 [B, Q, 1]; -1 is the last."""
        if self.pairs:
            return context.nodes[..., -1:]
        return torch.zeros((*context.mask.shape[:2], 1), dtype=torch.int64, device=context.mask.device)

    def _gathered(self, cache: HeatCache, context: Context) -> Tensor:
        rows = self._latest(context).remainder(cache.heat.shape[1])
        return cache.heat.gather(1, rows.expand(-1, -1, cache.heat.shape[2]))


def _compiled(heat: Tensor, latest: Tensor, mask: Tensor, masked: float) -> Tensor:
    """Rows of the heat [B, Q, n], `masked` where not admissible."""
    out = torch.zeros(mask.shape)
    arrays = (part.detach().contiguous().numpy() for part in (heat, latest, mask))
    kernels.logits(out.numpy(), *arrays, 0.0, masked)
    return out


class _CompiledHeat(torch.autograd.Function):
    """Log-probabilities of given actions and entropies."""

    @staticmethod
    def forward(ctx: Any, *args: Any) -> tuple[Tensor, Tensor]:
        """Heat, rows [B, Q, 1], mask and action [B, Q]."""
        heat, latest, mask, action = args
        latest, action = latest.contiguous(), action.contiguous()
        logit = _compiled(heat, latest, mask, float(kernels.FAR))
        log_prob, entropy, log_sum = compiled_choice(logit, action)
        ctx.save_for_backward(heat, latest, action, logit, log_sum, entropy)
        return log_prob, entropy

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradient of the heat."""
        heat, latest, action, logit, log_sum, entropy = ctx.saved_tensors
        d_heat, d_logit = torch.zeros_like(heat, memory_format=torch.contiguous_format), torch.empty_like(logit)
        arrays = [part.numpy() for part in (logit, action, log_sum, entropy)]
        outer = [gradient.contiguous().numpy() for gradient in gradients]
        kernels.choices_backward(*arrays, *outer, 0.0, latest.numpy(), d_heat.numpy(), d_logit.numpy())
        return d_heat, None, None, None


_compiled_choices: Any = _CompiledHeat.apply
