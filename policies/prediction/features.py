"""What networks see of a mixed-integer program: its columns, its rows and the entries between them. NumPy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.formulation import MixedIntegerProgram
from policies.branching.graph import BipartiteGraph

VARIABLE_FEATURES = ("objective", "mean_coefficient", "degree", "max_coefficient", "min_coefficient", "binary")
ROW_FEATURES = ("mean_coefficient", "degree", "side", "sense")
SQUASHED = ("degree", "side")
"""Features that networks see as sign(x) log(1 + |x|): they span orders of magnitude."""


def graph_of(program: MixedIntegerProgram) -> BipartiteGraph:
    """The graph of a program, without the quadratic part of its objective.

    Each row is divided by its largest absolute coefficient. A row with two different finite sides appears once for
    each, one without finite side or without entries not at all.

    Returns:
        Variables with `VARIABLE_FEATURES`: objectives are those of a minimization, in units of the largest;
        coefficients are those of scaled rows, 0 for a column without entries. Rows with `ROW_FEATURES`: the sense
        is -1 for <=, 0 for = and 1 for >=.
    """
    matrix = program.A.copy()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    filled = np.diff(matrix.indptr) > 0
    below, above = np.isfinite(program.row_lower) & filled, np.isfinite(program.row_upper) & filled
    equal = below & (program.row_lower == program.row_upper)
    kept = np.stack([below, above & ~equal], axis=1)
    owner, second = np.nonzero(kept)  # row by row, the lower side first
    sides = np.where(second, program.row_upper[owner], program.row_lower[owner])
    senses = np.where(second, -1.0, np.where(equal[owner], 0.0, 1.0))
    matrix = matrix[owner]
    counts = np.diff(matrix.indptr)
    norms = _by_group(np.maximum, np.abs(matrix.data), counts)
    data = matrix.data / np.repeat(norms, counts)
    rows = [_by_group(np.add, data, counts) / np.maximum(counts, 1), counts, sides / norms, senses]
    return BipartiteGraph(
        variables=_variables(program, matrix.indices, data),
        rows=np.stack(rows, axis=1).astype(np.float32),
        indptr=matrix.indptr.astype(np.int32),
        indices=matrix.indices.astype(np.int32),
        values=data.astype(np.float32),
    )


def squashed(features: NDArray[np.float32], names: tuple[str, ...]) -> NDArray[np.float32]:
    """Features [k, F] as networks see them.

    Args:
        features: Of variables or rows.
        names: What they are, `VARIABLE_FEATURES` or `ROW_FEATURES`.
    """
    found = features.copy()
    for place, name in enumerate(names):
        if name in SQUASHED:
            found[:, place] = np.copysign(np.log1p(np.abs(features[:, place])), features[:, place])
    return found


DESCRIPTOR = (
    "log variables", "log rows", "log entries per variable", "log entries per row", "binary share",
    "equations' share", "share of <=", "mean coefficient", "unit coefficients' share", "mean objective",
    "objectives' deviation",
)  # fmt: skip
"""What the numbers of `describe` are."""


def describe(graph: BipartiteGraph) -> NDArray[np.float32]:
    """What kind of program a graph is of, whatever the order of rows and columns; float32 [len(DESCRIPTOR)]."""
    objective, binary = (graph.variables[:, VARIABLE_FEATURES.index(key)] for key in ("objective", "binary"))
    senses, entries = graph.rows[:, ROW_FEATURES.index("sense")], graph.values
    n, m, size = len(objective), max(len(senses), 1), max(entries.size, 1)
    shares = [(senses == 0).sum() / m, (senses < 0).sum() / m]
    coefficients = [entries.sum() / size, np.isclose(np.abs(entries), 1.0).sum() / size]
    sizes = [np.log(n), np.log(m), np.log(size / n), np.log(size / m)]
    found = [*sizes, binary.mean(), *shares, *coefficients, objective.mean(), objective.std()]
    return np.array(found, dtype=np.float32)


def _variables(program: MixedIntegerProgram, indices: NDArray, data: NDArray) -> NDArray[np.float32]:
    order = np.argsort(indices, kind="stable")
    degree = np.bincount(indices, minlength=program.num_variables)
    ordered = data[order]
    total, most, least = (_by_group(how, ordered, degree) for how in (np.add, np.maximum, np.minimum))
    objective = program.c if program.sense == "minimize" else -program.c
    largest = np.abs(objective).max(initial=0.0) or 1.0
    mean = total / np.maximum(degree, 1)
    found = [objective / largest, mean, degree, most, least, program.binary]
    return np.stack(found, axis=1).astype(np.float32)


def _by_group(how: np.ufunc, data: NDArray, counts: NDArray) -> NDArray[np.float64]:
    """Data reduced by groups that lie one behind the other; 0 for an empty group."""
    found = np.zeros(len(counts))
    filled = counts > 0
    if filled.any():
        first = counts.cumsum() - counts
        found[filled] = how.reduceat(data, first[filled])
    return found
