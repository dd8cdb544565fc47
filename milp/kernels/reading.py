"""What SCIP only hands out one column, row or variable at a time. `api` is `Library.addresses`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from milp.kernels.calls import (
    int_of_pointer,
    load_pointer,
    load_real,
    long_of_pointer,
    long_of_pointer_and_int,
    real_of_pointer,
    real_of_pointer_and_int,
    real_of_pointers,
    real_of_pointers_and_int,
    real_of_pointers_and_real,
)
from milp.native import CALLBACKS

(
    COL_AGE,
    COL_VAR,
    COL_POSITION,
    VAR_COL,
    VAR_TYPE,
    VAR_IMPLIED,
    VAR_AVERAGE,
    ROW_AGE,
    ROW_INDEX,
    ROW_CONSTANT,
    PSEUDOCOST,
    PSEUDOCOST_SCORE,
    PSEUDOCOST_COUNT,
    CUTOFFS,
    BRANCHINGS,
    INFERENCES,
    CUTOFF_SCORE,
    CONFLICTS,
) = range(len(CALLBACKS))

DOWN, UP = 0, 1
IMPLIED = 2
"""The code of an implied integral variable, as SCIP had it as a type until version 9."""
NUM_STATISTICS = 12
"""Columns of `statistics`."""


@njit(cache=True, nogil=True)
def variables_of_columns(api: NDArray, columns: int, out: NDArray) -> None:
    """Pointers of the variables of the first out.size columns of the array at `columns`."""
    for j in range(out.size):
        out[j] = long_of_pointer(api[COL_VAR], load_pointer(columns, j))


@njit(cache=True, nogil=True)
def same_variables(known: NDArray, columns: NDArray, variables: NDArray) -> bool:
    """Whether `known` [n] has the variables [k] at the positions `columns` [k]."""
    for k in range(columns.size):
        if not 0 <= columns[k] < known.size or known[columns[k]] != variables[k]:
            return False
    return True


@njit(cache=True, nogil=True)
def variable_types(api: NDArray, variables: NDArray, out: NDArray) -> None:
    """Types: 0 binary, 1 integer, 2 implied integral, 3 continuous."""
    for j in range(out.size):
        implied = int_of_pointer(api[VAR_IMPLIED], variables[j]) & 0xFF
        kind = int_of_pointer(api[VAR_TYPE], variables[j])
        out[j] = IMPLIED if implied and kind != 0 else kind


@njit(cache=True, nogil=True)
def average_solutions(api: NDArray, variables: NDArray, out: NDArray) -> None:
    """Mean value of each variable in the solutions found so far."""
    for j in range(out.size):
        out[j] = real_of_pointer(api[VAR_AVERAGE], variables[j])


@njit(cache=True, nogil=True)
def column_ages(api: NDArray, columns: int, out: NDArray) -> None:
    """LPs in a row in which each column was zero."""
    for j in range(out.size):
        out[j] = int_of_pointer(api[COL_AGE], load_pointer(columns, j))


@njit(cache=True, nogil=True)
def row_ages(api: NDArray, rows: int, out: NDArray) -> None:
    """LPs in a row in which each row was not tight."""
    for i in range(out.size):
        out[i] = int_of_pointer(api[ROW_AGE], load_pointer(rows, i))


@njit(cache=True, nogil=True)
def same_rows(api: NDArray, rows: int, known: NDArray) -> bool:
    """Whether the rows are those of the indices `known`; SCIP never uses an index twice."""
    for i in range(known.size):  # noqa: SIM110
        if int_of_pointer(api[ROW_INDEX], load_pointer(rows, i)) != known[i]:
            return False
    return True


@njit(cache=True, nogil=True)
def row_indices(api: NDArray, rows: int, out: NDArray) -> None:
    """The unique index of each row."""
    for i in range(out.size):
        out[i] = int_of_pointer(api[ROW_INDEX], load_pointer(rows, i))


@njit(cache=True, nogil=True)
def row_constants(api: NDArray, rows: int, out: NDArray) -> None:
    """The constant of each row, which the LP solver does not know."""
    for i in range(out.size):
        out[i] = real_of_pointer(api[ROW_CONSTANT], load_pointer(rows, i))


@njit(cache=True, nogil=True)
def mark_infinite(bounds: NDArray, infinity: float) -> None:
    """Has infinite bounds [k, n] as such: SCIP and its LP solver have large numbers, each its own."""
    for row in bounds:
        for i in range(row.size):
            if abs(row[i]) >= infinity:
                row[i] = np.inf if row[i] > 0 else -np.inf


@njit(cache=True, nogil=True)
def candidates(api: NDArray, variables: int, values: int, out: Any, positions: Any, fractional: Any) -> None:
    """Pointers, column positions and values of the variables in a C array."""
    for k in range(out.size):
        variable = load_pointer(variables, k)
        out[k] = variable
        positions[k] = int_of_pointer(api[COL_POSITION], long_of_pointer(api[VAR_COL], variable))
        fractional[k] = load_real(values, k)


@njit(cache=True, nogil=True)
def statistics(api: NDArray, scip: int, variables: NDArray, values: NDArray, out: NDArray) -> None:
    """What SCIP has learned of candidates, [k, NUM_STATISTICS].

    Pseudocost up and down, cutoffs up and down, branchings up and down (Khalil et al. 2016); then pseudocost
    score, its counts down and up in this run, inference, cutoff and conflict score.
    """
    for k in range(variables.size):
        v = variables[k]
        out[k, 0] = real_of_pointers_and_int(api[PSEUDOCOST], scip, v, UP)
        out[k, 1] = real_of_pointers_and_int(api[PSEUDOCOST], scip, v, DOWN)
        out[k, 2] = real_of_pointer_and_int(api[CUTOFFS], v, UP)
        out[k, 3] = real_of_pointer_and_int(api[CUTOFFS], v, DOWN)
        out[k, 4] = long_of_pointer_and_int(api[BRANCHINGS], v, UP)
        out[k, 5] = long_of_pointer_and_int(api[BRANCHINGS], v, DOWN)
        out[k, 6] = real_of_pointers_and_real(api[PSEUDOCOST_SCORE], scip, v, values[k])
        out[k, 7] = real_of_pointers_and_int(api[PSEUDOCOST_COUNT], scip, v, DOWN)
        out[k, 8] = real_of_pointers_and_int(api[PSEUDOCOST_COUNT], scip, v, UP)
        out[k, 9] = real_of_pointers(api[INFERENCES], scip, v)
        out[k, 10] = real_of_pointers(api[CUTOFF_SCORE], scip, v)
        out[k, 11] = real_of_pointers(api[CONFLICTS], scip, v)


@njit(cache=True, nogil=True)
def pseudocost_scores(api: NDArray, scip: int, variables: NDArray, values: NDArray) -> NDArray:
    """SCIP's pseudocost score of each candidate at its LP value, [k]."""
    out = np.empty(variables.size)
    for k in range(variables.size):
        out[k] = real_of_pointers_and_real(api[PSEUDOCOST_SCORE], scip, variables[k], values[k])
    return out
