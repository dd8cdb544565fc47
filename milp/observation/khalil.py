"""The candidate features of Khalil et al. 2016."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.kernels import khalil
from milp.lp_interface import Candidates, Matrix, NativeLP, Scalars, Values, native_lp


class _Columns:
    """What of the candidate features depends on the matrix and the sides alone."""

    def __init__(self, matrix: Matrix, values: Values, static: NDArray | None) -> None:
        self.matrix, self.row_lower, self.row_upper = matrix, values.row_lower, values.row_upper
        self.starts, self.rows, self.values = khalil.transpose(
            matrix.indptr, matrix.indices, matrix.values, matrix.num_columns
        )
        self.sums = khalil.row_sums(matrix.indptr, matrix.values)
        if static is None or static.shape[0] != matrix.num_columns:
            static = khalil.static_features(self.starts, self.rows, self.values, matrix.indptr, matrix.objective)
        self.static: NDArray = static
        self.kept = np.empty((matrix.num_columns, khalil.ACTIVE - khalil.ROWS))
        self.is_kept = np.zeros(matrix.num_columns, dtype=np.bool_)

    def fits(self, matrix: Matrix, values: Values) -> bool:
        """Whether all of this still holds."""
        sides = values.row_lower, values.row_upper, self.row_lower, self.row_upper
        return matrix is self.matrix and khalil.same_sides(*sides)


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
        columns = self._columns
        if columns is None or not columns.fits(matrix, values):
            columns = self._columns = _Columns(matrix, values, None if columns is None else columns.static)
        entries = columns.starts, columns.rows, columns.values
        weights = khalil.active_weights(
            candidates.columns, *entries, columns.sums, values.dual, values.activity, values.row_lower,
            values.row_upper, scalars.epsilon,
        )  # fmt: skip
        primal = candidates.values
        fractions = primal - np.floor(primal + scalars.feasibility_tolerance)
        khalil.candidate_features(
            candidates.columns, fractions, statistics, columns.static, *entries, matrix.indptr, columns.sums,
            weights, values.row_lower, values.row_upper, scalars.infinity, columns.kept, columns.is_kept, out,
        )  # fmt: skip
