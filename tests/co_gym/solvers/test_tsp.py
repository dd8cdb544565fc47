from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from co_gym.problems.tsp import TSP
from co_gym.solvers.base import Monitor, Options, Solver
from co_gym.solvers.kernels.tours import farthest_insertion, nearest_neighbour
from co_gym.solvers.tsp import FARTHEST_INSERTION, NEAREST_NEIGHBOUR, FastTSP

LINE = np.abs(np.subtract.outer([0, 1, 3, 7, 20], [0, 1, 3, 7, 20]))


def symmetric(rng: np.random.Generator, n: int, low: int, high: int) -> NDArray:
    upper = np.triu(rng.integers(low, high, size=(n, n)), k=1)
    return upper + upper.T


def length(distances: NDArray, tour: NDArray) -> int:
    return int(distances[tour, np.roll(tour, -1)].sum())


@pytest.mark.parametrize(
    ("first", "tour"), [(0, [0, 1, 2, 3, 4]), (2, [2, 1, 0, 3, 4]), (4, [4, 3, 2, 1, 0]), (1, [1, 0, 2, 3, 4])]
)
def test_nearest_neighbour(first: int, tour: list[int]) -> None:
    assert nearest_neighbour(LINE, first).tolist() == tour


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7, 40])
def test_constructions_visit_every_city(n: int) -> None:
    distances = symmetric(np.random.default_rng(n), n, 0, 100)
    for tour in (nearest_neighbour(distances), farthest_insertion(distances.astype(np.float64))):
        assert sorted(tour.tolist()) == list(range(n))
        assert tour.dtype == np.int64


def test_farthest_insertion_on_a_convex_polygon_is_optimal() -> None:
    rng = np.random.default_rng(2)
    angles = np.sort(rng.random(12)) * 2 * np.pi
    order = rng.permutation(12)
    points = np.column_stack([np.cos(angles), np.sin(angles)])[order]
    instance = TSP().instance({"coordinates": points})
    tour = farthest_insertion(TSP().distances(instance))
    best = np.argsort(order)
    assert TSP().objective(instance, tour) == pytest.approx(TSP().objective(instance, best))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 100), (-100, 100), (10**9, 2 * 10**9)])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
def test_fast_tsp_on_odd_matrices(n: int, low: int, high: int) -> None:
    distances = symmetric(np.random.default_rng(n), n, low, high)
    instance = TSP().instance({"distances": distances})
    answer = FastTSP().solve(instance, options=Options(), monitor=Monitor(minimize=True, time_limit=0.1))
    assert answer.solution is not None
    best = min(length(distances, np.array([0, *rest])) for rest in itertools.permutations(range(1, n)))
    assert answer.objective == length(distances, answer.solution)
    assert answer.objective >= best
    assert n > 3 or answer.objective == best


@pytest.mark.parametrize("solver", [FastTSP(), NEAREST_NEIGHBOUR, FARTHEST_INSERTION], ids=lambda s: s.name)
def test_a_better_start_is_kept(solver: Solver) -> None:
    rng = np.random.default_rng(8)
    for _ in range(5):
        distances = symmetric(rng, 7, 1, 100)
        best = min(
            (np.array([0, *rest]) for rest in itertools.permutations(range(1, 7))),
            key=lambda t: length(distances, t),
        )
        instance = TSP().instance({"distances": distances})
        monitor = Monitor(minimize=True, time_limit=0.1)
        answer = solver.solve(instance, options=Options(), monitor=monitor, start=best)
        assert answer.objective == length(distances, best)
