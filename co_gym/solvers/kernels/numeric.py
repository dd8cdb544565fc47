"""Conversion of caller data to int64 or float64, and the overflow checks the kernels rely on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

INT64_MAX = 2**63 - 1


def as_numeric(name: str, data: ArrayLike, ndim: int) -> NDArray[Any]:
    """Convert to a C-contiguous int64 array (integer or bool input) or float64 array (anything else).

    Args:
        name: The quantity, for error messages.
        data: Numbers of shape with ``ndim`` axes.
        ndim: Required number of axes.

    Returns:
        int64 or float64, C-contiguous; a copy unless the data already are.

    Raises:
        ValueError: If the number of axes differs or an integer does not fit in int64.
    """
    array = np.asarray(data)
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got {array.ndim}")
    if array.dtype.kind in "uO" and array.size:
        flat = array.ravel().tolist()
        if all(isinstance(value, int) for value in flat):
            if max(abs(value) for value in flat) > INT64_MAX:
                raise ValueError(f"{name} has an entry that does not fit in int64")
            return np.ascontiguousarray(array, dtype=np.int64)
    kind = np.int64 if array.dtype.kind in "iub" else np.float64
    return np.ascontiguousarray(array, dtype=kind)


def common_dtype(arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return the arrays as they are if all are int64, otherwise all as float64."""
    if all(array.dtype == np.int64 for array in arrays):
        return list(arrays)
    return [array.astype(np.float64, copy=False) for array in arrays]


def magnitude(array: NDArray[Any]) -> int | float:
    """Return the sum of absolute values, exactly for int64 (a Python integer of any size)."""
    if not array.size:
        return 0
    if array.dtype != np.int64:
        with np.errstate(over="ignore"):
            return float(np.abs(array).sum())
    if int(largest(array)) * array.size <= INT64_MAX:
        return int(np.abs(array).sum())
    return sum(abs(value) for value in array.ravel().tolist())


def largest(array: NDArray[Any]) -> int | float:
    """Return the largest absolute value, 0 for an empty array, as a Python number."""
    return max(-array.min().item(), array.max().item()) if array.size else 0


def require_representable(name: str, bound: int | float) -> None:
    """Refuse data whose sums could leave int64 (or, for floats, become infinite).

    Args:
        name: The sum in question, for the message.
        bound: Upper bound of its absolute value.

    Raises:
        ValueError: If an integer bound exceeds 2**63 - 1 or a float bound is not finite.
    """
    if isinstance(bound, int) and bound > INT64_MAX:
        raise ValueError(f"{name} may reach {bound}, which does not fit in int64")
    if not np.isfinite(bound):
        raise ValueError(f"{name} overflows float64")
