"""Repair and ascent of strings under the rows of a program, by flips of one and of two bits."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from quantum.kernels.flips import changes, flip

GAIN = 1e-12
"""Violation that counts as lessened."""


@njit(cache=True, nogil=True)
def _miss(activity: float, row: int, sides: NDArray) -> tuple[float, float]:
    """Violation of a row, in its unit, and the price of what may be missed; `sides` as in `mend`."""
    below, above = max(sides[row, 0] - activity, 0.0), max(activity - sides[row, 1], 0.0)
    hard = max(below if np.isinf(sides[row, 2]) else 0.0, above if np.isinf(sides[row, 3]) else 0.0)
    price = 0.0
    if below > 0.0 and not np.isinf(sides[row, 2]):
        price += sides[row, 2] * below
    if above > 0.0 and not np.isinf(sides[row, 3]):
        price += sides[row, 3] * above
    return hard / sides[row, 4], price


@njit(cache=True, nogil=True)
def _effect(
    i: int, bits: NDArray, activity: NDArray, sides: NDArray, start: NDArray, row: NDArray, value: NDArray
) -> tuple[float, int, float]:
    """What the flip of a bit adds to the violation, to the number of violated rows and to prices."""
    step = 1.0 - 2.0 * bits[i]
    violation, count, price = 0.0, 0, 0.0
    for t in range(start[i], start[i + 1]):
        before, paid = _miss(activity[row[t]], row[t], sides)
        after, pays = _miss(activity[row[t]] + step * value[t], row[t], sides)
        violation += after - before
        count += (after > 0.0) - (before > 0.0)
        price += pays - paid
    return violation, count, price


@njit(cache=True, nogil=True)
def _move(
    i: int,
    bits: NDArray,
    change: NDArray,
    activity: NDArray,
    quadratic: tuple[NDArray, NDArray, NDArray],
    columns: tuple[NDArray, NDArray, NDArray],
) -> None:
    start, row, value = columns
    for t in range(start[i], start[i + 1]):
        activity[row[t]] += (1.0 - 2.0 * bits[i]) * value[t]
    flip(i, bits, change, *quadratic)


@njit(cache=True, nogil=True)
def mend(
    bits: NDArray,
    linear: NDArray,
    quadratic: tuple[NDArray, NDArray, NDArray],
    activity: NDArray,
    sides: NDArray,
    columns: tuple[NDArray, NDArray, NDArray],
) -> bool:
    """Flips that lessen the violation, each at the least loss of objective for its gain, until there is none.

    Args:
        bits: [n] uint8, changed in place.
        linear: [n] float64, of the objective.
        quadratic: Its symmetric weights in CSR.
        activity: [m] float64, of the rows, changed in place.
        sides: [m, 5] float64: lower and upper side of each row, with their tolerance, the prices of a unit below
            and above (inf for a constraint), and the unit of its violation.
        columns: The matrix of the rows in CSC.

    Returns:
        Whether nothing is violated.
    """
    change = changes(bits, linear, *quadratic)
    for _ in range(bits.size + 1):
        total = 0.0
        for r in range(activity.size):
            total += _miss(activity[r], r, sides)[0]
        if total == 0.0:
            return True
        lowest, chosen = np.inf, -1
        for i in range(bits.size):
            violation, _, price = _effect(i, bits, activity, sides, *columns)
            if violation < -GAIN and (change[i] + price) / -violation < lowest:
                lowest, chosen = (change[i] + price) / -violation, i
        if chosen < 0:
            return False
        _move(chosen, bits, change, activity, quadratic, columns)
    return False


@njit(cache=True, nogil=True)
def _best_feasible(
    first: int,
    bits: NDArray,
    change: NDArray,
    activity: NDArray,
    sides: NDArray,
    columns: tuple[NDArray, NDArray, NDArray],
    violated: int,
) -> tuple[float, int]:
    """The lowest change of the objective by a flip of a bit from `first` on that leaves no row violated."""
    lowest, chosen = np.inf, -1
    for i in range(first, bits.size):
        _, count, price = _effect(i, bits, activity, sides, *columns)
        if violated + count == 0 and change[i] + price < lowest:
            lowest, chosen = change[i] + price, i
    return lowest, chosen


@njit(cache=True, nogil=True)
def improve(
    bits: NDArray,
    linear: NDArray,
    quadratic: tuple[NDArray, NDArray, NDArray],
    activity: NDArray,
    sides: NDArray,
    columns: tuple[NDArray, NDArray, NDArray],
    pairs: bool,
    tolerance: float,
) -> None:
    """Flips of the best bit, where none improves of the best two bits if wanted, that keep all rows.

    Args:
        bits: [n] uint8, which violate no row; changed in place.
        linear: [n] float64, of the objective; see `mend` for this and the next four.
        quadratic: Its symmetric weights.
        activity: [m] float64, of the rows, changed in place.
        sides: [m, 5] float64, of the rows.
        columns: Their matrix.
        pairs: Whether two bits may be flipped together.
        tolerance: Changes above minus this are no improvement.
    """
    change = changes(bits, linear, *quadratic)
    while True:
        lowest, i = _best_feasible(0, bits, change, activity, sides, columns, 0)
        j = -1
        if lowest >= -tolerance and pairs:
            for a in range(bits.size):
                _, count, price = _effect(a, bits, activity, sides, *columns)
                cost = change[a] + price
                _move(a, bits, change, activity, quadratic, columns)
                found, b = _best_feasible(a + 1, bits, change, activity, sides, columns, count)
                _move(a, bits, change, activity, quadratic, columns)
                if cost + found < lowest:
                    lowest, i, j = cost + found, a, b
        if lowest >= -tolerance:
            return
        _move(i, bits, change, activity, quadratic, columns)
        if j >= 0:
            _move(j, bits, change, activity, quadratic, columns)
