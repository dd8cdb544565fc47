"""What is read of the LP of a node, and what reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from numpy.typing import NDArray


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
    """The optimal basis of the LP. Activities and sides are without the rows' constants, missing bounds infinite.

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


@dataclass(frozen=True)
class Scalars:
    """Numbers that concern the whole LP: norm of the objective, LPs solved so far, SCIP's tolerances."""

    objective_norm: float
    num_lps: int
    infinity: float
    epsilon: float
    feasibility_tolerance: float


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
