"""The LP of the current node in arrays: in bulk through SCIP's C functions, or by PySCIPOpt's getters."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import SolverError
from milp import native
from milp.kernels import reading


@dataclass(frozen=True, eq=False)
class Matrix:
    """What stays the same while the LP has the same rows and columns. Rows without their constants.

    Attributes:
        indptr: [m + 1] int32, CSR.
        indices: [E] int32, positions of columns in the LP.
        values: [E] float64.
        constants: [m] float64.
        objective: [n] float64; SCIP minimizes.
        types: [n] int32: 0 binary, 1 integer, 2 implied integral, 3 continuous.
        version: Counts the matrices of a solve.
    """

    indptr: NDArray
    indices: NDArray
    values: NDArray
    constants: NDArray
    objective: NDArray
    types: NDArray
    version: int = 0

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self.indptr.size - 1

    @property
    def num_columns(self) -> int:
        """Number of columns."""
        return self.objective.size


@dataclass(frozen=True, eq=False)
class Values:
    """The optimal basis of the LP. Activities and sides are without the rows' constants.

    Attributes:
        primal, reduced_cost, lower, upper: [n] float64.
        dual, activity, row_lower, row_upper: [m] float64.
        column_basis: [n] int32: 0 at lower bound, 1 basic, 2 at upper bound, 3 nonbasic at zero.
        row_basis: [m] int32, likewise.
    """

    primal: NDArray
    reduced_cost: NDArray
    lower: NDArray
    upper: NDArray
    dual: NDArray
    activity: NDArray
    row_lower: NDArray
    row_upper: NDArray
    column_basis: NDArray
    row_basis: NDArray


@dataclass(frozen=True, eq=False)
class Candidates:
    """The fractional variables of highest branching priority, in SCIP's order.

    Attributes:
        columns: [k] int32, positions in the LP.
        values: [k] float64, LP values.
        pointers: [k] int64, addresses of the variables; empty without C functions.
    """

    columns: NDArray
    values: NDArray
    pointers: NDArray

    def __len__(self) -> int:
        return self.columns.size


class LP(Protocol):
    """The LP of the node that SCIP is at; to be used inside a callback, while the LP is solved."""

    def matrix(self) -> Matrix:
        """The constraint matrix; the same object until rows or columns change."""

    def values(self) -> Values:
        """Primal and dual solution and bounds."""

    def ages(self) -> tuple[NDArray, NDArray]:
        """Ages of columns [n] and rows [m], int32."""

    def incumbent(self) -> tuple[NDArray, NDArray] | None:
        """Values [n] of the best solution and means over all solutions found; None before the first."""

    def candidates(self) -> Candidates:
        """What can be branched on."""

    def scalars(self) -> Scalars:
        """Numbers that concern the whole LP."""


@dataclass(frozen=True)
class Scalars:
    """Numbers that concern the whole LP: norm of the objective, LPs solved so far, SCIP's tolerances."""

    objective_norm: float
    num_lps: int
    infinity: float
    epsilon: float
    feasibility_tolerance: float


def open_lp(model: Any) -> LP:
    """The LP of a model: in bulk if SCIP's C functions can be called, else by getters, with one warning."""
    try:
        return NativeLP(model)
    except native.MissingSymbols as error:
        _warn_once(str(error))
        return GetterLP(model)


_warned: set[str] = set()


def _warn_once(text: str) -> None:
    if text not in _warned:
        _warned.add(text)
        import warnings

        warnings.warn(f"{text}; PySCIPOpt's getters are used, which are slower", RuntimeWarning, stacklevel=3)


