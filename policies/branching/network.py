"""What the networks that score candidates have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from policies.branching.batch import Batch, edges_of
from policies.branching.convolution import HalfConvolution
from policies.branching.format import ROW_FEATURES, VARIABLE_FEATURES
from policies.branching.statistics import Standardize


class BranchingNetwork(nn.Module, ABC):
    """Scores candidates for branching."""

    needs_graph: ClassVar[bool]
    """Whether the batch's graphs are those at the nodes; else those at the roots."""

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """Scores [C] of the candidates of a batch; within a sample, larger is better."""

    @abstractmethod
    def fit(self, batches: Sequence[Batch]) -> None:
        """Takes the statistics of training batches; called once, before the training."""


class Trunk(nn.Module):
    """Embeddings of columns after one pass to the rows and back (Gasse et al. 2019).

    Args:
        width: Length of an embedding.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.variable_norm, self.row_norm = Standardize(VARIABLE_FEATURES), Standardize(ROW_FEATURES)
        self.value_norm = Standardize(1)
        self.variable_1, self.variable_2 = nn.Linear(VARIABLE_FEATURES, width), nn.Linear(width, width)
        self.row_1, self.row_2 = nn.Linear(ROW_FEATURES, width), nn.Linear(width, width)
        self.down, self.up = HalfConvolution(width, to_rows=True), HalfConvolution(width, to_rows=False)

    def forward(self, batch: Batch) -> Tensor:
        """Embeddings [n, width] of the columns of a batch's graph."""
        columns, rows = self.embedded(batch)
        edges = edges_of(batch, self._values(batch))
        rows = F.relu(self.down(rows, columns, edges))
        return F.relu(self.up(rows, columns, edges))

    def embedded(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Embeddings of columns [n, width] and rows [m, width] before any message."""
        columns = F.relu(self.variable_1(self.variable_norm(batch["variables"])))
        rows = F.relu(self.row_1(self.row_norm(batch["rows"])))
        return F.relu(self.variable_2(columns)), F.relu(self.row_2(rows))

    def _values(self, batch: Batch) -> Tensor:
        values: Tensor = self.value_norm(batch["values"].unsqueeze(1)).squeeze(1)
        return values

    @torch.no_grad()
    def fit(self, batches: Sequence[Batch]) -> None:
        """Takes statistics of the features, then the scales of the sums one by one."""
        self.variable_norm.fit(torch.cat([batch["variables"] for batch in batches]))
        self.row_norm.fit(torch.cat([batch["rows"] for batch in batches]))
        self.value_norm.fit(torch.cat([batch["values"] for batch in batches]).unsqueeze(1))
        batch = batches[0]
        columns, rows = self.embedded(batch)
        edges = edges_of(batch, self._values(batch))
        self.down.fit(rows, columns, edges)
        self.up.fit(F.relu(self.down(rows, columns, edges)), columns, edges)
