"""What a learned rule sees of a node: node-bipartite graph, candidate features, pseudocosts.

An observation is told of a new solve (`reset`) and extracts inside SCIP's callbacks, while the LP is solved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from milp.kernels import bipartite, khalil
from milp.lp_interface import LP, Candidates, Matrix, NativeLP, Scalars, Values, native_lp, open_lp
from policies.branching.format import BipartiteGraph as BipartiteGraph

VARIABLE_FEATURES = (
    "objective", "is_type_binary", "is_type_integer", "is_type_implicit_integer", "is_type_continuous",
    "has_lower_bound", "has_upper_bound", "normed_reduced_cost", "solution_value", "solution_frac",
    "is_solution_at_lower_bound", "is_solution_at_upper_bound", "scaled_age", "incumbent_value",
    "average_incumbent_value", "is_basis_lower", "is_basis_basic", "is_basis_upper", "is_basis_zero",
)  # fmt: skip
ROW_FEATURES = ("bias", "objective_cosine_similarity", "is_tight", "dual_solution_value", "scaled_age")


class Observation(Protocol):
    """What is seen at a decision."""

    def reset(self, model: Any) -> None:
        """A new solve of a PySCIPOpt model begins."""

    def extract(self, model: Any) -> Any:
        """The observation, inside a callback of SCIP at a solved LP."""


class _Sides:
    """What of the node-bipartite graph depends on the matrix and on which sides are finite alone."""

    def __init__(self, matrix: Matrix, values: Values, scalars: Scalars) -> None:
        self.matrix, self.finite = matrix, _finite_sides(values, scalars.infinity)
        left, right = self.finite
        order = np.argsort(
            np.concatenate([2 * np.flatnonzero(left), 2 * np.flatnonzero(right) + 1]), kind="stable"
        )
        both = np.concatenate([np.flatnonzero(left), np.flatnonzero(right)])
        signs = np.concatenate([np.full(left.sum(), -1.0), np.ones(right.sum())])
        self.rows, self.signs = both[order].astype(np.int32), signs[order]
        self.norms, self.cosines = bipartite.row_norms(
            matrix.indptr, matrix.indices, matrix.values, matrix.objective, scalars.objective_norm
        )
        self.indptr, self.indices, self.values = bipartite.side_edges(
            matrix.indptr, matrix.indices, matrix.values, self.rows, self.signs
        )

    def fits(self, matrix: Matrix, values: Values, infinity: float) -> bool:
        """Whether all of this still holds."""
        if matrix is not self.matrix:
            return False
        left, right = _finite_sides(values, infinity)
        return np.array_equal(left, self.finite[0]) and np.array_equal(right, self.finite[1])


def _finite_sides(values: Values, infinity: float) -> tuple[NDArray, NDArray]:
    return np.abs(values.row_lower) < infinity, np.abs(values.row_upper) < infinity


class NodeBipartite:
    """The node-bipartite graph of Gasse et al. 2019 with Ecole's 19 + 5 + 1 features.

    Coefficients and norms are kept until the LP's rows change.

    Args:
        missing: What stands for incumbent values before there is an incumbent; Ecole has NaN.
    """

    def __init__(self, missing: float = 0.0) -> None:
        self.missing = missing
        self._lp: LP | None = None
        self._sides: _Sides | None = None

    def reset(self, model: Any) -> None:
        """See `Observation`."""
        self.bind(open_lp(model))

    def bind(self, lp: LP) -> None:
        """Reads from an LP that is already open."""
        self._lp, self._sides = lp, None

    def extract(self, model: Any) -> BipartiteGraph:
        """The graph of the current LP."""
        if self._lp is None:
            self.reset(model)
        assert self._lp is not None
        lp = self._lp
        return self.graph(lp, lp.matrix(), lp.values(), lp.scalars(), lp.ages())

    def graph(
        self, lp: LP, matrix: Matrix, values: Values, scalars: Scalars, ages: tuple[NDArray, NDArray]
    ) -> BipartiteGraph:
        """The graph from what has been read of the LP."""
        sides = self._sides
        if sides is None or not sides.fits(matrix, values, scalars.infinity):
            sides = self._sides = _Sides(matrix, values, scalars)
        norm = scalars.objective_norm if scalars.objective_norm > 0 else 1.0
        rows = np.empty((sides.rows.size, 5), dtype=np.float32)
        bipartite.side_rows(
            sides.rows, sides.signs, sides.norms, sides.cosines, values.dual, values.activity, values.row_lower,
            values.row_upper, ages[1], norm, float(scalars.num_lps), scalars.epsilon, rows,
        )  # fmt: skip
        every = np.arange(matrix.num_columns, dtype=np.int32)
        variables = variable_features(lp, every, matrix, values, scalars, ages[0], self.missing)
        return BipartiteGraph(variables, rows, sides.indptr, sides.indices, sides.values, matrix)


def variable_features(
    lp: LP,
    which: NDArray,
    matrix: Matrix,
    values: Values,
    scalars: Scalars,
    ages: NDArray,
    missing: float = 0.0,
) -> NDArray:
    """The 19 features of some columns, float32 [k, 19]."""
    n = matrix.num_columns
    best, average = lp.incumbent() or (np.full(n, missing), np.full(n, missing))
    out = np.empty((which.size, len(VARIABLE_FEATURES)), dtype=np.float32)
    bipartite.variable_rows(
        which, matrix.objective, matrix.types, values.primal, values.reduced_cost, values.lower, values.upper,
        values.column_basis, ages, best, average, scalars.objective_norm if scalars.objective_norm > 0 else 1.0,
        float(scalars.num_lps), scalars.infinity, scalars.epsilon, scalars.feasibility_tolerance, out,
    )  # fmt: skip
    return out


class _Columns:
    """What of the candidate features depends on the matrix alone."""

    def __init__(self, matrix: Matrix, static: NDArray | None) -> None:
        self.matrix = matrix
        self.starts, self.rows, self.values = khalil.transpose(
            matrix.indptr, matrix.indices, matrix.values, matrix.num_columns
        )
        self.sums = khalil.row_sums(matrix.indptr, matrix.values)
        if static is None or static.shape[0] != matrix.num_columns:
            static = khalil.static_features(self.starts, self.rows, self.values, matrix.indptr, matrix.objective)
        self.static: NDArray = static


class Khalil:
    """The 72 candidate features of Khalil et al. 2016, float32 [k, 72], in the order of Ecole's Khalil2016.

    The 18 static ones are those of the first LP that is seen, which is the root's in a branching rule.
    """

    def __init__(self) -> None:
        self._lp: NativeLP | None = None
        self._columns: _Columns | None = None

    def reset(self, model: Any) -> None:
        """See `Observation`."""
        self.bind(native_lp(model))

    def bind(self, lp: NativeLP) -> None:
        """Reads from an LP that is already open."""
        self._lp, self._columns = lp, None

    def extract(self, model: Any) -> NDArray:
        """The features of `NativeLP.candidates`, in their order."""
        if self._lp is None:
            self.reset(model)
        assert self._lp is not None
        lp = self._lp
        candidates = lp.candidates()
        out = np.empty((len(candidates), khalil.TOTAL), dtype=np.float32)
        self.fill(out, candidates, lp.statistics(candidates), lp.matrix(), lp.values(), lp.scalars())
        return out

    def fill(
        self,
        out: NDArray,
        candidates: Candidates,
        statistics: NDArray,
        matrix: Matrix,
        values: Values,
        scalars: Scalars,
    ) -> None:
        """Writes the features into the first 72 columns of out [k, >= 72]."""
        if self._columns is None or self._columns.matrix is not matrix:
            self._columns = _Columns(matrix, None if self._columns is None else self._columns.static)
        columns = self._columns
        is_candidate = np.zeros(matrix.num_columns, dtype=np.bool_)
        is_candidate[candidates.columns] = True
        weights = khalil.active_weights(
            matrix.indptr, matrix.indices, matrix.values, columns.sums, values.dual, values.activity,
            values.row_lower, values.row_upper, is_candidate, scalars.epsilon,
        )  # fmt: skip
        primal = candidates.values
        fractions = primal - np.floor(primal + scalars.feasibility_tolerance)
        khalil.candidate_features(
            candidates.columns, fractions, statistics, columns.static, columns.starts, columns.rows,
            columns.values, matrix.indptr, columns.sums, weights, values.row_lower, values.row_upper,
            scalars.infinity, out,
        )  # fmt: skip


class Pseudocosts:
    """SCIP's pseudocost score of each candidate, float64 [k]."""

    def __init__(self) -> None:
        self._lp: NativeLP | None = None

    def reset(self, model: Any) -> None:
        """See `Observation`."""
        self._lp = native_lp(model)

    def extract(self, model: Any) -> NDArray:
        """The scores of `NativeLP.candidates`, in their order."""
        if self._lp is None:
            self.reset(model)
        assert self._lp is not None
        return self._lp.pseudocost_scores(self._lp.candidates())


