"""Programs with some of their variables fixed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram

FREED = 5
"""Variables of a row that are freed at once."""
ROUNDS = 50
TOLERANCE = 1e-6


def loosened(program: MixedIntegerProgram, values: NDArray, fixed: NDArray, doubt: NDArray) -> NDArray:
    """Which variables may stay fixed: of each row that cannot be satisfied, the most doubtful ones are freed.

    Rows are looked at one by one, so that what is left may still be infeasible.

    Args:
        program: The program.
        values: [n] float64, where variables are fixed.
        fixed: [n] bool, the variables to fix.
        doubt: [n] float64; larger is less sure.

    Returns:
        [n] bool; a part of `fixed`.
    """
    A, kept = program.A, fixed.copy()
    positive, negative = A.maximum(0.0).tocsr(), A.minimum(0.0).tocsr()
    low, high = program.row_lower - TOLERANCE, program.row_upper + TOLERANCE
    for _ in range(ROUNDS):
        lower, upper = np.where(kept, values, program.lower), np.where(kept, values, program.upper)
        short = positive @ upper + negative @ lower < low
        over = positive @ lower + negative @ upper > high
        if not (short | over).any():
            break
        for row in np.flatnonzero(short | over):
            span = slice(*A.indptr[row : row + 2])
            columns, side = A.indices[span], 1.0 if short[row] else -1.0
            wanted = side * A.data[span] > 0  # whether a larger value helps
            room = np.where(
                wanted, program.upper[columns] - values[columns], values[columns] - program.lower[columns]
            )
            able = columns[kept[columns] & (room > 0)]
            kept[able[np.argsort(-doubt[able], kind="stable")[:FREED]]] = False
    return kept


def restricted(
    program: MixedIntegerProgram, values: NDArray, free: NDArray
) -> tuple[MixedIntegerProgram, NDArray]:
    """The program with all integer variables but some fixed, and without rows that hold no other variable.

    Args:
        program: The program.
        values: [n] float64, a solution.
        free: Positions of the integer variables that are free; all others of its columns are.

    Returns:
        The program, and the positions [k] of its columns.
    """
    chosen = ~program.integer
    chosen[free] = True
    columns = np.flatnonzero(chosen)
    fixed = np.where(chosen, 0.0, values)
    A = sparse.csr_matrix(program.A[:, columns])
    rows = np.flatnonzero(np.diff(A.indptr))
    activity = (program.A @ fixed)[rows]
    part = replace(
        program,
        c=program.c[columns],
        A=A[rows],
        row_lower=program.row_lower[rows] - activity,
        row_upper=program.row_upper[rows] - activity,
        lower=program.lower[columns],
        upper=program.upper[columns],
        integer=program.integer[columns],
        offset=program.offset + float(program.c @ fixed),
        variable_names=None,
        row_names=None,
    )
    return part, columns
