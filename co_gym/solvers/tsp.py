"""Heuristics for the travelling salesman problem."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.instance import Instance
from co_gym.problems.tsp import TSP
from co_gym.solvers.base import Answer, Monitor, Options, Role
from co_gym.solvers.kernels.tours import (
    FAST_TSP_FROM,
    farthest_insertion,
    fast_tour,
    first_tour,
    nearest_neighbour,
)

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
        distances = TSP().distances(instance).astype(np.float64)
        tour = first_tour(distances) if start is None else start
        _report(monitor, instance, tour)
        if len(distances) >= FAST_TSP_FROM:
            for seconds in (FIRST_LOOK, np.inf):
                tour = fast_tour(distances, min(seconds, monitor.remaining), tour)
                _report(monitor, instance, tour)
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
        distances = TSP().distances(instance).astype(np.float64)
        _report(monitor, instance, farthest_insertion(distances) if len(distances) > 1 else np.zeros(1, np.int64))
        return Answer("feasible", solution=monitor.solution, objective=monitor.objective)


def _report(monitor: Monitor, instance: Instance, tour: NDArray) -> None:
    monitor.incumbent(tour, TSP().objective(instance, tour))
