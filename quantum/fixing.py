"""Variables that can be fixed before a program is encoded: each saves a qubit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.errors import SolverError
from co_gym.formulation import FEASIBILITY_TOLERANCE
from co_gym.relaxation import Relaxation
from quantum.programs import BinaryProgram

TOLERANCE = 1e-6
"""Relative, of a bound and of reduced costs."""


def by_reduced_costs(program: BinaryProgram, relaxation: Relaxation, incumbent: float) -> dict[int, int]:
    """Variables that have one value in all solutions better than the incumbent (Dantzig et al. 1954).

    Setting a variable to its other value raises the bound of the relaxation by its reduced cost at least; where
    that is past the incumbent, no better solution has it there.

    Args:
        program: The program.
        relaxation: Of `quantum.lagrangian.relaxation`.
        incumbent: Objective of a solution, in the program's minimized form.

    Returns:
        Values by variable; for `BinaryProgram.fix`.

    Raises:
        SolverError: If the relaxation has no optimum.
    """
    if relaxation.bound is None or relaxation.reduced_costs is None:
        raise SolverError(f"the LP relaxation is {relaxation.status}: there are no reduced costs to fix by")
    costs = relaxation.reduced_costs
    slack = TOLERANCE * max(1.0, abs(incumbent), abs(relaxation.bound))
    certain = np.flatnonzero(relaxation.bound + np.abs(costs) > incumbent + slack)
    return {int(j): int(costs[j] < 0) for j in certain}


def by_propagation(program: BinaryProgram) -> dict[int, int]:
    """Variables that have one value in all feasible solutions, as far as single rows tell (Savelsbergh 1994).

    A row is satisfiable only if its least activity is below its upper side, and so for its lower side; a value
    that prevents this is excluded. Repeated until nothing changes.

    Args:
        program: The program; sides with a price are no constraints.

    Returns:
        Values by variable; for `BinaryProgram.fix`.

    Raises:
        SolverError: If a row cannot be satisfied.
    """
    lower = np.where(np.isinf(program.shortfall), program.lower, -np.inf)
    upper = np.where(np.isinf(program.surplus), program.upper, np.inf)
    lower = lower - FEASIBILITY_TOLERANCE * np.maximum(1.0, np.abs(program.lower))
    upper = upper + FEASIBILITY_TOLERANCE * np.maximum(1.0, np.abs(program.upper))
    entries = sparse.coo_matrix(program.A)
    low, high = np.zeros(program.num_variables), np.ones(program.num_variables)
    while True:
        excluded = _excluded(entries, (lower, upper), low, high)
        if not excluded.any():
            break
        high[excluded[1]], low[excluded[0]] = 0.0, 1.0
        if (low > high).any():
            raise SolverError(f"variable {int(np.argmax(low > high))} has no value at which all rows hold")
    return {int(j): int(low[j]) for j in np.flatnonzero(low == high)}


def _excluded(entries: sparse.coo_matrix, sides: tuple[NDArray, NDArray], low: NDArray, high: NDArray) -> NDArray:
    """[2, n] bool, which of the values 0 and 1 of free variables some row excludes.

    Raises:
        SolverError: If a row cannot be satisfied.
    """
    row, column, data = entries.row, entries.col, entries.data
    at_low, at_high = data * low[column], data * high[column]
    m = entries.shape[0]
    least = np.bincount(row, np.minimum(at_low, at_high), minlength=m)
    most = np.bincount(row, np.maximum(at_low, at_high), minlength=m)
    impossible = (least > sides[1]) | (most < sides[0])
    if impossible.any():
        raise SolverError(f"row {int(np.argmax(impossible))} cannot be satisfied")
    free = low[column] < high[column]
    too_high = free & (np.abs(data) > (sides[1] - least)[row])
    too_low = free & (np.abs(data) > (most - sides[0])[row])
    excluded = np.zeros((2, low.size), dtype=bool)
    for which, raises in ((too_high, data > 0), (too_low, data < 0)):
        excluded[1, column[which & raises]] = True
        excluded[0, column[which & ~raises]] = True
    return excluded
