"""Augmented Lagrangians: squares of rows besides the multipliers, without slack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import SolverError
from quantum.encodings.base import Encoded, check_constants, multipliers_or_duals
from quantum.encodings.units import equality_rows, square_weights, with_squares
from quantum.hamiltonians import MOST_QUBITS, Quadratic, Table
from quantum.lagrangian import active_sides
from quantum.programs import BinaryProgram

BLOCK = 16
"""Energies are computed for so many qubits at once."""


@dataclass(frozen=True)
class Augmented:
    """f(x) + u'g + rho/2 sum_i g_i^2, with g_i = a_i x - side_i: quadratic, so that devices run it.

    For equalities it is the augmented Lagrangian (Hestenes 1969, Powell 1969). An inequality enters with the side
    that its multiplier speaks of, as if it were an equality there: right where it is tight at the optimum, as rows
    with multipliers tend to be. One without a multiplier is left out. `Hinge` is the exact term.

    Without multipliers it takes the dual values of the LP relaxation.

    Attributes:
        rho: Weight of the squares of inequalities, in the units of `quantum.encodings.units`.
        equalities: Weight of the squares of equalities, in place of rho.
    """

    rho: float = 0.3
    equalities: float = 2.0

    name = "augmented"
    summary = "Quadratic augmented Lagrangian around active sides (Hestenes 1969, Powell 1969)"
    exact = False
    takes_multipliers = True

    def __post_init__(self) -> None:
        check_constants(positive=False, rho=self.rho, equalities=self.equalities)

    def encode(self, program: BinaryProgram, multipliers: NDArray | None = None) -> Encoded:
        """See `Encoding`."""
        multipliers = multipliers_or_duals(program, multipliers)
        equal = equality_rows(program)
        constants = np.where(equal, self.equalities, np.where(multipliers != 0, self.rho, 0.0))
        weights = square_weights(program, constants / 2.0)
        sides = np.where(equal, program.lower, active_sides(program, multipliers))
        form = with_squares(program, multipliers, (weights, sides))
        return Encoded(form.ising(), np.arange(program.num_variables, dtype=np.int64), program)


@dataclass(frozen=True)
class Hinge:
    """f(x) + (1 / 2 rho) sum_i ([u_i + rho g_i]_+^2 - u_i^2): the augmented Lagrangian (Rockafellar 1973).

    In general the term of a row is the least value of u (a x - v) + rho/2 (a x - v)^2 over all v that the row
    allows. It is 0 at most where the row holds, so that the least energy is a lower bound of the program. No
    quadratic form, and so for simulators only. Sides with a price cost just that price, whatever the multiplier.

    Without multipliers it takes the dual values of the LP relaxation.

    Attributes:
        rho: Weight of the squares, in the units of `quantum.encodings.units`.
    """

    rho: float = 2.0

    name = "hinge"
    summary = "Exact augmented Lagrangian of inequalities, for simulators (Rockafellar 1973)"
    exact = False
    takes_multipliers = True

    def __post_init__(self) -> None:
        check_constants(rho=self.rho)

    def encode(self, program: BinaryProgram, multipliers: NDArray | None = None) -> Encoded:
        """See `Encoding`.

        Raises:
            SolverError: If a table of energies would be too large.
        """
        multipliers = multipliers_or_duals(program, multipliers)
        n = program.num_variables
        if n > MOST_QUBITS:
            raise SolverError(f"{n} variables: the table of 'hinge' holds at most {MOST_QUBITS}")
        values = Quadratic.of(program.offset, program.c, program.Q).energies()
        rho = square_weights(program, self.rho)
        A = np.asarray(program.A.todense())
        low = _subset_sums(A[:, :BLOCK])
        blocks = values.reshape(-1, low.shape[1])
        for block, high in zip(blocks, _subset_sums(A[:, BLOCK:]).T, strict=True):
            for i in range(program.num_rows):
                block += _row_costs(program, i, low[i] + high[i], multipliers[i], rho[i])
        return Encoded(Table(values), np.arange(n, dtype=np.int64), program)


def _subset_sums(A: NDArray) -> NDArray:
    """[m, 2^k] float64, activities of the rows [m, k] at all states."""
    sums = np.zeros((A.shape[0], 1))
    for column in A.T:
        sums = np.hstack([sums, sums + column[:, None]])
    return sums


def _row_costs(program: BinaryProgram, i: int, activity: NDArray, multiplier: float, rho: float) -> NDArray:
    """What a row costs at activities [K]: prices of its sides, and the augmented term of those without one."""
    costs = np.zeros_like(activity)
    lower, upper = program.lower[i], program.upper[i]
    if np.isfinite(program.shortfall[i]):
        costs += program.shortfall[i] * np.maximum(lower - activity, 0.0)
        lower, multiplier = -np.inf, max(multiplier, 0.0)
    if np.isfinite(program.surplus[i]):
        costs += program.surplus[i] * np.maximum(activity - upper, 0.0)
        upper, multiplier = np.inf, min(multiplier, 0.0)
    gap = activity - np.clip(activity + multiplier / rho, lower, upper)
    return costs + multiplier * gap + rho / 2.0 * gap**2
