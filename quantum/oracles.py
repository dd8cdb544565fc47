"""Dual functions of binary programs that are evaluated exactly, so that their values are bounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.errors import SolverError
from quantum.hamiltonians import Quadratic, state_bits
from quantum.lagrangian import lagrangian, multiplier_box, subgradient
from quantum.multipliers.base import Inner
from quantum.programs import BinaryProgram

MOST_VARIABLES = 24
"""A table of all states is not made for more."""

TIE = 1e-12
"""Difference from the least value, relative to the size of coefficients, up to which a state is a minimizer."""

ROUNDING = 1e-6
"""Part of a bound that may be an error of rounding, relative to max(1, |bound|)."""

Oracle = Callable[[NDArray], Inner]
"""From multipliers [m] to the minimum of the Lagrangian."""


def linear_oracle(program: BinaryProgram) -> Oracle:
    """The dual function of a program with a linear objective: x_j = 1 where its coefficient is negative.

    Slopes are those at the mean of all minimizers, where x_j = 1/2 if its coefficient is 0.

    Raises:
        SolverError: If the objective is quadratic.
    """
    if program.Q.nnz:
        raise SolverError("the objective is quadratic: linear_oracle expects a linear one, table_oracle any")

    def oracle(multipliers: NDArray) -> Inner:
        form = lagrangian(program, multipliers)
        size = np.abs(program.c) + np.abs(program.A).T @ np.abs(multipliers)
        x = np.where(np.abs(form.linear) <= TIE * size, 0.5, form.linear < 0)
        value = form.offset + float(np.minimum(form.linear, 0.0).sum())
        return Inner(value, subgradient(program, multipliers, x), exact=True)

    return oracle


def table_oracle(program: BinaryProgram) -> Oracle:
    """The dual function from a table of all 2^n energies; slopes are those at the mean of all minimizers.

    Raises:
        SolverError: If there are more than `MOST_VARIABLES` variables.
    """
    _check_size(program)

    def oracle(multipliers: NDArray) -> Inner:
        form = lagrangian(program, multipliers)
        energies = form.energies()
        size = float(np.abs(form.linear).sum() + np.abs(form.weights).sum())
        least = float(energies.min())
        states = np.flatnonzero(energies <= least + TIE * size)
        x = np.array([np.mean((states >> j) & 1) for j in range(program.num_variables)])
        return Inner(least, subgradient(program, multipliers, x), exact=True)

    return oracle


def augmented_oracle(program: BinaryProgram) -> Callable[[NDArray, NDArray], Inner]:
    """The dual function of the augmented Lagrangian, from a table of all 2^n states.

    Row i with multiplier u and weight r adds the maximum over v, inside of the box, of the Lagrangian's term at v
    less (v - u)^2 / 2r (Rockafellar 1974). Feasible solutions gain nothing by it, so that its minimum is a bound
    too, and for weights that are large enough the optimum itself (Feizollahi, Ahmed and Sun 2017).

    Returns:
        From multipliers [m] and weights [m], positive, to the minimum and to slopes (v - u) / r at a minimizer.

    Raises:
        SolverError: If there are more than `MOST_VARIABLES` variables.
    """
    _check_size(program)
    none = sparse.csr_matrix((program.num_variables,) * 2)
    low, high = multiplier_box(program)
    objective = Quadratic.of(program.offset, program.c, program.Q)

    def oracle(multipliers: NDArray, weights: NDArray) -> Inner:
        total = objective.energies()
        rows = list(zip(multipliers, weights, program.lower, program.upper, low, high, strict=True))
        for i, row in enumerate(rows):
            activity = Quadratic.of(0.0, program.A[i].toarray().ravel(), none).energies()
            total += _augmented_term(activity, *row)[0]
        state = int(total.argmin())
        activities = program.A @ state_bits(np.array(state), program.num_variables)
        responses = [_augmented_term(a, *row)[1] for a, row in zip(activities, rows, strict=True)]
        return Inner(float(total[state]), (np.array(responses) - multipliers) / weights, exact=True)

    return oracle


def _augmented_term(
    activity: NDArray, u: float, r: float, lower: float, upper: float, low: float, high: float
) -> tuple[NDArray, NDArray]:
    """The maximum of v (activity - side) - (v - u)^2 / 2r over v from low to high, and the v that attains it."""
    v = np.maximum(u + r * (activity - upper), 0.0) + np.minimum(u + r * (activity - lower), 0.0)
    v = np.clip(v, low, high)
    above = np.where(v > 0, activity - upper, 0.0)
    below = np.where(v < 0, activity - lower, 0.0)
    return v * (above + below) - (v - u) ** 2 / (2.0 * r), v


def program_bound(program: BinaryProgram, bound: float) -> float:
    """A bound of the minimized form in the sense of the program that was given.

    It is rounded to the next value that is possible, where all coefficients and prices are integral.
    """
    if _integral(program):
        rest = bound - program.offset
        bound = float(np.ceil(rest - ROUNDING * max(1.0, abs(rest)))) + program.offset
    return program.sign * bound


def _integral(program: BinaryProgram) -> bool:
    """Whether the objective, less its constant, is integral at every solution."""
    numbers = [program.c, program.Q.data]
    for price, side in ((program.shortfall, program.lower), (program.surplus, program.upper)):
        soft = np.isfinite(price) & np.isfinite(side)
        numbers += [price[soft], side[soft], program.A[soft].data]
    return all(bool((part == np.round(part)).all()) for part in numbers)


def _check_size(program: BinaryProgram) -> None:
    if program.num_variables > MOST_VARIABLES:
        n, most = program.num_variables, MOST_VARIABLES
        raise SolverError(f"{n} variables: a table of all states is made for at most {most}")