NODE_FEATURES = 8
"""Columns that `CandidateFeatures` adds to the 72 and the 19."""


@dataclass(frozen=True, eq=False)
class Decision:
    """A node as a learned rule sees it.

    Attributes:
        candidates: What can be branched on.
        features: [k, 99] float32, see `CandidateFeatures`.
        graph: The node-bipartite graph, if it was asked for.
    """

    candidates: Candidates
    features: NDArray
    graph: BipartiteGraph | None = None


class CandidateFeatures:
    """All that is known of the candidates, float32 [k, 99], and on demand the graph, from one reading of the LP.

    72 features of Khalil et al. 2016, the 19 of Gasse et al. 2019, and what SCIP's own hybrid rule looks at
    (Achterberg and Berthold 2009): pseudocost score, its counts down and up, inference, cutoff and conflict score;
    then the depth of the node, and its gap to the cutoff bound relative to that of the root.
    """

    version = 1
    size = khalil.TOTAL + len(VARIABLE_FEATURES) + NODE_FEATURES

    def __init__(self) -> None:
        self.lp: NativeLP | None = None
        self.khalil, self.bipartite = Khalil(), NodeBipartite()
        self._root_bound = math.nan

    def reset(self, model: Any) -> None:
        """See `Observation`."""
        self.lp = native_lp(model)
        self.khalil.bind(self.lp)
        self.bipartite.bind(self.lp)
        self._root_bound = math.nan

    def extract(self, model: Any, with_graph: bool = False) -> Decision:
        """The candidates and their features, and the graph if it is wanted."""
        if self.lp is None:
            self.reset(model)
        assert self.lp is not None
        lp = self.lp
        candidates, matrix, values = lp.candidates(), lp.matrix(), lp.values()
        scalars, ages = lp.scalars(), lp.ages()
        statistics = lp.statistics(candidates)
        out = np.empty((len(candidates), self.size), dtype=np.float32)
        self.khalil.fill(out, candidates, statistics, matrix, values, scalars)
        middle = khalil.TOTAL + len(VARIABLE_FEATURES)
        out[:, khalil.TOTAL : middle] = variable_features(lp, candidates.columns, matrix, values, scalars, ages[0])
        out[:, middle : middle + 6] = statistics[:, 6:12]
        out[:, middle + 6], out[:, middle + 7] = self._node_numbers(lp)
        graph = self.bipartite.graph(lp, matrix, values, scalars, ages) if with_graph else None
        return Decision(candidates, out, graph)

    def _node_numbers(self, lp: NativeLP) -> tuple[float, float]:
        """Depth, and gap of the LP to the cutoff bound in units of the root's, 1 without a cutoff bound."""
        here, cutoff = lp.lib.SCIPgetLPObjval(lp.scip), lp.lib.SCIPgetCutoffbound(lp.scip)
        if math.isnan(self._root_bound):
            self._root_bound = here
        whole = cutoff - self._root_bound
        gap = (cutoff - here) / whole if whole > 1e-9 and cutoff < lp.lib.SCIPinfinity(lp.scip) else 1.0
        return float(lp.lib.SCIPgetDepth(lp.scip)), min(max(gap, 0.0), 10.0)
