"""The network that predicts binary variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from co_gym.errors import InputError
from policies.branching.batch import Batch, Edges, edges_of
from policies.branching.convolution import HalfConvolution
from policies.branching.statistics import Standardize, squash
from policies.prediction.features import ROW_FEATURES, SQUASHED, VARIABLE_FEATURES

NEWTON_STEPS = 50
"""Most steps of the fit of the calibration."""


class Competition(nn.Module):
    """Takes from each column's embedding what the columns of its rows have in common (Pu et al. 2025).

    h - beta Dv^-1 A^T Dc^-1 A h, where A is 1 at each entry and D holds the degrees. beta is learned.
    """

    def __init__(self) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(0.5))

    def forward(self, columns: Tensor, edges: Edges) -> Tensor:
        """The columns' next embeddings [n, d]."""
        row, column = edge_index = edges.edge_index
        size = (len(edges.indptr) - 1, edges.columns)
        ones = columns.new_ones(len(row))
        entries = torch.sparse_coo_tensor(edge_index, ones, size, is_coalesced=True, check_invariants=False)
        down, up = (index.bincount(minlength=k).clamp_min(1) for index, k in zip((row, column), size, strict=True))
        means = torch.sparse.mm(entries, columns) / down.unsqueeze(1)
        return columns - self.beta * torch.sparse.mm(entries.t(), means) / up.unsqueeze(1)


class Round(nn.Module):
    """Messages to the rows and back (Gasse et al. 2019), perhaps with competition.

    Args:
        width: Length of an embedding.
        competitive: Whether columns compete at the end.
    """

    def __init__(self, width: int, competitive: bool) -> None:
        super().__init__()
        self.down, self.up = HalfConvolution(width, to_rows=True), HalfConvolution(width, to_rows=False)
        self.competition = Competition() if competitive else None

    def forward(self, rows: Tensor, columns: Tensor, edges: Edges) -> tuple[Tensor, Tensor]:
        """The next embeddings of rows [m, d] and columns [n, d]."""
        rows = F.relu(self.down(rows, columns, edges))
        columns = F.relu(self.up(rows, columns, edges))
        return rows, columns if self.competition is None else self.competition(columns, edges)

    @torch.no_grad()
    def fit(self, rows: Tensor, columns: Tensor, edges: Edges) -> tuple[Tensor, Tensor]:
        """Fixes the scales of the sums and returns the next embeddings."""
        self.down.fit(rows, columns, edges)
        self.up.fit(F.relu(self.down(rows, columns, edges)), columns, edges)
        return self.forward(rows, columns, edges)