def _address(array: NDArray) -> int:
    return int(array.ctypes.data)


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
        native.check(self.lib.SCIPgetLPI(self.scip, ctypes.byref(interface)), "access to its LP")
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
        api, interface = self.lib.addresses, self._interface()
        entries = ctypes.c_int()
        native.check(self.lib.SCIPlpiGetNNonz(interface, ctypes.byref(entries)), "access to its matrix")
        begin = np.empty(m + 1, dtype=np.int32)
        indices, values = np.empty(entries.value, dtype=np.int32), np.empty(entries.value)
        count = ctypes.c_int()
        if m:
            code = self.lib.SCIPlpiGetRows(
                interface, 0, m - 1, None, None, ctypes.byref(count),
                _address(begin), _address(indices), _address(values),
            )  # fmt: skip
            native.check(code, "access to its matrix")
        begin[m] = count.value
        objective = np.empty(n)
        native.check(self.lib.SCIPlpiGetObj(interface, 0, n - 1, _address(objective)), "access to its objective")
        if self._variables.size != n:
            self._variables, self._incumbent_key = np.empty(n, dtype=np.int64), ()
        reading.variables_of_columns(api, columns, self._variables)
        types, constants = np.empty(n, dtype=np.int32), np.empty(m)
        reading.variable_types(api, self._variables, types)
        reading.row_constants(api, rows, constants)
        self._row_indices = np.empty(m, dtype=np.int32)
        reading.row_indices(api, rows, self._row_indices)
        version = 0 if self._matrix is None else self._matrix.version + 1
        self._matrix = Matrix(begin, indices, values, constants, objective, types, version)
        return self._matrix

    def values(self) -> Values:
        """See `LP`."""
        matrix, interface = self.matrix(), self._interface()
        n, m = matrix.num_columns, matrix.num_rows
        primal, reduced_cost, lower, upper = (np.empty(n) for _ in range(4))
        dual, activity, row_lower, row_upper = (np.empty(m) for _ in range(4))
        column_basis, row_basis = np.empty(n, dtype=np.int32), np.empty(m, dtype=np.int32)
        lib = self.lib
        code = lib.SCIPlpiGetSol(
            interface, None, _address(primal), _address(dual), _address(activity), _address(reduced_cost)
        )
        native.check(code, "access to its LP solution")
        native.check(lib.SCIPlpiGetBase(interface, _address(column_basis), _address(row_basis)), "its basis")
        native.check(lib.SCIPlpiGetBounds(interface, 0, n - 1, _address(lower), _address(upper)), "its bounds")
        if m:
            code = lib.SCIPlpiGetSides(interface, 0, m - 1, _address(row_lower), _address(row_upper))
            native.check(code, "access to its sides")
        return Values(
            primal, reduced_cost, lower, upper, dual, activity, row_lower, row_upper, column_basis, row_basis
        )

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
            native.check(code, "access to its incumbent")
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
        native.check(code, "access to its branching candidates")
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
        native.check(code, "access to its strong-branching scores")
        found = self._candidates(variables.value or 0, scores.value or 0, count.value)
        return found, found.values.copy(), best.value

    def branch(self, pointer: int) -> None:
        """Branches on the variable at an address."""
        code = self.lib.SCIPbranchVar(self.scip, int(pointer), None, None, None)
        native.check(code, "to branch on a variable")


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
        sides = np.array([[row.getLhs(), row.getRhs()] for row in rows]).reshape(-1, 2)
        sides = np.where(np.abs(sides) < model.infinity(), sides - constants[:, None], sides)
        return Values(
            primal=np.array([col.getPrimsol() for col in columns]),
            reduced_cost=np.array([model.getColRedCost(col) for col in columns]),
            lower=np.array([col.getLb() for col in columns]),
            upper=np.array([col.getUb() for col in columns]),
            dual=np.array([row.getDualsol() for row in rows]),
            activity=np.array([model.getRowLPActivity(row) for row in rows]) - constants,
            row_lower=sides[:, 0],
            row_upper=sides[:, 1],
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


def _type(variable: Any) -> int:
    kinds = {"BINARY": 0, "INTEGER": 1, "IMPLINT": reading.IMPLIED, "CONTINUOUS": 3}
    kind = kinds[variable.vtype()]
    return reading.IMPLIED if kind != 0 and variable.isImpliedIntegral() else kind


def _equal(a: Matrix, b: Matrix) -> bool:
    names = ("indptr", "indices", "values", "constants", "objective", "types")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


def native_lp(model: Any) -> NativeLP:
    """The LP of a model through C functions.

    Raises:
        SolverError: If they cannot be called.
    """
    try:
        return NativeLP(model)
    except native.MissingSymbols as error:
        raise SolverError(f"this needs SCIP's C functions: {error}") from error
