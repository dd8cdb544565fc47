"""Descent of a quadratic function of bits by flips of one and of two bits."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def changes(bits: NDArray, linear: NDArray, start: NDArray, column: NDArray, weight: NDArray) -> NDArray:
    """[q] float64, by how much the function changes with the flip of each bit; arguments as those of `descend`."""
    change = linear.copy()
    for i in range(bits.size):
        for t in range(start[i], start[i + 1]):
            change[i] += weight[t] * bits[column[t]]
        if bits[i]:
            change[i] = -change[i]
    return change


@njit(cache=True, nogil=True)
def flip(i: int, bits: NDArray, change: NDArray, start: NDArray, column: NDArray, weight: NDArray) -> None:
    """Flips a bit, in place, and what flips change with it; arguments as those of `descend`."""
    step = 1.0 - 2.0 * bits[i]
    bits[i] = 1 - bits[i]
    change[i] = -change[i]
    for t in range(start[i], start[i + 1]):
        j = column[t]
        change[j] += step * weight[t] * (1.0 - 2.0 * bits[j])


@njit(cache=True, nogil=True)
def _best_pair(
    bits: NDArray, change: NDArray, start: NDArray, column: NDArray, weight: NDArray
) -> tuple[float, int, int]:
    """The lowest change by flipping two bits, and which."""
    lowest, first, second = 0.0, -1, -1
    row = np.zeros(bits.size)
    for i in range(bits.size):
        for t in range(start[i], start[i + 1]):
            row[column[t]] = weight[t] * (1.0 - 2.0 * bits[i])
        for j in range(i + 1, bits.size):
            total = change[i] + change[j] + row[j] * (1.0 - 2.0 * bits[j])
            if total < lowest:
                lowest, first, second = total, i, j
        for t in range(start[i], start[i + 1]):
            row[column[t]] = 0.0
    return lowest, first, second


@njit(cache=True, nogil=True)
def descend(
    bits: NDArray,
    linear: NDArray,
    start: NDArray,
    column: NDArray,
    weight: NDArray,
    pairs: bool,
    tolerance: float,
) -> int:
    """Flip the best bit, where none improves the best two bits if wanted, until nothing improves.

    Args:
        bits: [q] uint8, changed in place.
        linear: [q] float64.
        start: [q + 1] int, rows of the symmetric matrix of weights in CSR, without a diagonal.
        column: [2k] int, its columns.
        weight: [2k] float64, its values.
        pairs: Whether two bits may be flipped together, at O(q^2) for each such step.
        tolerance: Changes above minus this are no improvement.

    Returns:
        Number of bits flipped.
    """
    change = changes(bits, linear, start, column, weight)
    flips = 0
    while bits.size:
        i = int(np.argmin(change))
        if change[i] < -tolerance:
            flip(i, bits, change, start, column, weight)
            flips += 1
            continue
        if not pairs:
            break
        lowest, first, second = _best_pair(bits, change, start, column, weight)
        if lowest >= -tolerance:
            break
        flip(first, bits, change, start, column, weight)
        flip(second, bits, change, start, column, weight)
        flips += 2
    return flips
