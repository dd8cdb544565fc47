"""Node-bipartite features (Gasse et al. 2019, as Ecole 0.8 defines them)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

AGE_OFFSET = 5.0
"""Added to the number of LPs where ages are scaled (Gasse et al. 2019)."""


@njit(cache=True, nogil=True)
def variable_rows(
    which: NDArray,
    objective: NDArray,
    types: NDArray,
    primal: NDArray,
    reduced_cost: NDArray,
    lower: NDArray,
    upper: NDArray,
    basis: NDArray,
    ages: NDArray,
    best: NDArray,
    average: NDArray,
    objective_norm: float,
    num_lps: float,
    infinity: float,
    epsilon: float,
    tolerance: float,
    out: NDArray,
) -> None:
    """Writes the 19 features of the columns at positions `which` [k] into out [k, 19]; every entry is written."""
    age_scale = 1.0 / (num_lps + AGE_OFFSET)
    norm = 1.0 / objective_norm
    for k in range(which.size):
        j = which[k]
        x, kind = primal[j], types[j]
        row = out[k]
        row[0] = objective[j] * norm
        for t in range(4):
            row[1 + t] = 0.0
            row[15 + t] = 0.0
        row[1 + kind] = 1.0
        row[15 + basis[j]] = 1.0
        row[5] = 1.0 if abs(lower[j]) < infinity else 0.0
        row[6] = 1.0 if abs(upper[j]) < infinity else 0.0
        row[7] = reduced_cost[j] * norm
        row[8] = x
        row[9] = x - math.floor(x + tolerance) if kind != 3 else 0.0
        row[10] = 1.0 if abs(x - lower[j]) <= epsilon else 0.0
        row[11] = 1.0 if abs(x - upper[j]) <= epsilon else 0.0
        row[12] = ages[j] * age_scale
        row[13] = best[j]
        row[14] = average[j]


@njit(cache=True, nogil=True)
def side_rows(
    rows: NDArray,
    signs: NDArray,
    norms: NDArray,
    cosines: NDArray,
    dual: NDArray,
    activity: NDArray,
    row_lower: NDArray,
    row_upper: NDArray,
    ages: NDArray,
    objective_norm: float,
    num_lps: float,
    epsilon: float,
    out: NDArray,
) -> None:
    """Writes the 5 features of each side: rows [M] says whose it is, signs [M] -1 a left and +1 a right one."""
    age_scale = 1.0 / (num_lps + AGE_OFFSET)
    for i in range(rows.size):
        r, sign = rows[i], signs[i]
        side = row_upper[r] if sign > 0 else row_lower[r]
        row = out[i]
        row[0] = sign * side / norms[r]
        row[1] = sign * cosines[r]
        row[2] = 1.0 if abs(activity[r] - side) <= epsilon else 0.0
        row[3] = sign * dual[r] / (norms[r] * objective_norm)
        row[4] = ages[r] * age_scale


@njit(cache=True, nogil=True)
def finite_sides(row_lower: NDArray, row_upper: NDArray):  # type: ignore[no-untyped-def]
    """Whose the finite sides are, int32 [M], and -1 for a left and +1 for a right one, [M]; left before right."""
    size = 0
    for i in range(row_lower.size):
        size += int(math.isfinite(row_lower[i])) + int(math.isfinite(row_upper[i]))
    rows, signs = np.empty(size, dtype=np.int32), np.empty(size)
    k = 0
    for i in range(row_lower.size):
        for sign, side in ((-1.0, row_lower[i]), (1.0, row_upper[i])):
            if math.isfinite(side):
                rows[k], signs[k] = i, sign
                k += 1
    return rows, signs


@njit(cache=True, nogil=True)
def same_sides(rows: NDArray, signs: NDArray, row_lower: NDArray, row_upper: NDArray) -> bool:
    """Whether `finite_sides` would find these again."""
    k = 0
    for i in range(row_lower.size):
        for sign, side in ((-1.0, row_lower[i]), (1.0, row_upper[i])):
            if math.isfinite(side):
                if k == rows.size or rows[k] != i or signs[k] != sign:
                    return False
                k += 1
    return k == rows.size


@njit(cache=True, nogil=True)
def row_norms(indptr: NDArray, indices: NDArray, values: NDArray, objective: NDArray, objective_norm: float):  # type: ignore[no-untyped-def]
    """Euclidean norms of the rows (1 for an empty row) and cosines with the objective, [m] each."""
    m = indptr.size - 1
    norms, cosines = np.ones(m), np.zeros(m)
    for i in range(m):
        square, product = 0.0, 0.0
        for e in range(indptr[i], indptr[i + 1]):
            square += values[e] * values[e]
            product += values[e] * objective[indices[e]]
        if square > 0:
            norms[i] = math.sqrt(square)
            if norms[i] * objective_norm > 1e-9:
                cosines[i] = product / (norms[i] * objective_norm)
    return norms, cosines


@njit(cache=True, nogil=True)
def side_edges(indptr: NDArray, indices: NDArray, values: NDArray, rows: NDArray, signs: NDArray):  # type: ignore[no-untyped-def]
    """The matrix with each row once for each of its finite sides, left sides negated: CSR in int32 and float32."""
    M = rows.size
    out_indptr = np.empty(M + 1, dtype=np.int32)
    out_indptr[0] = 0
    for i in range(M):
        out_indptr[i + 1] = out_indptr[i] + indptr[rows[i] + 1] - indptr[rows[i]]
    out_indices = np.empty(out_indptr[M], dtype=np.int32)
    out_values = np.empty(out_indptr[M], dtype=np.float32)
    for i in range(M):
        shift = out_indptr[i] - indptr[rows[i]]
        for e in range(indptr[rows[i]], indptr[rows[i] + 1]):
            out_indices[e + shift] = indices[e]
            out_values[e + shift] = signs[i] * values[e]
    return out_indptr, out_indices, out_values
