"""Safe bounds, elimination and the linear program."""

import itertools
import time

import numpy as np
import pytest

from co_gym.solvers.kernels.tours import heuristic_tour
from milp.tsp.cuts import comb_cut, subtour_cut
from milp.tsp.edge_lp import EdgeLP
from milp.tsp.incumbent import Incumbent, tour_of_edges
from milp.tsp.pricing import price
from milp.tsp.relaxation import RootRelaxation
from milp.tsp.separation import Separator


def run_root(distances, tour, integral=True):
    distances = distances.astype(float)
    incumbent = Incumbent(distances, tour, integral)
    bounds = []
    relaxation = RootRelaxation(distances, incumbent, Separator(tour), time.monotonic() + 30, bounds.append)
    return relaxation.run(), incumbent, bounds


@pytest.mark.parametrize("n", [4, 5, 6, 8])
def test_any_duals_give_a_valid_bound(tsp, n):
    rng = np.random.default_rng(n)
    cuts = [subtour_cut(n, [0, 2])]
    if n >= 6:
        cuts.append(comb_cut(n, [0, 1, 2], [[0, 3], [1, 4], [2, 5]]))
    for scale in (1.0, 1e-3, 1e12):
        for _ in range(10):
            distances = scale * tsp.symmetric(rng, n, -20, 50)
            best = tsp.lengths(distances, tsp.tours(n)).min()
            live = ~np.eye(n, dtype=bool)
            duals = scale * rng.normal(10, 10, n)
            pricing = price(distances, live, duals, cuts, scale * rng.normal(0, 5, len(cuts)))
            assert pricing.bound <= best


def test_reduced_costs_bound_every_tour(tsp):
    """length >= bound + sum of |reduced cost| of the choices against its sign, for every tour."""
    rng = np.random.default_rng(1)
    n = 7
    distances = tsp.symmetric(rng, n).astype(float)
    cuts = [subtour_cut(n, [0, 2]), comb_cut(n, [0, 1, 2], [[0, 3], [1, 4], [2, 5]])]
    pricing = price(distances, ~np.eye(n, dtype=bool), rng.normal(20, 5, n), cuts, np.array([3.0, 2.0]))
    for tour in tsp.tours(n):
        used = np.zeros((n, n), bool)
        used[tour, np.roll(tour, -1)] = True
        used |= used.T
        penalty = np.triu(np.where(used, np.maximum(pricing.reduced, 0), np.maximum(-pricing.reduced, 0)), 1)
        length = tsp.lengths(distances, tour[None])[0]
        assert pricing.bound + penalty.sum() <= length + 1e-9


@pytest.mark.parametrize("n", [4, 5, 6, 7, 8])
def test_root_bound_and_elimination_keep_all_better_tours(tsp, n):
    rng = np.random.default_rng(n)
    tours = tsp.tours(n)
    for _ in range(15):
        distances = tsp.symmetric(rng, n, -10, 30)
        lengths = tsp.lengths(distances, tours)
        root, incumbent, bounds = run_root(distances, rng.permutation(n))
        better = lengths < incumbent.length
        assert min(root.bound, incumbent.length) <= lengths.min()
        assert all(a < b for a, b in itertools.pairwise(bounds))
        for tour in tours[better]:
            assert root.live[tour, np.roll(tour, -1)].all()
            used = np.zeros((n, n), bool)
            used[tour, np.roll(tour, -1)] = True
            assert not (root.fixed & ~(used | used.T)).any()


def test_root_bound_is_close_on_euclidean_instances(tsp):
    distances = tsp.euclidean(np.random.default_rng(0), 60)
    root, incumbent, _ = run_root(distances, heuristic_tour(distances.astype(float), 0.3))
    assert root.bound > 0.995 * incumbent.length
    assert root.live.sum() < 60 * 20


def test_edge_lp_adds_and_deletes_rows_and_columns(tsp):
    n = 6
    distances = tsp.euclidean(np.random.default_rng(2), n).astype(float)
    tails, heads = np.triu_indices(n, 1)
    whole = EdgeLP(n)
    whole.add_edges(tails, heads, distances[tails, heads])
    whole.add_cuts([subtour_cut(n, [0, 1]), subtour_cut(n, [0, 1, 2])])
    split = EdgeLP(n)
    split.add_edges(tails[:10], heads[:10], distances[tails[:10], heads[:10]])
    split.add_cuts([subtour_cut(n, [0, 1]), subtour_cut(n, [0, 1, 2])])
    split.add_edges(tails[10:], heads[10:], distances[tails[10:], heads[10:]])
    expected = whole.solve(5.0)
    point = split.solve(5.0)
    assert point.optimal
    assert point.objective == pytest.approx(expected.objective)
    split.purge(np.zeros(2), 1)
    assert split.cuts == []
    assert split.solve(5.0).objective <= expected.objective + 1e-9
    split.keep_edges(distances[tails, heads] < np.inf)
    assert len(split.tails) == len(tails)


def test_tour_of_edges_accepts_only_one_cycle():
    assert tour_of_edges(4, np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0])).tolist() == [0, 1, 2, 3]
    two_triangles = (np.array([0, 1, 2, 3, 4, 5]), np.array([1, 2, 0, 4, 5, 3]))
    assert tour_of_edges(6, *two_triangles) is None
    assert tour_of_edges(4, np.array([0, 0, 0, 1]), np.array([1, 2, 3, 2])) is None
