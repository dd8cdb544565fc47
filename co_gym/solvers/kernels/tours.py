"""Tours: farthest insertion, nearest neighbour, 2-opt, and fast-tsp on a matrix scaled to its number range."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_FAST_TSP_LARGEST = 65535
FAST_TSP_FROM = 9
"""Cities from which on fast-tsp is asked; below, insertion and 2-opt do."""


@njit(cache=True, nogil=True)
def farthest_insertion(distances: NDArray[Any]) -> NDArray[Any]:
    """Farthest insertion (Rosenkrantz, Stearns and Lewis, 1977).

    Args:
        distances: Symmetric distances, float64 [n, n], n at least 2.

    Returns:
        Tour, int64 [n].
    """
    n = distances.shape[0]
    successor = np.full(n, -1, np.int64)
    successor[0] = 0
    nearest = distances[0].copy()
    for _ in range(n - 1):
        new = -1
        for v in range(n):
            if successor[v] < 0 and (new < 0 or nearest[v] > nearest[new]):
                new = v
        best = -1
        best_cost = np.inf
        for v in range(n):
            if successor[v] >= 0:
                w = successor[v]
                cost = distances[v, new] + distances[new, w] - distances[v, w]
                if best < 0 or cost < best_cost:
                    best = v
                    best_cost = cost
        successor[new] = successor[best]
        successor[best] = new
        for v in range(n):
            nearest[v] = min(nearest[v], distances[new, v])
    tour = np.zeros(n, np.int64)
    for k in range(1, n):
        tour[k] = successor[tour[k - 1]]
    return tour


@njit(cache=True, nogil=True)
def two_opt(distances: NDArray[Any], tour: NDArray[Any], sweeps: int) -> NDArray[Any]:
    """2-opt by sweeps of first improvements (Croes, 1958).

    Args:
        distances: Symmetric distances, float64 [n, n].
        tour: Tour, int64 [n].
        sweeps: Largest number of sweeps over all pairs of edges.

    Returns:
        A tour that is no longer, int64 [n].
    """
    n = tour.shape[0]
    tour = tour.copy()
    for _ in range(sweeps):
        improved = False
        for i in range(n - 2):
            for j in range(i + 2, n):
                a, b = tour[i], tour[i + 1]
                c, d = tour[j], tour[(j + 1) % n]
                old = distances[a, b] + distances[c, d]
                new = distances[a, c] + distances[b, d]
                if a != d and new < old - 1e-12 * abs(old):
                    tour[i + 1 : j + 1] = tour[i + 1 : j + 1][::-1].copy()
                    improved = True
        if not improved:
            break
    return tour


def scaled_to_range(distances: NDArray[Any], tour: NDArray[Any]) -> NDArray[Any]:
    """Nonnegative integers at most 65535 that order the tours (nearly) like the distances.

    Adding a constant to every edge changes all tours alike. Where the range does not fit, edges more than
    four times as long as any edge of the given tour are capped and the rest is scaled and rounded.

    Args:
        distances: Symmetric distances, float64 [n, n], n at least 2.
        tour: A reasonable tour, int64 [n].

    Returns:
        int64 [n, n] with zero diagonal.
    """
    off_diagonal = ~np.eye(len(distances), dtype=bool)
    low = float(distances[off_diagonal].min())
    high = float(distances[off_diagonal].max())
    fits = high - low <= _FAST_TSP_LARGEST and bool(np.all(distances == np.round(distances)))
    if fits:
        scaled = distances - low
    else:
        longest = float(distances[tour, np.roll(tour, -1)].max()) - low
        cap = min(high - low, 4 * longest) or (high - low) or 1.0
        scaled = np.round(np.minimum(distances - low, cap) * (_FAST_TSP_LARGEST / cap))
    result = scaled.astype(np.int64)
    np.fill_diagonal(result, 0)
    return result


def heuristic_tour(distances: NDArray[Any], seconds: float) -> NDArray[Any]:
    """A short tour: farthest insertion and 2-opt, then fast-tsp if there are enough cities for it.

    Args:
        distances: Symmetric distances, float64 [n, n], n at least 1.
        seconds: Time for fast-tsp, which stops earlier once it has converged.

    Returns:
        Tour, int64 [n].
    """
    first = first_tour(distances)
    return fast_tour(distances, seconds, first) if len(distances) >= FAST_TSP_FROM else first


def fast_tour(distances: NDArray[Any], seconds: float, first: NDArray[Any]) -> NDArray[Any]:
    """Iterated local search by fast-tsp, polished by 2-opt on the unscaled distances.

    Args:
        distances: Symmetric distances, float64 [n, n], n at least `FAST_TSP_FROM`.
        seconds: Time for fast-tsp, which stops earlier once it has converged.
        first: A reasonable tour, int64 [n]; sets the scale.

    Returns:
        Tour, int64 [n], not longer than `first`.
    """
    import fast_tsp

    scaled = scaled_to_range(distances, first)
    found = fast_tsp.find_tour(scaled, max(seconds, 0.01), 1, stop_when_converged=True)
    improved = two_opt(distances, np.array(found, np.int64), 10)
    lengths = [float(distances[t, np.roll(t, -1)].sum()) for t in (improved, first)]
    return improved if lengths[0] <= lengths[1] else first


def first_tour(distances: NDArray[Any]) -> NDArray[Any]:
    """Farthest insertion and a few sweeps of 2-opt; int64 [n].

    Args:
        distances: Symmetric distances, float64 [n, n], n at least 1.
    """
    if len(distances) < 4:
        return np.arange(len(distances))
    return two_opt(distances, farthest_insertion(distances), 3)


def nearest_neighbour(distances: NDArray[Any], first: int = 0) -> NDArray[Any]:
    """Tour [n] int64 that always goes on to the nearest unvisited city (Rosenkrantz, Stearns and Lewis, 1977).

    Args:
        distances: [n, n].
        first: City to start from.
    """
    n = distances.shape[0]
    tour = np.empty(n, dtype=np.int64)
    tour[0] = first
    open_ = np.ones(n, dtype=bool)
    open_[first] = False
    for position in range(1, n):
        candidates = np.flatnonzero(open_)
        tour[position] = candidates[np.argmin(distances[tour[position - 1], candidates])]
        open_[tour[position]] = False
    return tour
