"""Colour refinement (Weisfeiler and Leman 1968) of the graphs of mixed-integer programs.

The graph of a program has a vertex for each variable and each row, an edge for each coefficient. Colours are
64-bit hashes that depend on the program alone, not on names or order: equal programs have equal colours, whatever
collides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from co_gym.formulation import MixedIntegerProgram

VARIABLE, ROW = np.uint64(1), np.uint64(2)


@dataclass(frozen=True, eq=False)
class ProgramGraph:
    """The graphs of one or more programs side by side: for each, its variables and then its rows.

    Attributes:
        indptr: [v + 1] int64, where the neighbours of each vertex begin.
        indices: [e] int64, neighbours; each edge is there in both directions.
        weights: [e] uint64, hashes of the coefficients.
        colours: [v] uint64, hashes of what is known of a vertex alone: bounds, objective, integrality or sides.
    """

    indptr: NDArray
    indices: NDArray
    weights: NDArray
    colours: NDArray

    @classmethod
    def of(cls, programs: Sequence[MixedIntegerProgram]) -> ProgramGraph:
        """The graph of some programs."""
        adjacency = sparse.csr_matrix(sparse.block_diag([_adjacency(program) for program in programs]))
        adjacency.eliminate_zeros()
        return cls(
            adjacency.indptr.astype(np.int64),
            adjacency.indices.astype(np.int64),
            _mixed(_bits(adjacency.data)),
            np.concatenate([of(program) for program in programs for of in (_variable_colours, _row_colours)]),
        )

    def refined(self, colours: NDArray) -> NDArray:
        """One round: [v] uint64 from each colour and those beyond the vertex's edges, with the coefficients."""
        seen = np.concatenate([[np.uint64(0)], np.cumsum(_mixed(colours[self.indices] + self.weights))])
        around = seen[self.indptr[1:]] - seen[self.indptr[:-1]]
        return _mixed(_mixed(colours) + around)

    def components(self, among: NDArray) -> NDArray:
        """[v] component of each vertex of the subgraph that `among` [v] bool induces; others are on their own."""
        vertices = np.repeat(np.arange(among.size), np.diff(self.indptr))
        kept = among[vertices] & among[self.indices]
        ends = vertices[kept], self.indices[kept]
        graph = sparse.coo_matrix((np.ones(kept.sum(), dtype=np.int8), ends), shape=(among.size, among.size))
        labels: NDArray = csgraph.connected_components(graph, directed=False)[1]
        return labels


def individualized(colours: NDArray) -> NDArray:
    """Colours of their own for vertices that are singled out, [k] uint64 from and to."""
    return _mixed(colours ^ np.uint64(0xA5A5A5A5A5A5A5A5))


def count(colours: NDArray) -> int:
    """How many colours there are."""
    return int(np.unique(colours).size)


def _adjacency(program: MixedIntegerProgram) -> sparse.csr_matrix:
    """Symmetric: rows of the program against its variables, products of the objective among variables."""
    products = None
    if program.Q is not None:
        products = program.Q + program.Q.T
        products = products - sparse.diags(products.diagonal())
    n, m = program.num_variables, program.num_rows
    products = sparse.csr_matrix((n, n)) if products is None else products
    return sparse.csr_matrix(sparse.bmat([[products, program.A.T], [program.A, sparse.csr_matrix((m, m))]]))


def _variable_colours(program: MixedIntegerProgram) -> NDArray:
    squares = np.zeros(program.num_variables) if program.Q is None else program.Q.diagonal()
    known = program.c, squares, program.lower, program.upper, program.integer.astype(np.float64)
    return _combined(VARIABLE, known)


def _row_colours(program: MixedIntegerProgram) -> NDArray:
    return _combined(ROW, (program.row_lower, program.row_upper))


def _combined(kind: np.uint64, values: Sequence[NDArray]) -> NDArray:
    colours = np.full(values[0].shape, kind, dtype=np.uint64)
    for value in values:
        colours = _mixed(_mixed(colours) + _bits(value))
    return colours


def _bits(values: NDArray) -> NDArray:
    """The floats' bits; -0 counts as 0."""
    return (np.asarray(values, dtype=np.float64) + 0.0).view(np.uint64)


def _mixed(values: NDArray) -> NDArray:
    """The finalizer of SplitMix64 (Steele, Lea and Flood 2014): each bit depends on all bits of the input."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray = values ^ (values >> np.uint64(31))
    return mixed