class Predictor(nn.Module):
    """Scores the columns of programs by how likely they are 1 in good solutions (Han et al. 2023).

    What a column was before and after each of several `Round`s decides. The marginal of a column is
    sigmoid(scale * logit + shift), where scale and shift are fitted on held-out pools (Platt 1999): contrastive
    losses leave the logits' level open.

    Args:
        width: Length of an embedding.
        rounds: Passes to the rows and back.
        competitive: Whether each round ends with `Competition`.

    Raises:
        InputError: If a number is out of range.
    """

    def __init__(self, width: int = 64, rounds: int = 2, competitive: bool = False) -> None:
        super().__init__()
        if width < 1 or rounds < 1:
            raise InputError(f"width {width}, rounds {rounds}: expected at least 1 of each")
        variables, rows = len(VARIABLE_FEATURES), len(ROW_FEATURES)
        self.variable_norm, self.row_norm, self.value_norm = (
            Standardize(variables), Standardize(rows), Standardize(1),
        )  # fmt: skip
        self.variable_1, self.variable_2 = nn.Linear(variables, width), nn.Linear(width, width)
        self.row_1, self.row_2 = nn.Linear(rows, width), nn.Linear(width, width)
        self.rounds = nn.ModuleList(Round(width, competitive) for _ in range(rounds))
        self.hidden, self.out = nn.Linear((rounds + 1) * width, width), nn.Linear(width, 1)
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("shift", torch.zeros(()))

    def forward(self, batch: Batch) -> Tensor:
        """Logits [n] of the columns of a batch's graph."""
        columns, rows, edges = self._embedded(batch)
        seen = [columns]
        for each in self.rounds:
            rows, columns = each(rows, columns, edges)
            seen.append(columns)
        logits: Tensor = self.out(F.relu(self.hidden(torch.cat(seen, 1)))).squeeze(1)
        return logits

    def marginals(self, logits: Tensor) -> Tensor:
        """Probabilities of being 1."""
        return (self.scale * logits + self.shift).sigmoid()

    @torch.no_grad()
    def fit(self, batches: Sequence[Batch]) -> None:
        """Takes statistics of the features, then the scales of the sums one by one; once, before the training."""
        self.variable_norm.fit(torch.cat([_tame(batch["variables"], _VARIABLES) for batch in batches]))
        self.row_norm.fit(torch.cat([_tame(batch["rows"], _ROWS) for batch in batches]))
        self.value_norm.fit(torch.cat([batch["values"] for batch in batches]).unsqueeze(1))
        columns, rows, edges = self._embedded(batches[0])
        each: Any
        for each in self.rounds:
            rows, columns = each.fit(rows, columns, edges)

    @torch.no_grad()
    def calibrate(self, logits: Tensor, wanted: Tensor, mass: Tensor) -> None:
        """Fits scale and shift by logistic regression, with Newton's method in float64.

        Args:
            logits: [C].
            wanted: [C]; shares of good solutions in which a variable is 1.
            mass: [C]; what each variable counts.
        """
        scale, shift = platt(logits.double(), wanted.double(), mass.double())
        self.scale.fill_(scale)
        self.shift.fill_(shift)

    def _embedded(self, batch: Batch) -> tuple[Tensor, Tensor, Edges]:
        """Embeddings of columns and rows before any message, and the edges."""
        columns = F.relu(self.variable_1(self.variable_norm(_tame(batch["variables"], _VARIABLES))))
        rows = F.relu(self.row_1(self.row_norm(_tame(batch["rows"], _ROWS))))
        values: Tensor = self.value_norm(batch["values"].unsqueeze(1)).squeeze(1)
        return F.relu(self.variable_2(columns)), F.relu(self.row_2(rows)), edges_of(batch, values)


_VARIABLES = torch.tensor([name in SQUASHED for name in VARIABLE_FEATURES])
_ROWS = torch.tensor([name in SQUASHED for name in ROW_FEATURES])


def _tame(x: Tensor, which: Tensor) -> Tensor:
    return torch.where(which.to(x.device), squash(x), x)


def platt(logits: Tensor, wanted: Tensor, mass: Tensor) -> tuple[float, float]:
    """Scale and shift of logits [C] for the least weighted cross-entropy to `wanted`; all float64.

    A weak pull to 0 keeps both finite where the logits separate perfectly. Steps that make it worse are
    halved.
    """
    mean, deviation = logits.mean(), logits.std(correction=0).clamp_min(1e-9)
    x = torch.stack([(logits - mean) / deviation, torch.ones_like(logits)], 1)
    mass, pull = mass / mass.sum(), 1e-6
    point = logits.new_zeros(2)

    def cost(at: Tensor) -> Tensor:
        return (mass * F.binary_cross_entropy_with_logits(x @ at, wanted, reduction="none")).sum() + (
            0.5 * pull * at.square().sum()
        )

    now = cost(point)
    for _ in range(NEWTON_STEPS):
        p = (x @ point).sigmoid()
        gradient = x.T @ (mass * (p - wanted)) + pull * point
        curvature = (x.T * (mass * p * (1 - p))) @ x + pull * torch.eye(2, dtype=x.dtype, device=x.device)
        step, length = torch.linalg.solve(curvature, gradient), 1.0
        while length > 1e-6 and not cost(point - length * step) <= now:
            length /= 2
        if length <= 1e-6:
            break
        point = point - length * step
        before, now = now, cost(point)
        if before - now < 1e-14:
            break
    scale = float(point[0] / deviation)
    return scale, float(point[1] - scale * mean)
