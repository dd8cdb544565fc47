"""The 72 candidate features of Khalil et al. 2016, in the order of Ecole 0.8's Khalil2016.

Where Ecole departs from the paper by mistakes, this follows the paper: there, the deviation of active coefficients
is that of the last row alone, and the largest of negative numbers is 2e-308.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

STATIC, ROWS, ACTIVE, TOTAL = 18, 29, 48, 72
"""Where the features of the root end, those of the rows begin, those of the active rows begin, and all end."""


@njit(cache=True, nogil=True)
def transpose(indptr: NDArray, indices: NDArray, values: NDArray, n: int):  # type: ignore[no-untyped-def]
    """CSR [m, n] to CSC: column pointers [n + 1], rows and values of the entries."""
    m, entries = indptr.size - 1, values.size
    starts = np.zeros(n + 1, dtype=np.int32)
    for e in range(entries):
        starts[indices[e] + 1] += 1
    for j in range(n):
        starts[j + 1] += starts[j]
    where = starts[:-1].copy()
    rows, transposed = np.empty(entries, dtype=np.int32), np.empty(entries)
    for i in range(m):
        for e in range(indptr[i], indptr[i + 1]):
            position = where[indices[e]]
            rows[position], transposed[position] = i, values[e]
            where[indices[e]] += 1
    return starts, rows, transposed


@njit(cache=True, nogil=True)
def row_sums(indptr: NDArray, values: NDArray) -> NDArray:
    """Sums of the positive and of the negative coefficients of each row, [m, 2]."""
    sums = np.zeros((indptr.size - 1, 2))
    for i in range(indptr.size - 1):
        for e in range(indptr[i], indptr[i + 1]):
            sums[i, 0 if values[e] > 0 else 1] += values[e]
    return sums


@njit(cache=True, nogil=True)
def _set_statistics(
    out: NDArray, at: int, count: int, total: float, squares: float, low: float, high: float
) -> None:
    """Mean, deviation, least and largest of `count` numbers into out[at:at + 4]; zeros for none."""
    if count == 0:
        out[at] = out[at + 1] = out[at + 2] = out[at + 3] = 0.0
        return
    mean = total / count
    out[at] = mean
    out[at + 1] = math.sqrt(max(squares / count - mean * mean, 0.0))
    out[at + 2] = low
    out[at + 3] = high


@njit(cache=True, nogil=True)
def static_features(
    starts: NDArray, rows: NDArray, values: NDArray, indptr: NDArray, objective: NDArray
) -> NDArray:
    """The 18 features that are taken at the root, float64 [n, 18]."""
    n = objective.size
    out = np.zeros((n, STATIC))
    for j in range(n):
        first, last = starts[j], starts[j + 1]
        out[j, 0], out[j, 1], out[j, 2] = objective[j], max(objective[j], 0.0), min(objective[j], 0.0)
        out[j, 3] = last - first
        degrees(out[j], 4, starts, rows, indptr, j)
        for sign, at in ((1.0, 8), (-1.0, 13)):
            count, total, squares, low, high = 0, 0.0, 0.0, math.inf, -math.inf
            for e in range(first, last):
                a = values[e]
                if a * sign > 0:
                    count += 1
                    total += a
                    squares += a * a
                    low, high = min(low, a), max(high, a)
            out[j, at] = count
            _set_statistics(out[j], at + 1, count, total, squares, low, high)
    return out


@njit(cache=True, nogil=True)
def degrees(out: NDArray, at: int, starts: NDArray, rows: NDArray, indptr: NDArray, j: int) -> None:
    """Mean, deviation, least and largest of the degrees of a column's rows into out[at:at + 4]."""
    total, squares, low, high = 0.0, 0.0, math.inf, -math.inf
    for e in range(starts[j], starts[j + 1]):
        degree = float(indptr[rows[e] + 1] - indptr[rows[e]])
        total += degree
        squares += degree * degree
        low, high = min(low, degree), max(high, degree)
    _set_statistics(out, at, starts[j + 1] - starts[j], total, squares, low, high)


@njit(cache=True, nogil=True)
def active_weights(
    columns: NDArray,
    starts: NDArray,
    rows: NDArray,
    values: NDArray,
    sums: NDArray,
    dual: NDArray,
    activity: NDArray,
    row_lower: NDArray,
    row_upper: NDArray,
    epsilon: float,
) -> NDArray:
    """Weights of the active rows, [m, 4]; the first is 1 for active rows and 0 for others."""
    m = dual.size
    of_candidates, weights = np.zeros(m), np.zeros((m, 4))
    for j in columns:
        for e in range(starts[j], starts[j + 1]):
            of_candidates[rows[e]] += abs(values[e])
    for i in range(m):
        tight = abs(activity[i] - row_upper[i]) <= epsilon or abs(activity[i] - row_lower[i]) <= epsilon
        if not tight:
            continue
        everything = sums[i, 0] - sums[i, 1]
        weights[i, 0] = 1.0
        weights[i, 1] = 1.0 / everything if everything != 0 else 1.0
        weights[i, 2] = 1.0 / of_candidates[i] if of_candidates[i] != 0 else 1.0
        weights[i, 3] = abs(dual[i])
    return weights


@njit(cache=True, nogil=True)
def _pseudocosts(row: NDArray, fraction: float, known: NDArray) -> None:
    """Features 18 to 28; `known` is a row of `milp.kernels.reading.statistics`."""
    ceil_distance = 1.0 - fraction
    up, down = ceil_distance * known[0], fraction * known[1]
    row[18], row[19] = min(fraction, ceil_distance), ceil_distance
    row[20], row[21] = up, down
    a, b = max(up, 1e-5), max(down, 1e-5)
    row[22], row[23], row[24] = min(a, b) / max(a, b), up + down, up * down
    row[25], row[26] = known[2], known[3]
    row[27] = known[2] / known[4] if known[4] != 0 else 0.0
    row[28] = known[3] / known[5] if known[5] != 0 else 0.0


