"""Heuristics for the travelling salesman problem."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.instance import Instance
from co_gym.problems.tsp import TSP
from co_gym.solvers.base import Answer, Monitor, Options, Role
from co_gym.solvers.heuristics import Construction
from co_gym.solvers.kernels.tours import (
    FAST_TSP_FROM,
    farthest_insertion,
    fast_tour,
    first_tour,
    nearest_neighbour,
)

FIRST_LOOK = 0.2
"""Seconds of a first short search, so that there is an incumbent to keep early on."""


class FastTSP:
    """Or-opt and Lin-Kernighan style local search with perturbation, by the package `fast-tsp`."""

    name = "fast-tsp"
    role: Role = "local-search"
    problems: frozenset[str] | None = frozenset({"tsp"})
    summary = "iterated local search of the package fast-tsp (Mulvad 2021)"

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


MOST_STARTS = 50
"""Cities from which nearest neighbour begins, evenly spread over larger instances."""


def _nearest_neighbour(instance: Instance) -> NDArray:
    """The best tour of nearest neighbour from several cities."""
    distances = TSP().distances(instance)
    n = len(distances)
    starts = np.unique(np.linspace(0, n - 1, min(n, MOST_STARTS)).astype(np.int64))
    tours = [nearest_neighbour(distances, int(first)) for first in starts]
    return min(tours, key=lambda tour: TSP().objective(instance, tour))


def _farthest_insertion(instance: Instance) -> NDArray:
    distances = TSP().distances(instance).astype(np.float64)
    return farthest_insertion(distances) if len(distances) > 1 else np.zeros(1, np.int64)


NEAREST_NEIGHBOUR = Construction(
    {"tsp"},
    f"nearest neighbour from up to {MOST_STARTS} cities (Rosenkrantz, Stearns, Lewis 1977)",
    _nearest_neighbour,
    name="nearest-neighbour",
)

FARTHEST_INSERTION = Construction(
    {"tsp"},
    "farthest insertion (Rosenkrantz, Stearns, Lewis 1977)",
    _farthest_insertion,
    name="farthest-insertion",
)


def _report(monitor: Monitor, instance: Instance, tour: NDArray) -> None:
    monitor.incumbent(tour, TSP().objective(instance, tour))
