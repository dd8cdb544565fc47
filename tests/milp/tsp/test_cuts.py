"""Validity of cuts: construction checks, enumeration of tours, random tours on larger instances."""

import numpy as np
import pytest

from co_gym.solvers.kernels.tours import heuristic_tour, two_opt
from milp.tsp.blossoms import blossom_cuts
from milp.tsp.cuts import comb_cut, subtour_cut
from milp.tsp.edge_lp import EdgeLP
from milp.tsp.separation import Separator
from milp.tsp.subtours import minimum_cuts
from milp.tsp.support import Support


def activity(cut, n, tour):
    return cut.coefficients(n, tour, np.roll(tour, -1)).sum()


def cutting_plane_rounds(distances, tour, rounds, seed=0, **options):
    """Points and cuts of the first rounds on the complete graph."""
    n = len(distances)
    lp = EdgeLP(n)
    tails, heads = np.triu_indices(n, 1)
    lp.add_edges(tails, heads, distances[tails, heads].astype(float))
    separator = Separator(tour, seed)
    for _ in range(rounds):
        point = lp.solve(10.0)
        assert point.optimal
        support = Support.of(n, lp.tails, lp.heads, point.values)
        cuts = separator.separate(support, **options)
        yield support, cuts
        if not cuts:
            return
        lp.add_cuts(cuts)


def test_subtour_needs_a_proper_subset():
    assert subtour_cut(5, [3, 1, 4]).sets == ((0, 2),)
    for bad in ([], range(5)):
        with pytest.raises(ValueError, match="proper subset"):
            subtour_cut(5, bad)


@pytest.mark.parametrize(
    ("handle", "teeth", "message"),
    [
        ([0, 1, 2], [[0, 3], [1, 4]], "odd number"),
        ([0, 1, 2], [[0, 3]], "odd number"),
        ([0, 1, 2], [[0, 3], [1, 3], [2, 5]], "disjoint"),
        ([0, 1, 2], [[0, 1], [2, 4], [5, 6]], "inside and outside"),
        ([0, 1, 2], [[3, 4], [2, 5], [1, 6]], "inside and outside"),
        ([0, 1, 2], [[0, 3], [1, 4], [2, 9]], "node numbers"),
    ],
)
def test_invalid_combs_are_refused(handle, teeth, message):
    with pytest.raises(ValueError, match=message):
        comb_cut(8, handle, teeth)


def test_comb_holds_for_every_tour_and_is_tight(tsp):
    cut = comb_cut(8, [0, 1, 2], [[0, 3], [1, 4], [2, 5, 6]])
    values = {activity(cut, 8, tour) for tour in tsp.tours(8)}
    assert cut.kind == "comb"
    assert min(values) == cut.rhs == 10
    assert comb_cut(8, [0, 1, 2], [[0, 3], [1, 4], [2, 5]]).kind == "blossom"


@pytest.mark.parametrize("n", [6, 7, 8])
def test_separated_cuts_hold_for_every_tour(tsp, n):
    rng = np.random.default_rng(n)
    tours = tsp.tours(n)
    kinds = set()
    for seed in range(12):
        distances = tsp.symmetric(rng, n, 1, 12)
        for support, cuts in cutting_plane_rounds(distances, rng.permutation(n), 6, seed, min_violation=1e-4):
            for cut in cuts:
                kinds.add(cut.kind)
                assert support.violation(cut) > 0
                assert min(activity(cut, n, tour) for tour in tours) >= cut.rhs
    assert "subtour" in kinds


@pytest.mark.parametrize("seed", range(3))
def test_separated_cuts_hold_for_random_tours(tsp, seed):
    rng = np.random.default_rng(seed)
    n = 90
    distances = tsp.euclidean(rng, n, 15)
    good = heuristic_tour(distances.astype(float), 0.2)
    shuffled = [rng.permutation(n) for _ in range(40)]
    tours = [good, *shuffled, *(two_opt(distances.astype(float), tour, 10) for tour in shuffled)]
    kinds = set()
    for support, cuts in cutting_plane_rounds(distances, good, 12, seed, min_violation=1e-3):
        for cut in cuts:
            kinds.add(cut.kind)
            assert support.violation(cut) > 0
            assert min(activity(cut, n, tour) for tour in tours) >= cut.rhs
    assert {"subtour", "comb"} <= kinds


def test_subtour_separation_is_exact(tsp):
    """The subtour bound by cutting planes leaves no violated set, by enumeration of all sets."""
    rng = np.random.default_rng(5)
    n = 8
    sets = [np.array([(code >> v) & 1 for v in range(n)], bool) for code in range(1, 2 ** (n - 1))]
    for _ in range(10):
        for support, cuts in cutting_plane_rounds(tsp.symmetric(rng, n), np.arange(n), 8):
            crossing = [support.values[s[support.tails] != s[support.heads]].sum() for s in sets]
            violated = min(crossing) < 2 - 1e-4
            assert violated == any(cut.kind == "subtour" for cut in cuts)


def test_blossom_separation_finds_the_standard_fractional_point():
    """Two triangles of halves joined by three edges of value one."""
    tails = np.array([0, 1, 0, 3, 4, 3, 0, 1, 2])
    heads = np.array([1, 2, 2, 4, 5, 5, 3, 4, 5])
    support = Support(6, tails, heads, np.array([0.5] * 6 + [1.0] * 3))
    assert minimum_cuts(support)[0] == []
    cuts, _ = blossom_cuts(support, np.arange(6), support)
    assert max(support.violation(cut) for cut in cuts) == pytest.approx(1.0)


def test_three_teeth_at_one_node_give_no_invalid_comb():
    tails, heads = np.array([0, 0, 0, 1, 2, 3]), np.array([1, 2, 3, 4, 4, 4])
    support = Support(5, tails, heads, np.array([0.67, 0.67, 0.67, 0.6, 0.6, 0.6]))
    cuts, handles = blossom_cuts(support, np.arange(5), support)
    assert handles
    assert all(len(set(tooth)) == 2 for cut in cuts for tooth in cut.sets[1:])


def test_teeth_by_dynamic_programming_find_a_comb_with_large_teeth():
    """The point above with every edge of value one stretched to a path of four nodes."""
    tails, heads, values = [], [], []
    paths = [[0, 6, 7, 3], [1, 8, 9, 4], [2, 10, 11, 5]]
    for triangle in ([0, 1, 2], [3, 4, 5]):
        for i in range(3):
            tails.append(triangle[i])
            heads.append(triangle[(i + 1) % 3])
            values.append(0.5)
    for path in paths:
        tails += path[:-1]
        heads += path[1:]
        values += [1.0] * 3
    support = Support(12, np.array(tails), np.array(heads), np.array(values))
    tour = np.array([*paths[0], *paths[1][::-1], *paths[2]])
    cuts = Separator(tour).separate(support)
    assert cuts
    assert max(support.violation(cut) for cut in cuts) == pytest.approx(1.0)
