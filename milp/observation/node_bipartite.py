"""The node-bipartite graph (Gasse et al. 2019)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.kernels import bipartite
from milp.lp_interface import LP, Matrix, Scalars, Values, open_lp
from policies.branching.format import BipartiteGraph

VARIABLE_FEATURES = (
    "objective", "is_type_binary", "is_type_integer", "is_type_implicit_integer", "is_type_continuous",
    "has_lower_bound", "has_upper_bound", "normed_reduced_cost", "solution_value", "solution_frac",
    "is_solution_at_lower_bound", "is_solution_at_upper_bound", "scaled_age", "incumbent_value",
    "average_incumbent_value", "is_basis_lower", "is_basis_basic", "is_basis_upper", "is_basis_zero",
)  # fmt: skip
ROW_FEATURES = ("bias", "objective_cosine_similarity", "is_tight", "dual_solution_value", "scaled_age")


class _Sides:
    """What of the graph depends on the matrix and on which sides are finite alone."""

    def __init__(self, matrix: Matrix, values: Values, scalars: Scalars) -> None:
        entries = matrix.indptr, matrix.indices, matrix.values
        self.matrix = matrix
        self.rows, self.signs = bipartite.finite_sides(values.row_lower, values.row_upper)
        self.norms, self.cosines = bipartite.row_norms(*entries, matrix.objective, scalars.objective_norm)
        self.indptr, self.indices, self.values = bipartite.side_edges(*entries, self.rows, self.signs)
        self.columns = np.arange(matrix.num_columns, dtype=np.int32)

    def fits(self, matrix: Matrix, values: Values) -> bool:
        """Whether all of this still holds."""
        same = matrix is self.matrix
        return same and bipartite.same_sides(self.rows, self.signs, values.row_lower, values.row_upper)


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
        if sides is None or not sides.fits(matrix, values):
            sides = self._sides = _Sides(matrix, values, scalars)
        norm = scalars.objective_norm if scalars.objective_norm > 0 else 1.0
        rows = np.empty((sides.rows.size, 5), dtype=np.float32)
        bipartite.side_rows(
            sides.rows, sides.signs, sides.norms, sides.cosines, values.dual, values.activity, values.row_lower,
            values.row_upper, ages[1], norm, float(scalars.num_lps), scalars.epsilon, rows,
        )  # fmt: skip
        variables = variable_features(lp, sides.columns, matrix, values, scalars, ages[0], self.missing)
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
