"""A few numbers that say what kind of model an LP belongs to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milp.observation import BipartiteGraph

DESCRIPTOR = (
    "log columns", "log sides", "log entries per side", "log entries per column", "deviation of log side sizes",
    "binary share", "integer share", "continuous share", "right sides' share", "unit coefficients' share",
    "negative coefficients' share", "unit sides' share", "equal objectives' share", "mean cosine",
    "mean size of cosine",
)  # fmt: skip
"""What the numbers of `describe` are."""


def describe(graph: BipartiteGraph) -> NDArray:
    """Size, sparsity, types and coefficients of a root LP, float32 [len(DESCRIPTOR)].

    The order of rows and columns does not matter.
    """
    n, m, entries = len(graph.variables), max(len(graph.rows), 1), max(graph.values.size, 1)
    cosines = graph.rows[:, 1] if len(graph.rows) else np.zeros(1)
    sizes = np.log1p(np.diff(graph.indptr))
    types = graph.variables[:, 1:5].mean(0)
    is_right = graph.rows[:, 0] >= 0
    size = np.abs(graph.values)
    objective = graph.variables[:, 0]
    numbers = [
        np.log(n), np.log(m), np.log(entries / m), np.log(entries / n), sizes.std() if sizes.size else 0.0,
        types[0], types[1] + types[2], types[3], is_right.mean() if is_right.size else 0.0,
        np.isclose(size, 1.0).mean() if size.size else 0.0, (graph.values < 0).mean() if size.size else 0.0,
        _unit_sides(graph), np.isclose(objective, objective.max()).mean(),
        cosines.mean(), np.abs(cosines).mean(),
    ]  # fmt: skip
    return np.array(numbers, dtype=np.float32)


def _unit_sides(graph: BipartiteGraph) -> float:
    """Share of the sides that are 1 or -1."""
    if not len(graph.rows):
        return 0.0
    squares = np.bincount(graph.edge_rows, graph.values.astype(float) ** 2, minlength=len(graph.rows))
    return float(np.isclose(np.abs(graph.rows[:, 0]) * np.sqrt(squares), 1.0, atol=1e-3).mean())
