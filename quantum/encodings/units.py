"""Units of a program, in which constants of quadratic terms are free of dimension, and the terms themselves.

A constant of 1 means: to miss a row by a typical coefficient of it costs what a typical flip of a bit changes the
objective by. Multiplying the objective, or a row, by a positive number changes nothing then.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from quantum.hamiltonians import Quadratic
from quantum.lagrangian import lagrangian
from quantum.programs import BinaryProgram


def objective_unit(program: BinaryProgram) -> float:
    """Root mean square change of the objective by the flip of a bit, over all states; 1 for a constant.

    Of a row with a price it is the change where the row is missed.
    """
    objective = Quadratic.of(0.0, program.c, program.Q).ising()
    squares = 4.0 * (np.sum(objective.fields**2) + 2.0 * np.sum(objective.couplings**2))
    low, high = program.shortfall, program.surplus
    prices = np.maximum(np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0))
    squares += prices**2 @ _squares(program.A)
    return float(np.sqrt(squares / max(program.num_variables, 1))) or 1.0


def row_units(program: BinaryProgram) -> NDArray:
    """[m] float64, root mean square of the coefficients of each row that are not 0; 1 for an empty row."""
    counts = np.asarray((program.A != 0).sum(axis=1)).ravel()
    return np.where(counts > 0, np.sqrt(_squares(program.A) / np.maximum(counts, 1)), 1.0)


def _squares(A: sparse.csr_matrix) -> NDArray:
    return np.asarray(A.multiply(A).sum(axis=1)).ravel()


def square_weights(program: BinaryProgram, constant: float | NDArray) -> NDArray:
    """[m] float64, factors of the squares (a_i x - side)^2 for a constant free of dimension, or one per row."""
    return constant * objective_unit(program) / row_units(program) ** 2


def equality_rows(program: BinaryProgram) -> NDArray:
    """[m] bool, rows whose sides are the same."""
    return program.lower == program.upper


def with_squares(program: BinaryProgram, multipliers: NDArray, *squares: tuple[NDArray, NDArray]) -> Quadratic:
    """The Lagrangian, and sum_i weights_i (a_i x - sides_i)^2.

    Args:
        program: The program.
        multipliers: [m] float64.
        squares: Weights [m] and sides [m], finite where the weight is not 0.
    """
    linear = lagrangian(program, multipliers)
    offset, slopes, Q = linear.offset, program.c + program.A.T @ multipliers, program.Q
    for weights, sides in squares:
        sides = np.where(weights > 0, sides, 0.0)
        Q = Q + program.A.T @ sparse.diags(weights) @ program.A
        slopes = slopes - 2.0 * (program.A.T @ (weights * sides))
        offset += float(weights @ sides**2)
    return Quadratic.of(offset, slopes, Q)
