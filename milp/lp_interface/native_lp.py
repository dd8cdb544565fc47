"""The LP of a node through SCIP's C functions."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp import native
from milp.kernels import reading
from milp.lp_interface.arrays import Candidates, Matrix, Scalars, Values


def _address(array: NDArray) -> int:
    return int(array.ctypes.data)


def _parts(block: NDArray) -> list[int]:
    """Where the rows of a contiguous array begin in memory."""
    first = _address(block)
    return [first + k * block.strides[0] for k in range(len(block))]


class NativeLP:
    """Whole arrays from the LP solver's interface, some tens of microseconds a node.

    Args:
        model: A PySCIPOpt model; `LP` says when its methods may be called.

    Raises:
        MissingSymbols: If SCIP's C functions cannot be called.
    """

    def __init__(self, model: Any) -> None:
        self.lib = native.library()
        self.scip = native.pointer(model)
        self._matrix: Matrix | None = None
        self._row_indices: NDArray = np.empty(0, dtype=np.int32)
        self._variables: NDArray = np.empty(0, dtype=np.int64)
        self._incumbent: tuple[NDArray, NDArray] | None = None
        self._incumbent_key: tuple[int, ...] = ()

    def _array(self, function: str) -> tuple[int, int]:
        """Address and length of one of SCIP's arrays."""
        array, size = ctypes.c_void_p(), ctypes.c_int()
        native.check(getattr(self.lib, function)(self.scip, ctypes.byref(array), ctypes.byref(size)), function)
        return array.value or 0, size.value

    def _interface(self) -> int:
        interface = ctypes.c_void_p()
        native.check(self.lib.SCIPgetLPI(self.scip, ctypes.byref(interface)), "its LP")
        return interface.value or 0

    def matrix(self) -> Matrix:
        """See `LP`."""
        columns, n = self._array("SCIPgetLPColsData")
        rows, m = self._array("SCIPgetLPRowsData")
        known = self._matrix
        same_size = known is not None and (known.num_columns, known.num_rows) == (n, m)
        if known is not None and same_size and reading.same_rows(self.lib.addresses, rows, self._row_indices):
            return known
        return self._read_matrix(columns, n, rows, m)

    def _read_matrix(self, columns: int, n: int, rows: int, m: int) -> Matrix:
        api = self.lib.addresses
        if self._variables.size != n:
            self._variables, self._incumbent_key = np.empty(n, dtype=np.int64), ()
        reading.variables_of_columns(api, columns, self._variables)
        types, constants = np.empty(n, dtype=np.int32), np.empty(m)
        reading.variable_types(api, self._variables, types)
        reading.row_constants(api, rows, constants)
        self._row_indices = np.empty(m, dtype=np.int32)
        reading.row_indices(api, rows, self._row_indices)
        version = 0 if self._matrix is None else self._matrix.version + 1
        self._matrix = Matrix(*self._entries(m), constants, self._objective(n), types, version)
        return self._matrix

    def _entries(self, m: int) -> tuple[NDArray, NDArray, NDArray]:
        """The matrix as CSR."""
        interface, size = self._interface(), ctypes.c_int()
        native.check(self.lib.SCIPlpiGetNNonz(interface, ctypes.byref(size)), "its matrix")
        indptr, count = np.empty(m + 1, dtype=np.int32), ctypes.c_int()
        indices, values = np.empty(size.value, dtype=np.int32), np.empty(size.value)
        if m:
            where = _address(indptr), _address(indices), _address(values)
            code = self.lib.SCIPlpiGetRows(interface, 0, m - 1, None, None, ctypes.byref(count), *where)
            native.check(code, "its matrix")
        indptr[m] = count.value
        return indptr, indices, values

    def _objective(self, n: int) -> NDArray:
        objective = np.empty(n)
        code = self.lib.SCIPlpiGetObj(self._interface(), 0, n - 1, _address(objective))
        native.check(code, "its objective")
        return objective

    def values(self) -> Values:
        """See `LP`."""
        interface, lib = self._interface(), self.lib
        n, m = self._array("SCIPgetLPColsData")[1], self._array("SCIPgetLPRowsData")[1]
        # one block for columns and one for rows, since finding an array's address takes a microsecond
        columns, rows, basis = np.empty((4, n)), np.empty((4, m)), np.empty(n + m, dtype=np.int32)
        primal, reduced_cost, lower, upper = _parts(columns)
        dual, activity, left, right = _parts(rows)
        native.check(lib.SCIPlpiGetSol(interface, None, primal, dual, activity, reduced_cost), "its LP solution")
        of_columns = _address(basis)
        native.check(lib.SCIPlpiGetBase(interface, of_columns, of_columns + 4 * n), "its basis")
        native.check(lib.SCIPlpiGetBounds(interface, 0, n - 1, lower, upper), "its bounds")
        if m:
            native.check(lib.SCIPlpiGetSides(interface, 0, m - 1, left, right), "its sides")
        reading.mark_infinite(columns[2:], lib.SCIPinfinity(self.scip))
        reading.mark_infinite(rows[2:], lib.SCIPinfinity(self.scip))
        return Values(*(*columns, *rows, basis[:n], basis[n:]))

    def ages(self) -> tuple[NDArray, NDArray]:
        """See `LP`."""
        (columns, n), (rows, m) = self._array("SCIPgetLPColsData"), self._array("SCIPgetLPRowsData")
        of_columns, of_rows = np.empty(n, dtype=np.int32), np.empty(m, dtype=np.int32)
        reading.column_ages(self.lib.addresses, columns, of_columns)
        reading.row_ages(self.lib.addresses, rows, of_rows)
        return of_columns, of_rows

    def incumbent(self) -> tuple[NDArray, NDArray] | None:
        """See `LP`."""
        best = self.lib.SCIPgetBestSol(self.scip)
        if not best:
            return None
        version = self.matrix().version  # also brings the variables up to date
        key = (best, self.lib.SCIPsolGetIndex(best), self.lib.SCIPgetNSolsFound(self.scip), version)
        if key != self._incumbent_key:
            n = self._variables.size
            values, averages = np.empty(n), np.empty(n)
            code = self.lib.SCIPgetSolVals(self.scip, best, n, _address(self._variables), _address(values))
            native.check(code, "its incumbent")
            reading.average_solutions(self.lib.addresses, self._variables, averages)
            self._incumbent, self._incumbent_key = (values, averages), key
        return self._incumbent

    def candidates(self) -> Candidates:
        """See `LP`."""
        variables, values = ctypes.c_void_p(), ctypes.c_void_p()
        count, priority = ctypes.c_int(), ctypes.c_int()
        ref = ctypes.byref
        code = self.lib.SCIPgetLPBranchCands(
            self.scip, ref(variables), ref(values), None, ref(count), ref(priority), None
        )
        native.check(code, "its branching candidates")
        return self._candidates(variables.value or 0, values.value or 0, priority.value)

    def _candidates(self, variables: int, values: int, size: int) -> Candidates:
        found = Candidates(np.empty(size, np.int32), np.empty(size), np.empty(size, np.int64))
        reading.candidates(self.lib.addresses, variables, values, found.pointers, found.columns, found.values)
        return found

    def scalars(self) -> Scalars:
        """See `LP`."""
        lib, scip = self.lib, self.scip
        return Scalars(
            lib.SCIPgetObjNorm(scip),
            lib.SCIPgetNLPs(scip),
            lib.SCIPinfinity(scip),
            lib.SCIPepsilon(scip),
            lib.SCIPfeastol(scip),
        )

    def variable_pointers(self) -> NDArray:
        """Addresses of the columns' variables, int64 [n]."""
        self.matrix()
        return self._variables.copy()

    def statistics(self, candidates: Candidates) -> NDArray:
        """What SCIP has learned of the candidates, float64 [k, 12]; see `milp.kernels.reading.statistics`."""
        out = np.empty((len(candidates), reading.NUM_STATISTICS))
        reading.statistics(self.lib.addresses, self.scip, candidates.pointers, candidates.values, out)
        return out

    def pseudocost_scores(self, candidates: Candidates) -> NDArray:
        """SCIP's pseudocost scores, float64 [k]."""
        pointers, values = candidates.pointers, candidates.values
        scores: NDArray = reading.pseudocost_scores(self.lib.addresses, self.scip, pointers, values)
        return scores

    def strong_branching_scores(self) -> tuple[Candidates, NDArray, int]:
        """What SCIP's rule vanillafullstrong has last computed: candidates, scores [k], position of the best.

        Only after that rule has run at this node with `collectscores`; see `milp.strong_branching`.
        """
        variables, scores, ref = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.byref
        count, priority, best = ctypes.c_int(), ctypes.c_int(), ctypes.c_int(-1)
        code = self.lib.SCIPgetVanillafullstrongData(
            self.scip, ref(variables), ref(scores), ref(count), ref(priority), ref(best)
        )
        native.check(code, "its strong-branching scores")
        found = self._candidates(variables.value or 0, scores.value or 0, count.value)
        return found, found.values.copy(), best.value

    def branch_reliably(self) -> int:
        """Has SCIP's reliability branching decide, with its strong branching; returns SCIP's result code."""
        found, result = self.candidates(), ctypes.c_int(1)
        fractions = found.values - np.floor(found.values + self.lib.SCIPfeastol(self.scip))
        code = self.lib.SCIPexecRelpscostBranching(
            self.scip, _address(found.pointers), _address(found.values), _address(fractions), len(found), 1,
            ctypes.byref(result),
        )  # fmt: skip
        native.check(code, "reliability branching")
        return result.value

    def branch(self, pointer: int) -> None:
        """Branches on the variable at an address."""
        code = self.lib.SCIPbranchVar(self.scip, int(pointer), None, None, None)
        native.check(code, "to branch on a variable")