@njit(cache=True, nogil=True)
def _dynamic_degrees(row: NDArray, starts: NDArray, rows: NDArray, indptr: NDArray, j: int) -> None:
    """Features 29 to 35."""
    degrees(row, 29, starts, rows, indptr, j)
    for offset, now, root in ((33, 29, 4), (34, 31, 6), (35, 32, 7)):
        both = row[now] + row[root]
        row[offset] = row[now] / both if both != 0 else 0.0


@njit(cache=True, nogil=True)
def _ratio(a: float, side: float) -> float:
    total = abs(a) + abs(side)
    return a / total if total != 0 else 0.0


@njit(cache=True, nogil=True)
def _side_ratios(row: NDArray, starts: NDArray, rows: NDArray, values: NDArray, low: NDArray, high: NDArray,
                 infinity: float, j: int) -> None:  # fmt: skip
    """Features 36 to 39: coefficients against sides that are not negative, and that are."""
    row[36], row[37], row[38], row[39] = 1.0, -1.0, 1.0, -1.0
    for e in range(starts[j], starts[j + 1]):
        i, a = rows[e], values[e]
        for sign, side in ((1.0, high[i]), (-1.0, low[i])):
            if abs(side) >= infinity:
                continue
            ratio = _ratio(sign * a, side)
            at = 36 if sign * side >= 0 else 38
            row[at], row[at + 1] = min(row[at], ratio), max(row[at + 1], ratio)


@njit(cache=True, nogil=True)
def _coefficient_ratios(
    row: NDArray, starts: NDArray, rows: NDArray, values: NDArray, sums: NDArray, j: int
) -> None:
    """Features 40 to 47: a coefficient against all of its row, by signs."""
    for at in range(40, 48, 2):
        row[at], row[at + 1] = 1.0, 0.0
    for e in range(starts[j], starts[j + 1]):
        a, positive, negative = values[e], sums[rows[e], 0], sums[rows[e], 1]
        if a > 0:
            at, same, other = 40, a / positive, a / (a - negative)
            row[at], row[at + 1] = min(row[at], same), max(row[at + 1], same)
            row[at + 2], row[at + 3] = min(row[at + 2], other), max(row[at + 3], other)
        elif a < 0:
            at, other, same = 44, a / (a - positive), a / negative
            row[at], row[at + 1] = min(row[at], other), max(row[at + 1], other)
            row[at + 2], row[at + 3] = min(row[at + 2], same), max(row[at + 3], same)


@njit(cache=True, nogil=True)
def _active_coefficients(
    row: NDArray, starts: NDArray, rows: NDArray, values: NDArray, weights: NDArray, j: int
) -> None:
    """Features 48 to 71: weight, sum, mean, deviation, least and largest by weighting."""
    row[48:72] = 0.0
    active = 0
    for w in range(4):
        row[48 + 6 * w + 4], row[48 + 6 * w + 5] = math.inf, -math.inf
    for e in range(starts[j], starts[j + 1]):
        i, a = rows[e], abs(values[e])
        if weights[i, 0] == 0.0:
            continue
        active += 1
        for w in range(4):
            at, x = 48 + 6 * w, weights[i, w] * a
            row[at] += weights[i, w]
            row[at + 1] += x
            row[at + 3] += x * x
            row[at + 4], row[at + 5] = min(row[at + 4], x), max(row[at + 5], x)
    if active == 0:
        row[48:72] = 0.0
        return
    for w in range(4):
        at = 48 + 6 * w
        row[at + 2] = row[at + 1] / active
        row[at + 3] = math.sqrt(max(row[at + 3] / active - row[at + 2] * row[at + 2], 0.0))


@njit(cache=True, nogil=True)
def same_sides(low: NDArray, high: NDArray, known_low: NDArray, known_high: NDArray) -> bool:
    """Whether the sides are those that are known."""
    for i in range(low.size):  # noqa: SIM110
        if low[i] != known_low[i] or high[i] != known_high[i]:
            return False
    return True


@njit(cache=True, nogil=True)
def candidate_features(
    columns: NDArray,
    fractions: NDArray,
    known: NDArray,
    static: NDArray,
    starts: NDArray,
    rows: NDArray,
    values: NDArray,
    indptr: NDArray,
    sums: NDArray,
    weights: NDArray,
    row_lower: NDArray,
    row_upper: NDArray,
    infinity: float,
    kept: NDArray,
    is_kept: NDArray,
    out: NDArray,
) -> None:
    """Writes the 72 features of the columns at positions `columns` [k] into out[:, :72].

    What depends on coefficients and sides alone (29 to 47) is computed when a column is first a candidate, and
    kept in kept [n, 19], with is_kept [n].
    """
    row = np.empty(TOTAL)
    for k in range(columns.size):
        j = columns[k]
        row[:STATIC] = static[j]
        _pseudocosts(row, fractions[k], known[k])
        if is_kept[j]:
            row[ROWS:ACTIVE] = kept[j]
        else:
            _dynamic_degrees(row, starts, rows, indptr, j)
            _side_ratios(row, starts, rows, values, row_lower, row_upper, infinity, j)
            _coefficient_ratios(row, starts, rows, values, sums, j)
            kept[j], is_kept[j] = row[ROWS:ACTIVE], True
        _active_coefficients(row, starts, rows, values, weights, j)
        for f in range(TOTAL):
            out[k, f] = row[f]
