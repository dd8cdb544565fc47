"""The transformer over all nodes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from policies.encoders.base import Encoder
from policies.encoders.norms import Norm, norm
from policies.graph import Features, Graph, spacings


class AttentionLayer(nn.Module):
    """Multi-head attention and a feed-forward network, each with a residual connection and a normalization.

    Args:
        width: Length of an embedding.
        heads: Heads of the attention; divides `width`.
        feedforward: Hidden units of the feed-forward network.
        normalization: See `policies.encoders.norms`.
        pre_norm: Whether to normalize what enters a sublayer instead of what leaves it.
        biased: Whether distances weaken attention, by a learned factor for each head.
    """

    def __init__(
        self, width: int, heads: int, feedforward: int, normalization: Norm, *, pre_norm: bool, biased: bool
    ) -> None:
        super().__init__()
        self.heads, self.pre_norm = heads, pre_norm
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width)
        self.hidden = nn.Linear(width, feedforward)
        self.back = nn.Linear(feedforward, width)
        self.norms = nn.ModuleList([norm(normalization, width), norm(normalization, width)])
        self.decay = nn.Parameter(torch.linspace(0.0, 1.0, heads)) if biased else None

    def forward(self, x: Tensor, mask: Tensor | None, distances: Tensor | None) -> Tensor:
        """Embeddings [B, n, d] to the next ones; `mask` additive [B, 1, 1, n], `distances` [B, n, n]."""
        for part, normalize in zip((self._mix, self._feed), self.norms, strict=True):
            y = part(normalize(x) if self.pre_norm else x, mask, distances)
            x = x + y if self.pre_norm else normalize(x + y)
        return x

    def _mix(self, x: Tensor, mask: Tensor | None, distances: Tensor | None) -> Tensor:
        batch, n, width = x.shape
        q, k, v = self.qkv(x).view(batch, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if self.decay is not None and distances is not None:
            bias = distances.unsqueeze(1) * -self.decay.view(-1, 1, 1)
            mixed = _attend(q, k, v, bias if mask is None else bias + mask)
        elif n < SMALL and mask is None:
            mixed = _attend(q, k, v, None)
        else:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(mixed.transpose(1, 2).reshape(batch, n, width))

    def _feed(self, x: Tensor, mask: Tensor | None, distances: Tensor | None) -> Tensor:
        return self.back(F.relu(self.hidden(x), inplace=True))


SMALL = 48
"""Below this many nodes plain matrix products are quicker than the fused attention."""


def _attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    """Attention by plain products; `bias` [B, H, n, n] is added to the scores and may need a gradient."""
    batch, heads, n, size = q.shape
    q, k, v = (x.reshape(batch * heads, n, size) for x in (q, k, v))
    if bias is None:
        scores = torch.bmm(q * size**-0.5, k.transpose(1, 2))
    else:
        bias = bias.expand(batch, heads, n, n).reshape(batch * heads, n, n)
        scores = torch.baddbmm(bias, q, k.transpose(1, 2), alpha=size**-0.5)
    return torch.bmm(scores.softmax(-1), v).view(batch, heads, n, size)


class AttentionEncoder(Encoder):
    """Transformer without positions (Kool et al. 2019; POMO, Kwon et al. 2020).

    With `distance_bias` attention is also weakened by distance, in units of the mean spacing of n cities, by a
    learned factor for each head and layer; so what was learned at one size carries over to others (in the spirit
    of ICAM, Zhou et al. 2024).

    Args:
        width: Length of an embedding.
        heads: Heads of the attention.
        layers: Number of layers.
        feedforward: Hidden units of the feed-forward networks.
        normalization: "instance" (POMO), "batch" (Kool et al.), "layer", "rms" or "none".
        pre_norm: Whether to normalize before each sublayer; then also once at the end.
        distance_bias: Whether distances enter the attention; for graphs that have them.
    """

    def __init__(
        self,
        width: int = 128,
        heads: int = 8,
        layers: int = 6,
        feedforward: int = 512,
        normalization: Norm = "instance",
        pre_norm: bool = False,
        distance_bias: bool = False,
    ) -> None:
        super().__init__()
        self.width, self.distance_bias = width, distance_bias
        self.layers = nn.ModuleList(
            AttentionLayer(width, heads, feedforward, normalization, pre_norm=pre_norm, biased=distance_bias)
            for _ in range(layers)
        )
        self.last = norm(normalization if pre_norm else "none", width)

    def build(self, features: Features) -> None:
        """See `Encoder`."""
        self.embed = nn.Linear(features.nodes, self.width)

    def forward(self, graph: Graph) -> Tensor:
        """See `Encoder`."""
        x = self.embed(graph.nodes)
        mask = None
        if graph.mask is not None:
            mask = torch.zeros(graph.mask.shape, device=x.device).masked_fill_(~graph.mask, -torch.inf)
            mask = mask[:, None, None, :]
        distances = spacings(graph) if self.distance_bias else None
        for layer in self.layers:
            x = layer(x, mask, distances)
        return self.last(x)
