"""The pointer with a multi-head glimpse."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from co_gym.errors import InputError
from policies.decoders.base import Decoder, Memo
from policies.decoders.choice import chosen, clipped
from policies.decoders.pointer_compiled import compiled_choices, compiled_logits
from policies.graph import Context, Features, Graph, mean_embedding, spacings
from policies.kernels import pointer as kernels


@dataclass(slots=True)
class PointerCache:
    """What `PointerDecoder` keeps of a batch; K context nodes, C scalars, H heads.

    Attributes:
        tables: [B, K, n + 1, H, n]; share of each context node in the scores of the glimpse; row n: no such node.
        powers: The exponentials of the tables, for the compiled kernels; without gradient.
        scalar_tables: [B, C + 1, H, n]; the same for the scalars, the last for what is always there;
            [B, 0, H, n] without scalars.
        values: [B, H, n, d / H]; what the glimpse gathers.
        keys: [B, n, d]; with which the glimpse is compared.
        bias: [B, n + 1, n]; added to the compatibilities by latest context node, [B, 0, n] for none.
    """

    tables: Tensor
    powers: Tensor
    scalar_tables: Tensor
    values: Tensor
    keys: Tensor
    bias: Tensor

    def tensors(self) -> tuple[Tensor, ...]:
        """All of them."""
        return self.tables, self.powers, self.scalar_tables, self.values, self.keys, self.bias


class PointerDecoder(Decoder):
    """A glimpse by multi-head attention over the admissible nodes, then a pointer (Kool et al. 2019, POMO).

    The query of the glimpse is a sum over the context (first and latest city, scalars), so its scores are sums of
    rows of tables that are computed once for an instance; a decision multiplies nothing but the glimpse's weights
    with the cached values and keys. The projection of the glimpse and that of the pointer's keys, two linear maps
    in a row, are one.

    Args:
        heads: Heads of the glimpse.
        clip: Logits are clip * tanh(compatibility) (Bello et al. 2017); 0: no clipping.
        distance_bias: Whether distance from the latest node weakens glimpse and compatibility, by learned factors,
            in units of the mean spacing of the nodes; for graphs with distances.
        compiled: Whether compiled kernels may be used on the CPU.
    """

    def __init__(
        self, heads: int = 8, clip: float = 10.0, distance_bias: bool = False, compiled: bool = True
    ) -> None:
        super().__init__()
        self.heads, self.clip, self.distance_bias, self.compiled = heads, clip, distance_bias, compiled

    def build(self, features: Features, width: int) -> None:
        """See `Decoder`.

        Raises:
            InputError: If a decision depends on nothing, neither nodes nor scalars.
        """
        if not features.context_nodes and not features.scalars:
            raise InputError("PointerDecoder needs nodes or scalars in the context: use SelectionDecoder")
        self.features = features
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.pointer_key = nn.Linear(width, width, bias=False)
        count = features.context_nodes
        self.queries = nn.Linear(width, count * width, bias=False) if count else None
        self.absent = nn.Parameter(0.1 * torch.randn(features.context_nodes, width))
        self.scalar_queries = nn.Linear(features.scalars, width) if features.scalars else None
        self.graph_query = nn.Linear(width, width, bias=False) if features.scalars else None
        if self.distance_bias:
            self.glimpse_decay = nn.Parameter(torch.linspace(0.0, 1.0, self.heads))
            self.pointer_decay = nn.Parameter(torch.tensor(0.1 if self.clip else 1.0))

    def prepare(self, embeddings: Tensor, graph: Graph) -> PointerCache:
        """See `Decoder`."""
        batch, n, width = embeddings.shape
        size = width // self.heads
        keys, values = self.key_value(embeddings).view(batch, n, 2, self.heads, size).unbind(2)
        keys_by_head = keys.permute(0, 2, 3, 1) * size**-0.5  # [B, H, d / H, n]
        spacing = spacings(graph) if self.distance_bias else None
        tables = self._node_tables(embeddings, keys_by_head, spacing)
        scalar_tables = self._scalar_tables(embeddings, keys_by_head, graph)
        bias = embeddings.new_zeros(batch, 0, n)
        if spacing is not None:
            bias = torch.cat([spacing * -self.pointer_decay, spacing.new_zeros(batch, 1, n)], 1)
        tables = tables.float().contiguous()
        return PointerCache(
            tables,
            tables.detach().clamp_min(kernels.LEAST).exp_(),
            scalar_tables.float().contiguous(),
            values.transpose(1, 2).float().contiguous(),
            (self.pointer_key(embeddings) * width**-0.5).float(),
            bias,
        )

    def _node_tables(self, embeddings: Tensor, keys: Tensor, spacing: Tensor | None) -> Tensor:
        """[B, K, n + 1, H, n]; each row of a head shifted to at most 0, which its softmax does not see."""
        batch, n, width = embeddings.shape
        K = self.features.context_nodes
        if self.queries is None:
            return embeddings.new_zeros(batch, 0, n + 1, self.heads, n)
        queries = self.queries(embeddings).view(batch, n, K, width)
        queries = torch.cat([queries, self.absent.to(queries.dtype).expand(batch, 1, K, width)], 1)
        by_head = queries.view(batch, n + 1, K, self.heads, -1).permute(0, 3, 2, 1, 4).flatten(2, 3)
        tables = (by_head @ keys).view(batch, self.heads, K, n + 1, n).permute(0, 2, 3, 1, 4)
        if spacing is not None:
            near = spacing.unsqueeze(2) * -self.glimpse_decay.view(-1, 1)
            near = torch.cat([near, near.new_zeros(batch, 1, self.heads, n)], 1)
            tables = torch.cat([tables[:, :-1], (tables[:, -1] + near).unsqueeze(1)], 1)
        return tables - tables.detach().amax(-1, keepdim=True)

    def _scalar_tables(self, embeddings: Tensor, keys: Tensor, graph: Graph) -> Tensor:
        """[B, C + 1, H, n]: one query for each scalar, and one for the graph as a whole."""
        batch, n, width = embeddings.shape
        if self.scalar_queries is None or self.graph_query is None:
            return embeddings.new_zeros(batch, 0, self.heads, n)
        whole = self.graph_query(mean_embedding(embeddings, graph)) + self.scalar_queries.bias
        each = self.scalar_queries.weight.t().expand(batch, -1, -1)
        queries = torch.cat([each, whole.unsqueeze(1)], 1).view(batch, -1, self.heads, width // self.heads)
        return (queries.transpose(1, 2) @ keys).transpose(1, 2)

    def logits(self, cache: PointerCache, context: Context) -> Tensor:
        """See `Decoder`."""
        return self.remembered_logits(cache, context)[0]

    @torch.no_grad()
    def remembered_logits(self, cache: PointerCache, context: Context) -> tuple[Tensor, Memo]:
        """See `Decoder`."""
        nodes, scalars = self._queries(context)
        if self.compiled and context.mask.is_cpu:
            memo = compiled_logits(*cache.tensors(), nodes, scalars, context.mask, self.clip)
            return memo[0], memo
        return pointer_logits(cache, nodes, scalars, context.mask, self.clip), ()

    def evaluate(
        self, cache: PointerCache, context: Context, action: Tensor, memo: Memo = ()
    ) -> tuple[Tensor, Tensor]:
        """See `Decoder`."""
        nodes, scalars = self._queries(context)
        if self.compiled and context.mask.is_cpu:
            return compiled_choices(*cache.tensors(), nodes, scalars, context.mask, action, memo, self.clip)
        return chosen(pointer_logits(cache, nodes, scalars, context.mask, self.clip), action)

    def adaptable(self, cache: PointerCache) -> Tensor:
        """The keys [B, n, d] with which the glimpse is compared: the last layer."""
        return cache.keys

    def with_adapted(self, cache: PointerCache, adapted: Tensor) -> PointerCache:
        """See `Decoder`."""
        return replace(cache, keys=adapted)

    def _queries(self, context: Context) -> tuple[Tensor, Tensor]:
        """Context nodes and scalars, these with a 1 for what is always there."""
        if context.scalars is None:
            return context.nodes, context.mask.new_zeros((*context.mask.shape[:2], 0), dtype=torch.float32)
        return context.nodes, torch.nn.functional.pad(context.scalars.float(), (0, 1), value=1.0)


def pointer_logits(cache: PointerCache, nodes: Tensor, scalars: Tensor, mask: Tensor, clip: float) -> Tensor:
    """Logits [B, Q, n] by plain operations, on any device, with gradient."""
    batch, n = cache.keys.shape[:2]
    rows = nodes.remainder(n + 1)
    each = torch.arange(batch, device=nodes.device).unsqueeze(-1)
    scores = torch.einsum("bqc,bchn->bqhn", scalars, cache.scalar_tables)
    for k in range(nodes.shape[-1]):
        scores = scores + cache.tables[each, k, rows[..., k]]
    weights = scores.masked_fill(~mask.unsqueeze(2), -torch.inf).softmax(-1)
    glimpse = torch.einsum("bqhn,bhnd->bqhd", weights, cache.values).flatten(2)
    u = glimpse @ cache.keys.transpose(1, 2)
    if cache.bias.shape[1]:
        u = u + cache.bias[each, rows[..., -1]]
    return clipped(u, mask, clip)
