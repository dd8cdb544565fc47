"""Mixed-integer programs as arrays, and the way between a problem's solutions and their variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.domains import Box
from co_gym.errors import InputError

FEASIBILITY_TOLERANCE = 1e-6
"""Largest violation of a row, relative to max(1, |side|), that counts as feasible (SCIP's own default)."""


@dataclass(frozen=True, eq=False)
class MixedIntegerProgram:
    """optimize c'x + x'Qx + offset subject to row_lower <= Ax <= row_upper, lower <= x <= upper.

    Attributes:
        sense: `"minimize"` or `"maximize"`.
        c: [n] float64, objective.
        A: [m, n] CSR, float64.
        row_lower: [m] float64, may hold -inf.
        row_upper: [m] float64, may hold inf.
        lower: [n] float64, may hold -inf.
        upper: [n] float64, may hold inf.
        integer: [n] bool; binary variables are integer ones with bounds 0 and 1.
        Q: [n, n] CSR or None; the whole quadratic term is x'Qx, with no factor 1/2.
        offset: Constant of the objective.
        variable_names: n names, or None for x[0], x[1], ...
        row_names: m names, or None for row 0, row 1, ...

    Raises:
        InputError: If shapes disagree, a coefficient is NaN or infinite, or a lower bound exceeds its upper bound.
    """

    sense: Literal["minimize", "maximize"]
    c: NDArray
    A: sparse.csr_matrix
    row_lower: NDArray
    row_upper: NDArray
    lower: NDArray
    upper: NDArray
    integer: NDArray
    Q: sparse.csr_matrix | None = None
    offset: float = 0.0
    variable_names: tuple[str, ...] | None = None
    row_names: tuple[str, ...] | None = None
    name: str = field(default="program")

    def __post_init__(self) -> None:
        m, n = self.A.shape
        shapes = {
            "c": (self.c, n), "lower": (self.lower, n), "upper": (self.upper, n), "integer": (self.integer, n),
            "row_lower": (self.row_lower, m), "row_upper": (self.row_upper, m),
        }  # fmt: skip
        for label, (array, size) in shapes.items():
            if array.shape != (size,):
                raise InputError(f"{label} has shape {array.shape}: expected ({size},), as A is {m} x {n}")
        if self.Q is not None and self.Q.shape != (n, n):
            raise InputError(f"Q has shape {self.Q.shape}: expected ({n}, {n})")
        coefficients = [self.c, self.A.data] + ([self.Q.data] if self.Q is not None else [])
        if not all(np.isfinite(array).all() for array in coefficients) or not np.isfinite(self.offset):
            raise InputError("a coefficient is NaN or infinite: expected finite numbers")
        for label, low, high in (
            ("row", self.row_lower, self.row_upper),
            ("variable", self.lower, self.upper),
        ):
            bad = np.flatnonzero(~((low <= high) & (low < np.inf) & (high > -np.inf)))
            if bad.size:
                i = int(bad[0])
                who = self.row_name(i) if label == "row" else self.variable_name(i)
                raise InputError(
                    f"{label} {who} has bounds [{low[i]:g}, {high[i]:g}]: the model is infeasible as given"
                )

    @property
    def num_variables(self) -> int:
        """n, the number of columns."""
        return int(self.A.shape[1])

    @property
    def num_rows(self) -> int:
        """m, the number of rows."""
        return int(self.A.shape[0])

    @property
    def binary(self) -> NDArray:
        """[n] bool; which variables are binary."""
        return self.integer & (self.lower == 0) & (self.upper == 1)

    def variable_name(self, index: int) -> str:
        """Name of a column."""
        return self.variable_names[index] if self.variable_names else f"x[{index}]"

    def row_name(self, index: int) -> str:
        """Name of a row."""
        return self.row_names[index] if self.row_names else str(index)

    def domain(self) -> Box:
        """Bounds and integrality of the variables."""
        return Box(self.lower, self.upper, self.integer, self.variable_names, FEASIBILITY_TOLERANCE)

    def evaluate(self, x: NDArray) -> float:
        """Objective at x [n]."""
        linear = float(self.c @ x) + self.offset
        return linear if self.Q is None else linear + float(x @ (self.Q @ x))

    def row_violations(self, x: NDArray, tolerance: float = FEASIBILITY_TOLERANCE) -> NDArray:
        """Amount by which each row is violated beyond its tolerance, [m] float64, 0 where satisfied."""
        activity = self.A @ x
        below = np.maximum(self.row_lower - activity, 0.0)
        above = np.maximum(activity - self.row_upper, 0.0)
        sides = np.where(below > 0, np.abs(self.row_lower), np.abs(self.row_upper))
        amount = np.maximum(below, above)
        return np.where(amount > tolerance * np.maximum(1.0, sides), amount, 0.0)

    def is_feasible(self, x: NDArray) -> bool:
        """Whether x satisfies bounds, integrality and rows to within the tolerance."""
        return not self.domain().violations(x) and not self.row_violations(x).any()


@dataclass(frozen=True, eq=False)
class Formulation:
    """A program together with the translation of solutions, so that every formulation can be undone.

    Attributes:
        program: The mixed-integer program.
        encode: A solution of the problem as values of the variables, [n] float64.
        decode: Values of the variables, integral to within tolerance, as a solution of the problem.
    """

    program: MixedIntegerProgram
    encode: Callable[[NDArray], NDArray]
    decode: Callable[[NDArray], NDArray]


def binary_program(
    sense: Literal["minimize", "maximize"],
    c: NDArray,
    A: sparse.csr_matrix,
    row_lower: NDArray | float,
    row_upper: NDArray | float,
    *,
    Q: sparse.csr_matrix | None = None,
    variable_names: Sequence[str] | None = None,
) -> MixedIntegerProgram:
    """A program in binary variables; scalar sides are repeated for every row."""
    m, n = A.shape
    return MixedIntegerProgram(
        sense=sense,
        c=np.asarray(c, dtype=np.float64),
        A=sparse.csr_matrix(A, dtype=np.float64),
        row_lower=np.broadcast_to(np.asarray(row_lower, dtype=np.float64), (m,)).copy(),
        row_upper=np.broadcast_to(np.asarray(row_upper, dtype=np.float64), (m,)).copy(),
        lower=np.zeros(n),
        upper=np.ones(n),
        integer=np.ones(n, dtype=bool),
        Q=Q,
        variable_names=None if variable_names is None else tuple(variable_names),
    )


def round_binary(x: NDArray) -> NDArray:
    """Binary variables as an int64 0/1 vector."""
    return (np.asarray(x) > 0.5).astype(np.int64)
