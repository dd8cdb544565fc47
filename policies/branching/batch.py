"""Batches of samples: several graphs as one, and the candidates of several samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from policies.branching.format import BipartiteGraph

Batch = dict[str, Tensor]
"""`counts` int64 [B]: candidates of each sample; of these, one sample behind the other, `candidates` int64 [C]
(columns of the joint graph), `scores` [C] and `features` [C, F]; of the joint graph `variables` [n, 19], `rows`
[m, 5], `indptr` int32 [m + 1], `indices` int32 [E] and `values` [E]."""


@dataclass(frozen=True)
class Edges:
    """The entries of a sparse matrix [m, n], row by row.

    Attributes:
        indptr: int32 [m + 1].
        indices: int32 [E].
        values: float32 [E].
        columns: n.
    """

    indptr: Tensor
    indices: Tensor
    values: Tensor
    columns: int

    @property
    def edge_index(self) -> Tensor:
        """int64 [2, E]: row and column of each entry."""
        counts = self.indptr.diff().long()
        rows = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
        return torch.stack([rows, self.indices.long()])


def edges_of(batch: Batch, values: Tensor | None = None) -> Edges:
    """The edges of a batch's graph, with other values perhaps."""
    given = batch["values"] if values is None else values
    return Edges(batch["indptr"], batch["indices"], given, len(batch["variables"]))


def tensors(graph: BipartiteGraph) -> Batch:
    """The tensors of a graph, on its memory."""
    names = ("variables", "rows", "indptr", "indices", "values")
    return {name: torch.as_tensor(getattr(graph, name)) for name in names}


def joined(graphs: Sequence[Batch]) -> tuple[Batch, Tensor]:
    """Graphs as one, and where the columns of each begin, int64 [B + 1]."""
    columns = torch.tensor([0, *(len(graph["variables"]) for graph in graphs)]).cumsum(0)
    entries = torch.tensor([0, *(len(graph["indices"]) for graph in graphs)]).cumsum(0)
    found = {name: torch.cat([graph[name] for graph in graphs]) for name in ("variables", "rows", "values")}
    pairs = list(zip(graphs, columns.tolist(), entries.tolist(), strict=False))
    found["indices"] = torch.cat([graph["indices"] + first for graph, first, _ in pairs])
    begins = [graph["indptr"][:-1] + first for graph, _, first in pairs]
    found["indptr"] = torch.cat([*begins, entries[-1:].to(torch.int32)])
    return found, columns


def padded(values: Tensor, counts: Tensor, fill: float) -> Tensor:
    """Values [C] of the candidates, a row for each sample: [B, most candidates], padded."""
    place = torch.arange(int(counts.max()), device=counts.device) < counts.unsqueeze(1)
    return values.new_full(place.shape, fill).masked_scatter(place, values)
