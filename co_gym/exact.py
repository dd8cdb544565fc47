"""Exact arithmetic for verification: integers never overflow, sums of floats are correctly rounded."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Number = int | float

_SAFE = 2**62


def is_integral(array: NDArray) -> bool:
    """Whether the dtype of `array` is an integer or boolean one."""
    return array.dtype.kind in "iub"


def to_integers(array: NDArray) -> NDArray:
    """`array` as int64 if every entry is a whole number that float64 holds exactly, else unchanged.

    Data files write `3800.0` where they mean 3800; with this their problems stay integral.
    """
    if is_integral(array):
        return array.astype(np.int64)
    whole = np.isfinite(array).all() and (np.abs(array) < 2.0**53).all() and (array == np.floor(array)).all()
    return array.astype(np.int64) if whole else array


def plain(value: Number) -> Number:
    """A numpy number as the Python number of the same value."""
    return value.item() if isinstance(value, np.generic) else value


def total(values: NDArray) -> Number:
    """Sum of a 1-d array: a Python int if it is integral, else the correctly rounded float sum."""
    if not is_integral(values):
        return math.fsum(values.tolist())
    if values.size == 0:
        return 0
    largest = max(abs(int(values.max())), abs(int(values.min())))
    return int(values.sum(dtype=np.int64)) if largest * values.size < _SAFE else sum(values.tolist())


def dot(a: NDArray, b: NDArray) -> Number:
    """Scalar product of two 1-d arrays: exact if both are integral, else a correctly rounded sum of products."""
    if not (is_integral(a) and is_integral(b)):
        return math.fsum((a.astype(np.float64) * b.astype(np.float64)).tolist())
    if a.size == 0:
        return 0
    bound = _magnitude(a) * _magnitude(b) * a.size
    if bound < _SAFE:
        return int(a.astype(np.int64) @ b.astype(np.int64))
    return sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True))


def _magnitude(a: NDArray) -> int:
    return max(abs(int(a.max())), abs(int(a.min())))


def matvec(matrix: NDArray, x: NDArray) -> list[Number]:
    """`[dot(row, x) for row in matrix]`."""
    return [dot(row, x) for row in matrix]
