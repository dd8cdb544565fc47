"""Batches as torch-geometric holds graphs, and back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from policies.branching.batch import Batch, edges_of

RELATION = ("constraints", "contain", "variables")


def to_hetero(batch: Batch) -> HeteroData:
    """A graph with node types "variables" and "constraints".

    Candidates are a mask `candidates` bool [n] on the variables, with their strong-branching scores `scores` [n]
    (-1 elsewhere); they must be of one sample and in the order of the columns.
    """
    data: Any = HeteroData()
    n, chosen = len(batch["variables"]), batch["candidates"]
    data["variables"].x, data["constraints"].x = batch["variables"], batch["rows"]
    data["variables"].candidates = torch.zeros(n, dtype=torch.bool).index_fill(0, chosen, True)
    data["variables"].scores = torch.full((n,), -1.0).index_copy(0, chosen, batch["scores"])
    data[RELATION].edge_index = edges_of(batch).edge_index
    data[RELATION].edge_attr = batch["values"].unsqueeze(1)
    return data


def from_hetero(data: HeteroData) -> Batch:
    """The batch of one graph or of several joined ones, without features of candidates."""
    given: Any = data
    variables, relation = given["variables"], given[RELATION]
    rows, columns = relation.edge_index
    order = rows.argsort(stable=True)
    chosen: Tensor = variables.candidates.nonzero().squeeze(1)
    owner = variables.batch[chosen] if "batch" in variables else torch.zeros_like(chosen)
    per_row = torch.bincount(rows, minlength=len(given["constraints"].x))
    return {
        "counts": torch.bincount(owner),
        "candidates": chosen,
        "scores": variables.scores[chosen],
        "variables": variables.x,
        "rows": given["constraints"].x,
        "indptr": torch.cat([per_row.new_zeros(1), per_row.cumsum(0)]).int(),
        "indices": columns[order].int(),
        "values": relation.edge_attr.squeeze(1)[order],
    }
