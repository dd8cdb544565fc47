"""The candidate features of Khalil et al. 2016."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.kernels import khalil
from milp.lp_interface import Candidates, Matrix, NativeLP, Scalars, Values, native_lp


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
