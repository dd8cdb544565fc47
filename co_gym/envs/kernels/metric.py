"""Distances between cities, from coordinates or from a matrix: one kernel serves both, compiled for each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

from co_gym.solvers.kernels.compiled import kernel

Table = tuple[NDArray[np.float64], NDArray[np.float64]] | NDArray[Any]
"""Abscissas and ordinates, float64 [n] each, or distances [n, n]; of a batch with B in front."""


def instance(tables: Any, b: int) -> Any:
    """The table of one instance of a batch."""
    raise NotImplementedError("for compiled code only")


def distance(table: Any, i: int, j: int) -> Any:
    """Between two cities: float64, or the dtype of the matrix."""
    raise NotImplementedError("for compiled code only")


@overload(instance, strict=False)
def _instance(tables: Any, b: Any) -> Any:
    if isinstance(tables, types.BaseTuple):
        return lambda tables, b: (tables[0][b], tables[1][b])
    return lambda tables, b: tables[b]


@overload(distance, strict=False)
def _distance(table: Any, i: Any, j: Any) -> Any:
    if isinstance(table, types.BaseTuple):

        def euclidean(table: Any, i: Any, j: Any) -> Any:
            dx, dy = table[0][i] - table[0][j], table[1][i] - table[1][j]
            return math.sqrt(dx * dx + dy * dy)

        return euclidean
    return lambda table, i, j: table[i, j]


@kernel
def nearest(tables: Any, near: NDArray[np.int32]) -> None:
    """Fills in the nearest other cities [B, n, K] of each city, nearest first; ties by number.

    Args:
        tables: Coordinates or distances of a batch, see `Table`.
        near: What is filled in, K at most n - 1.
    """
    batch, n, width = near.shape
    lengths = np.empty(width, dtype=np.float64)
    for b in range(batch):
        table = instance(tables, b)
        for i in range(n):
            found = 0
            for j in range(n):
                if j == i:
                    continue
                away = np.float64(distance(table, i, j))
                if found == width and away >= lengths[width - 1]:
                    continue
                found = min(found + 1, width)
                k = found - 1
                while k > 0 and lengths[k - 1] > away:
                    lengths[k] = lengths[k - 1]
                    near[b, i, k] = near[b, i, k - 1]
                    k -= 1
                lengths[k] = away
                near[b, i, k] = j
