"""Sums of messages over the entries of sparse matrices, given row by row, and their gradients.

Arrays are float32 but for int32 `indptr` [m + 1] and `indices` [E]. The message of an entry a in row i, column j
is relu(left_i + right_j + weight * a), of width d; left [m, d], right [n, d], weight [d], values [E].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from policies.kernels.fastmath import vectorized

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]
ZERO = np.float32(0.0)
ONE = np.float32(1.0)


@vectorized
def sum_rows(
    left: Floats, right: Floats, weight: Floats, indptr: Indices, indices: Indices, values: Floats, out: Floats
) -> None:
    """Writes the sum of the messages of each row to `out` [m, d]."""
    width = len(weight)
    for i in range(len(indptr) - 1):
        total, own = out[i], left[i]
        for k in range(width):
            total[k] = ZERO
        for e in range(indptr[i], indptr[i + 1]):
            other, a = right[indices[e]], values[e]
            for k in range(width):
                total[k] += max(own[k] + other[k] + weight[k] * a, ZERO)


@vectorized
def sum_columns(
    left: Floats,
    right: Floats,
    weight: Floats,
    indptr: Indices,
    indices: Indices,
    values: Floats,
    slots: Indices,
    out: Floats,
) -> None:
    """Writes the sums of the messages of some columns to `out` [c, d], which need not be empty.

    Args:
        left: [m, d].
        right: [c, d]; of the wanted columns.
        weight: [d].
        indptr: See above.
        indices: See above.
        values: See above.
        slots: int32 [n]; place of each column in `out`, negative if it is not wanted.
        out: [c, d].
    """
    width = len(weight)
    out[:] = ZERO
    for i in range(len(indptr) - 1):
        own = left[i]
        for e in range(indptr[i], indptr[i + 1]):
            slot = slots[indices[e]]
            if slot >= 0:
                total, other, a = out[slot], right[slot], values[e]
                for k in range(width):
                    total[k] += max(own[k] + other[k] + weight[k] * a, ZERO)


@vectorized
def sums_backward(
    left: Floats,
    right: Floats,
    weight: Floats,
    indptr: Indices,
    indices: Indices,
    values: Floats,
    d_out: Floats,
    by_columns: bool,
    d_left: Floats,
    d_right: Floats,
    d_weight: Floats,
) -> None:
    """Adds the gradients, given those of the sums over rows [m, d] or over columns [n, d], to the last three."""
    width = len(weight)
    for i in range(len(indptr) - 1):
        own, d_own = left[i], d_left[i]
        for e in range(indptr[i], indptr[i + 1]):
            j, a = indices[e], values[e]
            other, d_other = right[j], d_right[j]
            given = d_out[j] if by_columns else d_out[i]
            for k in range(width):
                g = given[k] if own[k] + other[k] + weight[k] * a > ZERO else ZERO
                d_own[k] += g
                d_other[k] += g
                d_weight[k] += g * a
