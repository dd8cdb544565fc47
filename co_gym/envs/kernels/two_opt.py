"""Improvement of tours by reversing segments."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from co_gym.solvers.kernels.compiled import inner, kernel


@inner
def _refused(action: NDArray[np.int64], done: NDArray[np.bool_], n: int) -> int:
    for row in range(action.size):
        move = action[row]
        if move < 0 or move >= n * n or (move // n >= move % n and not done[row]):
            return row
    return -1


@inner
def _distance(points: NDArray, i: int, j: int) -> float:
    dx = np.float64(points[i, 0]) - np.float64(points[j, 0])
    dy = np.float64(points[i, 1]) - np.float64(points[j, 1])
    return math.sqrt(dx * dx + dy * dy)


@inner
def _apply(
    row: int,
    move: int,
    delta: float,
    current: NDArray[np.int64],
    steps: NDArray[np.int64],
    tour: NDArray[np.int64],
    best_tour: NDArray[np.int64],
    length: NDArray,
    best_length: NDArray,
    improvement: NDArray,
) -> None:
    n = tour.shape[1]
    i, j = move // n, move % n
    while i < j:
        tour[row, i], tour[row, j] = tour[row, j], tour[row, i]
        i += 1
        j -= 1
    current[row] = move
    steps[row] += 1
    length[row] += delta
    improvement[row] = 0
    if length[row] < best_length[row]:
        improvement[row] = best_length[row] - length[row]
        best_length[row] = length[row]
        best_tour[row] = tour[row]


@kernel
def step_by_coordinates(
    action: NDArray[np.int64],
    max_steps: int,
    current: NDArray[np.int64],
    steps: NDArray[np.int64],
    done: NDArray[np.bool_],
    tour: NDArray[np.int64],
    best_tour: NDArray[np.int64],
    length: NDArray,
    best_length: NDArray,
    improvement: NDArray,
    coordinates: NDArray,
) -> int:
    """Reverses the positions i..j of each row's tour, for actions i * n + j with i < j.

    Args:
        action: [R] moves.
        max_steps: Moves of an episode.
        current: [R] latest move.
        steps: [R] moves made.
        done: [R] finished rows.
        tour: [R, n] tours.
        best_tour: [R, n] shortest tours so far.
        length: [R] lengths of the tours.
        best_length: [R] lengths of the shortest tours.
        improvement: [R] by how much the latest move improved the best length.
        coordinates: [B, n, 2], B a divisor of R.

    Returns:
        Rows still active, or -1 - row for the first row whose action is refused; then nothing has changed.
    """
    rows, n = tour.shape
    bad = _refused(action, done, n)
    if bad >= 0:
        return -1 - bad
    starts = rows // coordinates.shape[0]
    active = 0
    for row in range(rows):
        if done[row]:
            current[row] = -1
            improvement[row] = 0
            continue
        points, t, i, j = coordinates[row // starts], tour[row], action[row] // n, action[row] % n
        before, after = t[i - 1 if i > 0 else n - 1], t[j + 1 if j + 1 < n else 0]
        delta = 0.0
        if j - i < n - 1:
            delta = _distance(points, before, t[j]) + _distance(points, t[i], after)
            delta -= _distance(points, before, t[i]) + _distance(points, t[j], after)
        _apply(row, action[row], delta, current, steps, tour, best_tour, length, best_length, improvement)
        done[row] = steps[row] >= max_steps
        active += not done[row]
    return active


@kernel
def step_by_distances(
    action: NDArray[np.int64],
    max_steps: int,
    current: NDArray[np.int64],
    steps: NDArray[np.int64],
    done: NDArray[np.bool_],
    tour: NDArray[np.int64],
    best_tour: NDArray[np.int64],
    length: NDArray,
    best_length: NDArray,
    improvement: NDArray,
    distances: NDArray,
) -> int:
    """The same with distances [B, n, n]; exact for integers."""
    rows, n = tour.shape
    bad = _refused(action, done, n)
    if bad >= 0:
        return -1 - bad
    starts = rows // distances.shape[0]
    active = 0
    for row in range(rows):
        if done[row]:
            current[row] = -1
            improvement[row] = 0
            continue
        d, t, i, j = distances[row // starts], tour[row], action[row] // n, action[row] % n
        before, after = t[i - 1 if i > 0 else n - 1], t[j + 1 if j + 1 < n else 0]
        delta = length[row] - length[row]
        if j - i < n - 1:
            delta += d[before, t[j]]
            delta += d[t[i], after]
            delta -= d[before, t[i]]
            delta -= d[t[j], after]
        _apply(row, action[row], delta, current, steps, tour, best_tour, length, best_length, improvement)
        done[row] = steps[row] >= max_steps
        active += not done[row]
    return active
