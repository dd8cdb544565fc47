"""Construction of tours: the step and the length."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from co_gym.envs.kernels.rows import close, refused
from co_gym.solvers.kernels.compiled import kernel

_compile: Any = njit
_sums: Any = _compile(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})
"""For loops that vectorize once a sum may be taken in another order."""


@kernel
def step(
    action: NDArray[np.int64],
    check: bool,
    mask: NDArray[np.bool_],
    additive: NDArray[np.float32],
    current: NDArray[np.int64],
    steps: NDArray[np.int64],
    done: NDArray[np.bool_],
    tour: NDArray[np.int64],
    place: NDArray,
    coordinates: NDArray,
) -> int:
    """Appends a city to each row's tour.

    Args:
        action: [R] cities.
        check: Whether to refuse cities against the mask.
        mask: [R, n] admissible cities.
        additive: [R, n] the same as 0 and -inf.
        current: [R] latest city.
        steps: [R] cities visited.
        done: [R] finished rows.
        tour: [R, n] cities in order.
        place: [R, 2] coordinates of the latest city.
        coordinates: [B, n, 2], B a divisor of R; B = 0 if there are none.

    Returns:
        Rows still active, or -1 - row for the first row whose action is refused; then nothing has changed.
    """
    bad = refused(action, check, mask, done)
    if bad >= 0:
        return -1 - bad
    rows, n = mask.shape
    instances = coordinates.shape[0]
    starts = rows // max(1, instances)
    active = 0
    row = 0
    for b in range(max(1, instances)):
        for _ in range(starts):
            if done[row]:
                current[row] = -1
            else:
                city, position = action[row], steps[row]
                mask[row, city] = False
                additive[row, city] = -np.inf
                tour[row, position] = city
                current[row] = city
                steps[row] = position + 1
                if instances > 0:
                    place[row, 0] = coordinates[b, city, 0]
                    place[row, 1] = coordinates[b, city, 1]
                if position + 1 == n:
                    close(row, mask, additive, done)
                else:
                    active += 1
            row += 1
    return active


@_sums
def lengths_by_coordinates(
    tour: NDArray[np.int64], steps: NDArray[np.int64], coordinates: NDArray, out: NDArray[np.float64]
) -> None:
    """Length [R] of each row's path over its first `steps` cities, closed where these are all cities."""
    rows, n = tour.shape
    starts = rows // coordinates.shape[0]
    x, y = np.empty(n + 1), np.empty(n + 1)
    for row in range(rows):
        points, stops = coordinates[row // starts], steps[row]
        for k in range(stops):
            city = tour[row, k]
            x[k], y[k] = points[city, 0], points[city, 1]
        if stops == n:
            x[n], y[n] = x[0], y[0]
            stops += 1
        total = 0.0
        for k in range(1, stops):
            dx, dy = x[k] - x[k - 1], y[k] - y[k - 1]
            total += math.sqrt(dx * dx + dy * dy)
        out[row] = total


@kernel
def lengths_by_distances(
    tour: NDArray[np.int64], steps: NDArray[np.int64], distances: NDArray, out: NDArray
) -> None:
    """The same from distances [B, n, n], in the dtype of `out`; exact for integers."""
    rows, n = tour.shape
    starts = rows // distances.shape[0]
    for row in range(rows):
        table = distances[row // starts]
        out[row] = 0
        total = out[row]
        for k in range(1, steps[row]):
            total += table[tour[row, k - 1], tour[row, k]]
        if steps[row] == n:
            total += table[tour[row, n - 1], tour[row, 0]]
        out[row] = total


@kernel
def are_permutations(tour: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each row [R, n] holds each of 0..n-1 once."""
    rows, n = tour.shape
    good = np.ones(rows, dtype=np.bool_)
    seen = np.full(n, -1, dtype=np.int64)
    for row in range(rows):
        for k in range(n):
            city = tour[row, k]
            if city < 0 or city >= n or seen[city] == row:
                good[row] = False
                break
            seen[city] = row
    return good
