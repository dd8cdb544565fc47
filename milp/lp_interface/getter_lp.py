"""The LP of a node by PySCIPOpt's getters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.kernels.reading import IMPLIED
from milp.lp_interface.arrays import Candidates, Matrix, Scalars, Values


class GetterLP:
    """The same by PySCIPOpt's getters, element by element: slow, and without what they do not reach.

    Args:
        model: A PySCIPOpt model.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._version = -1
        self._matrix: Matrix | None = None

    def matrix(self) -> Matrix:
        """See `LP`; read anew each time, and counted as new only where something changed."""
        found = self._read_matrix()
        if self._matrix is not None and _equal(found, self._matrix):
            return self._matrix
        self._version += 1
        self._matrix = found
        return found

    def _read_matrix(self) -> Matrix:
        columns, rows = self.model.getLPColsData(), self.model.getLPRowsData()
        entries = [
            (col.getLPPos(), value)
            for row in rows
            for col, value in zip(row.getCols(), row.getVals(), strict=True)
            if col.getLPPos() >= 0
        ]
        sizes = [sum(col.getLPPos() >= 0 for col in row.getCols()) for row in rows]
        return Matrix(
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
            np.array([j for j, _ in entries], dtype=np.int32),
            np.array([a for _, a in entries], dtype=np.float64),
            np.array([row.getConstant() for row in rows], dtype=np.float64),
            np.array([col.getObjCoeff() for col in columns], dtype=np.float64),
            np.array([_type(col.getVar()) for col in columns], dtype=np.int32),
            self._version + 1,
        )

    def values(self) -> Values:
        """See `LP`."""
        columns, rows, model = self.model.getLPColsData(), self.model.getLPRowsData(), self.model
        statuses = {"lower": 0, "basic": 1, "upper": 2, "zero": 3}
        constants = np.array([row.getConstant() for row in rows])
        sides = _bounds([(row.getLhs(), row.getRhs()) for row in rows], model.infinity()) - constants
        bounds = _bounds([(col.getLb(), col.getUb()) for col in columns], model.infinity())
        return Values(
            primal=np.array([col.getPrimsol() for col in columns]),
            reduced_cost=np.array([model.getColRedCost(col) for col in columns]),
            lower=bounds[0],
            upper=bounds[1],
            dual=np.array([row.getDualsol() for row in rows]),
            activity=np.array([model.getRowLPActivity(row) for row in rows]) - constants,
            row_lower=sides[0],
            row_upper=sides[1],
            column_basis=np.array([statuses[col.getBasisStatus()] for col in columns], dtype=np.int32),
            row_basis=np.array([statuses[row.getBasisStatus()] for row in rows], dtype=np.int32),
        )

    def ages(self) -> tuple[NDArray, NDArray]:
        """See `LP`."""
        columns, rows = self.model.getLPColsData(), self.model.getLPRowsData()
        return (
            np.array([col.getAge() for col in columns], dtype=np.int32),
            np.array([row.getAge() for row in rows], dtype=np.int32),
        )

    def incumbent(self) -> tuple[NDArray, NDArray] | None:
        """See `LP`."""
        if self.model.getNSols() == 0:
            return None
        best = self.model.getBestSol()
        variables = [col.getVar() for col in self.model.getLPColsData()]
        values = np.array([self.model.getSolVal(best, variable) for variable in variables])
        return values, np.array([variable.getAvgSol() for variable in variables])

    def candidates(self) -> Candidates:
        """See `LP`."""
        variables, values, _, _, priority, _ = self.model.getLPBranchCands()
        columns = [variable.getCol().getLPPos() for variable in variables[:priority]]
        return Candidates(np.array(columns, np.int32), np.array(values[:priority]), np.empty(0, np.int64))

    def scalars(self) -> Scalars:
        """See `LP`."""
        model = self.model
        # the norm in SCIP is over all variables, in the LP or not
        norm = float(np.linalg.norm([v.getObj() for v in model.getVars(transformed=True)]))
        return Scalars(norm, model.getNLPs(), model.infinity(), model.epsilon(), model.feastol())


def _bounds(pairs: list[tuple[float, float]], infinity: float) -> NDArray:
    """Lower and upper bounds, [2, n], with infinite ones as such, which SCIP has as large numbers."""
    bounds = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    return np.where(np.abs(bounds) < infinity, bounds, np.copysign(np.inf, bounds))


def _type(variable: Any) -> int:
    kinds = {"BINARY": 0, "INTEGER": 1, "IMPLINT": IMPLIED, "CONTINUOUS": 3}
    kind = kinds[variable.vtype()]
    return IMPLIED if kind != 0 and variable.isImpliedIntegral() else kind


def _equal(a: Matrix, b: Matrix) -> bool:
    names = ("indptr", "indices", "values", "constants", "objective", "types")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)
