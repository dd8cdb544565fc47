"""TSPLIB 95's distance functions and matrix layouts (Reinelt 1995, "TSPLIB 95")."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError

_BLOCK_ENTRIES = 1 << 21
_GEO_PI = 3.141592
_EARTH_RADIUS = 6378.388

Rule = Callable[[NDArray, NDArray], NDArray]


def nint(x: NDArray) -> NDArray:
    """TSPLIB's rounding: half goes up."""
    return np.floor(x + 0.5)


def _length(a: NDArray, b: NDArray) -> NDArray:
    dx, dy = a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1]
    return np.sqrt(dx * dx + dy * dy)


def _euclidean(a: NDArray, b: NDArray) -> NDArray:
    return nint(_length(a, b))


def _ceiling(a: NDArray, b: NDArray) -> NDArray:
    return np.ceil(_length(a, b))


def _manhattan(a: NDArray, b: NDArray) -> NDArray:
    return nint(np.abs(a[:, None] - b[None]).sum(axis=-1))


def _maximum(a: NDArray, b: NDArray) -> NDArray:
    return nint(np.abs(a[:, None] - b[None])).max(axis=-1)


def _pseudo_euclidean(a: NDArray, b: NDArray) -> NDArray:
    dx, dy = a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1]
    exact = np.sqrt((dx * dx + dy * dy) / 10.0)
    rounded = nint(exact)
    return np.where(rounded < exact, rounded + 1, rounded)


def _geographical(a: NDArray, b: NDArray) -> NDArray:
    (lat_a, lon_a), (lat_b, lon_b) = _radians(a).T, _radians(b).T
    q1 = np.cos(lon_a[:, None] - lon_b[None, :])
    q2 = np.cos(lat_a[:, None] - lat_b[None, :])
    q3 = np.cos(lat_a[:, None] + lat_b[None, :])
    angle = np.arccos(np.clip(0.5 * ((1.0 + q1) * q2 - (1.0 - q1) * q3), -1.0, 1.0))
    return np.floor(_EARTH_RADIUS * angle + 1.0)


def _radians(points: NDArray) -> NDArray:
    """DDD.MM, degrees and minutes, as radians; TSPLIB cuts the degrees off toward zero."""
    degrees = np.trunc(points)
    return _GEO_PI * (degrees + 5.0 * (points - degrees) / 3.0) / 180.0


RULES: dict[str, Rule] = {
    "EUC_2D": _euclidean,
    "CEIL_2D": _ceiling,
    "ATT": _pseudo_euclidean,
    "GEO": _geographical,
    "MAN_2D": _manhattan,
    "MAX_2D": _maximum,
}
"""EDGE_WEIGHT_TYPE of coordinates -> distances [a, b], whole floats, between points [a, 2] and [b, 2]."""


def from_coordinates(points: NDArray, kind: str) -> NDArray:
    """Distances between points, [n, n] int64 with zero diagonal.

    Args:
        points: [n, 2] float64.
        kind: A key of `RULES`.

    Raises:
        InputError: If a distance is too large to be exact.
    """
    n = points.shape[0]
    distances = np.empty((n, n), dtype=np.int64)
    step = max(1, _BLOCK_ENTRIES // max(n, 1))
    for start in range(0, n, step):
        block = slice(start, min(start + step, n))
        with np.errstate(over="ignore", invalid="ignore"):
            rows = RULES[kind](points[block], points)
        if not (rows < 2.0**53).all():
            raise InputError(f"the coordinates give {kind} distances beyond 2^53: expected smaller ones")
        distances[block] = rows
    np.fill_diagonal(distances, 0)
    return distances


_BY_ROW: dict[str, Callable[[int, int], slice]] = {
    "FULL_MATRIX": lambda i, n: slice(0, n),
    "UPPER_ROW": lambda i, n: slice(i + 1, n),
    "LOWER_ROW": lambda i, n: slice(0, i),
    "UPPER_DIAG_ROW": lambda i, n: slice(i, n),
    "LOWER_DIAG_ROW": lambda i, n: slice(0, i + 1),
}
# In a symmetric matrix the columns of one triangle are the rows of the other.
_SAME_AS = {
    "UPPER_COL": "LOWER_ROW",
    "LOWER_COL": "UPPER_ROW",
    "UPPER_DIAG_COL": "LOWER_DIAG_ROW",
    "LOWER_DIAG_COL": "UPPER_DIAG_ROW",
}
LAYOUTS = (*_BY_ROW, *_SAME_AS)
"""The EDGE_WEIGHT_FORMATs of an explicit matrix."""


def entries(layout: str, n: int) -> int:
    """How many numbers a layout lists for n cities."""
    if layout == "FULL_MATRIX":
        return n * n
    return n * (n + 1) // 2 if "DIAG" in layout else n * (n - 1) // 2


def from_entries(values: NDArray, layout: str, n: int) -> NDArray:
    """Distances [n, n] from the listed numbers, in their dtype; the diagonal, which no tour uses, becomes 0.

    A full matrix is taken as it is, symmetric or not.

    Args:
        values: [entries(layout, n)].
        layout: One of `LAYOUTS`.
        n: Number of cities.
    """
    if layout == "FULL_MATRIX":
        distances = values.reshape(n, n).copy()
    else:
        distances = np.empty((n, n), dtype=values.dtype)
        span_of = _BY_ROW[_SAME_AS.get(layout, layout)]
        start = 0
        for i in range(n):
            span = span_of(i, n)
            row = values[start : start + span.stop - span.start]
            distances[i, span] = row
            distances[span, i] = row
            start += row.size
    np.fill_diagonal(distances, 0)
    return distances
