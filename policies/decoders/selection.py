"""A small network for each node of each state, for choosing nodes one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from co_gym.errors import InputError
from policies.decoders.base import Decoder, Memo
from policies.decoders.choice import chosen, clipped, compiled_choice
from policies.graph import Context, Features, Graph
from policies.kernels import pointer as choice_kernels
from policies.kernels import selection as kernels


@dataclass(slots=True)
class SelectionCache:
    """What `SelectionDecoder` keeps of a batch; F dynamic features, C scalars, H hidden units.

    Attributes:
        coefficients: [B, 1 + F + C + 2 H, n]; of a constant, the features, the scalars, into and out of the units.
        hidden: [H, F + C]; what the units make of features and scalars, the same for all nodes.
    """

    coefficients: Tensor
    hidden: Tensor


class SelectionDecoder(Decoder):
    """Rates each node by its embedding, its dynamic features and the scalars of the state.

    The rating is an affine function of features and scalars plus a layer of hidden units that see both; all
    coefficients of a node, those into and out of the hidden units too, come from its embedding and are computed
    once for an instance, so a decision costs some hundred multiplications for each node. It is meant for tasks
    whose dynamic features tell what earlier choices mean for a node (in the spirit of the dynamic embeddings of
    Kool et al. 2019), and that have no nodes in their context.

    Args:
        hidden: Number of hidden units, 0 for none.
        clip: Logits are clip * tanh(rating / clip) (Bello et al. 2017); 0: no clipping.
        compiled: Whether compiled kernels may be used on the CPU.
    """

    def __init__(self, hidden: int = 16, clip: float = 10.0, compiled: bool = True) -> None:
        super().__init__()
        if hidden < 0 or clip < 0:
            raise InputError(f"hidden {hidden}, clip {clip}: expected at least 0")
        self.hidden, self.clip, self.compiled = hidden, clip, compiled

    def build(self, features: Features, width: int) -> None:
        """See `Decoder`.

        Raises:
            InputError: If there are nodes in the context, which this decoder would not see.
        """
        if features.context_nodes:
            raise InputError("SelectionDecoder is for tasks without nodes in their context: use PointerDecoder")
        seen = features.dynamic + features.scalars
        self.coefficients = nn.Linear(width + features.nodes, 1 + seen + 2 * self.hidden)
        self.units = nn.Parameter(torch.empty(self.hidden, seen).uniform_(-1.0, 1.0) / math.sqrt(max(seen, 1)))
        with torch.no_grad():
            self.coefficients.weight[1 + seen + self.hidden :] *= max(self.hidden, 1) ** -0.5

    def prepare(self, embeddings: Tensor, graph: Graph) -> SelectionCache:
        """See `Decoder`."""
        rows = self.coefficients(torch.cat([embeddings, graph.nodes.to(embeddings.dtype)], -1)).float()
        inner = rows.shape[-1] - self.hidden
        if self.clip:
            affine = rows.shape[-1] - 2 * self.hidden
            each = rows.new_ones(rows.shape[-1])
            each[:affine] = each[inner:] = 1.0 / self.clip
            rows = rows * each
        return SelectionCache(rows.transpose(1, 2).contiguous(), self.units)

    def logits(self, cache: SelectionCache, context: Context) -> Tensor:
        """See `Decoder`."""
        return self.remembered_logits(cache, context)[0]

    @torch.no_grad()
    def remembered_logits(self, cache: SelectionCache, context: Context) -> tuple[Tensor, Memo]:
        """See `Decoder`."""
        dynamic, scalars = _parts(context)
        if not (self.compiled and context.mask.is_cpu):
            return clipped(ratings(cache, dynamic, scalars), context.mask, self.clip), ()
        logits = _compiled(cache, dynamic, scalars, context.mask, self.clip)
        return logits, (logits,)

    def evaluate(
        self, cache: SelectionCache, context: Context, action: Tensor, memo: Memo = ()
    ) -> tuple[Tensor, Tensor]:
        """See `Decoder`."""
        dynamic, scalars = _parts(context)
        if not (self.compiled and context.mask.is_cpu):
            return chosen(clipped(ratings(cache, dynamic, scalars), context.mask, self.clip), action)
        found: tuple[Tensor, Tensor] = _compiled_choices(
            cache.coefficients, cache.hidden, dynamic, scalars, context.mask, action, memo, self.clip
        )
        return found

    def adaptable(self, cache: SelectionCache) -> Tensor:
        """All coefficients of the nodes, [B, 1 + F + C + 2 H, n]."""
        return cache.coefficients

    def with_adapted(self, cache: SelectionCache, adapted: Tensor) -> SelectionCache:
        """See `Decoder`."""
        return SelectionCache(adapted, cache.hidden)


def _parts(context: Context) -> tuple[Tensor, Tensor]:
    """Dynamic features [B, Q, n, F] and scalars [B, Q, C], empty where there are none."""
    mask, dynamic, scalars = context.mask, context.dynamic, context.scalars
    none = torch.zeros((), device=mask.device)
    dynamic = none.expand(*mask.shape, 0) if dynamic is None else dynamic.float()
    return dynamic, none.expand(*mask.shape[:2], 0) if scalars is None else scalars.float()


def ratings(cache: SelectionCache, dynamic: Tensor, scalars: Tensor) -> Tensor:
    """Ratings [B, Q, n] by plain operations, on any device, with gradient."""
    F, C, H = dynamic.shape[-1], scalars.shape[-1], len(cache.hidden)
    base, by_feature, by_scalar, into, out = torch.split(cache.coefficients, [1, F, C, H, H], 1)
    u = base + torch.einsum("bqnf,bfn->bqn", dynamic, by_feature) + scalars @ by_scalar
    shift = functional.linear(scalars, cache.hidden[:, F:]).unsqueeze(2)
    units = (functional.linear(dynamic, cache.hidden[:, :F]) + shift + into.transpose(1, 2).unsqueeze(1)).relu()
    return u + torch.einsum("bqnh,bhn->bqn", units, out)


def _compiled(cache: SelectionCache, dynamic: Tensor, scalars: Tensor, mask: Tensor, clip: float) -> Tensor:
    """Clipped logits [B, Q, n], -inf where not admissible."""
    out = torch.empty(mask.shape)
    tensors = (cache.coefficients, dynamic, scalars, cache.hidden)
    parts = (part.detach().contiguous().numpy() for part in tensors)
    kernels.compatibilities(*parts, out.numpy())
    nodes = torch.zeros((*mask.shape[:2], 1), dtype=torch.int64)
    no_bias = torch.empty(len(mask), 0, mask.shape[-1])
    choice_kernels.logits(out.numpy(), no_bias.numpy(), nodes.numpy(), mask.contiguous().numpy(), clip, -np.inf)
    return out


class _CompiledSelection(torch.autograd.Function):
    """Log-probabilities of given actions and entropies; the way back computes the hidden units again."""

    @staticmethod
    def forward(ctx: Any, *args: Any) -> tuple[Tensor, Tensor]:
        """Parts of a `SelectionCache`, dynamic features, scalars, mask, action [B, Q], memo (or ()), clip."""
        coefficients, hidden, dynamic, scalars, mask, action, memo, clip = args
        dynamic, scalars, action = dynamic.contiguous(), scalars.contiguous(), action.contiguous()
        (logit,) = memo or (_compiled(SelectionCache(coefficients, hidden), dynamic, scalars, mask, clip),)
        logit = logit.clamp_min(float(choice_kernels.FAR))
        log_prob, entropy, log_sum = compiled_choice(logit, action)
        ctx.save_for_backward(coefficients, hidden, dynamic, scalars, action, logit, log_sum, entropy)
        ctx.clip = clip
        return log_prob, entropy

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the parts of the cache."""
        coefficients, hidden, dynamic, scalars, action, logit, log_sum, entropy = ctx.saved_tensors
        nodes = torch.zeros((*action.shape, 1), dtype=torch.int64)
        d_u, no_bias = torch.empty_like(logit), logit.new_empty(len(logit), 0, logit.shape[-1])
        arrays = [part.numpy() for part in (logit, action, log_sum, entropy)]
        outer = [gradient.contiguous().numpy() for gradient in gradients]
        choice_kernels.choices_backward(*arrays, *outer, ctx.clip, nodes.numpy(), no_bias.numpy(), d_u.numpy())
        d_coefficients, d_hidden = torch.zeros_like(coefficients), torch.zeros_like(hidden)
        parts = (coefficients, dynamic, scalars, hidden, d_u, d_coefficients, d_hidden)
        kernels.compatibilities_backward(*(part.detach().contiguous().numpy() for part in parts))
        return d_coefficients, d_hidden, None, None, None, None, None, None


_compiled_choices: Any = _CompiledSelection.apply
