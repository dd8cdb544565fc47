"""Heuristics for the travelling salesman problem."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.instance import Instance
from co_gym.problems.tsp import TSP
from co_gym.solvers.base import Answer, Monitor, Options, Role

TSP_ONLY = frozenset({"tsp"})
FIRST_LOOK = 0.2
"""Seconds of a first short search, so that there is an incumbent to keep early on."""


class FastTSP:
    """Or-opt and Lin-Kernighan style local search with perturbation, by the package `fast-tsp`."""

    name = "fast-tsp"
    role: Role = "local-search"
    problems: frozenset[str] | None = TSP_ONLY
    summary = "iterated local search of the package fast-tsp (Shvetsov 2021)"

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`. Ends before the limit once the search has converged; takes no seed."""
        import fast_tsp

        distances = TSP().distances(instance)
        n = distances.shape[0]
        if start is not None:
            monitor.incumbent(start, TSP().objective(instance, start))
        if n < 4:
            _report(monitor, instance, np.arange(n))
        else:
            scaled = to_uint16(distances)
            for seconds in (FIRST_LOOK, np.inf):
                budget = min(seconds, max(0.01, monitor.remaining))
                tour = fast_tsp.find_tour(scaled, budget, 1, stop_when_converged=True)
                _report(monitor, instance, np.array(tour, dtype=np.int64))
                if monitor.remaining == 0:
                    break
        return Answer("feasible", solution=monitor.solution, objective=monitor.objective)


class NearestNeighbour:
    """From each city to the nearest one not visited yet; best over all starting cities."""

    name = "nearest-neighbour"
    role: Role = "baseline"
    problems: frozenset[str] | None = TSP_ONLY
    summary = "nearest neighbour from every city (Rosenkrantz, Stearns, Lewis 1977)"

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`."""
        distances = TSP().distances(instance)
        if start is not None:
            _report(monitor, instance, start)
        for first in range(distances.shape[0]):
            _report(monitor, instance, nearest_neighbour(distances, first))
            if monitor.remaining == 0:
                break
        return Answer("feasible", solution=monitor.solution, objective=monitor.objective)


class FarthestInsertion:
    """Inserts the city farthest from the tour where it costs least."""

    name = "farthest-insertion"
    role: Role = "baseline"
    problems: frozenset[str] | None = TSP_ONLY
    summary = "farthest insertion (Rosenkrantz, Stearns, Lewis 1977)"

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`."""
        if start is not None:
            _report(monitor, instance, start)
        _report(monitor, instance, farthest_insertion(TSP().distances(instance)))
        return Answer("feasible", solution=monitor.solution, objective=monitor.objective)


def nearest_neighbour(distances: NDArray, first: int = 0) -> NDArray:
    """Tour [n] int64 that always goes on to the nearest unvisited city.

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


def farthest_insertion(distances: NDArray) -> NDArray:
    """Tour [n] int64 grown from the two cities farthest apart.

    Args:
        distances: [n, n] symmetric.
    """
    n = distances.shape[0]
    if n < 3:
        return np.arange(n, dtype=np.int64)
    a, b = np.unravel_index(int(np.argmax(distances)), distances.shape)
    tour = np.array([a, b], dtype=np.int64)
    nearest = np.minimum(distances[a], distances[b]).astype(np.float64)
    nearest[[a, b]] = -np.inf
    for _ in range(n - 2):
        city = int(np.argmax(nearest))
        after = np.roll(tour, -1)
        detour = distances[tour, city] + distances[city, after] - distances[tour, after]
        tour = np.insert(tour, int(np.argmin(detour)) + 1, city)
        nearest = np.minimum(nearest, distances[city])
        nearest[city] = -np.inf
    return tour


def to_uint16(distances: NDArray) -> NDArray:
    """Distances as int64 in 0..65535, which fast-tsp takes: shifted if negative, scaled if too large or real.

    A shift changes all tours by the same amount; scaling rounds to 1/65535 of the largest distance.
    """
    n = distances.shape[0]
    off = ~np.eye(n, dtype=bool)
    low, high = distances[off].min(), distances[off].max()
    shifted = np.where(off, distances - min(low, 0), 0)
    top = float(high) - min(float(low), 0.0)
    if distances.dtype.kind == "i" and top <= 65535:
        return shifted.astype(np.int64)
    return np.rint(shifted * (65535.0 / top if top > 0 else 1.0)).astype(np.int64)


def _report(monitor: Monitor, instance: Instance, tour: NDArray) -> None:
    monitor.incumbent(tour, TSP().objective(instance, tour))
