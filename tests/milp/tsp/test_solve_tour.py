"""The solver against brute force, its invariances and its limits."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from co_gym.solvers.kernels.tours import farthest_insertion, heuristic_tour, scaled_to_range, two_opt
from milp.tsp import TourProof, solve_tour
from milp.tsp.branch_and_cut import Limits, branch_and_cut
from milp.tsp.incumbent import Incumbent
from milp.tsp.relaxation import Root
from milp.tsp.separation import Separator


def check(proof: TourProof, distances, optimum):
    n = len(distances)
    assert sorted(proof.tour.tolist()) == list(range(n))
    assert proof.tour.dtype == np.int64
    assert distances[proof.tour, np.roll(proof.tour, -1)].sum() == pytest.approx(proof.length)
    assert proof.status == "optimal"
    assert proof.length == pytest.approx(optimum)
    assert proof.bound == proof.length
    json.dumps(proof.details)


@pytest.mark.parametrize("n", [4, 5, 6, 7, 8])
@pytest.mark.parametrize(("low", "high"), [(1, 100), (-30, 30), (0, 3), (0, 1)])
def test_integers_match_brute_force(tsp, n, low, high):
    rng = np.random.default_rng(n)
    for _ in range(4):
        distances = tsp.symmetric(rng, n, low, high)
        proof = solve_tour(distances, tour=rng.permutation(n))
        check(proof, distances, tsp.lengths(distances, tsp.tours(n)).min())
        assert isinstance(proof.length, int)


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e9])
def test_floats_match_brute_force(tsp, scale):
    rng = np.random.default_rng(3)
    for n in (4, 6, 8):
        upper = np.triu(rng.normal(1.0, 1.0, (n, n)), 1) * scale
        distances = upper + upper.T
        check(solve_tour(distances), distances, tsp.lengths(distances, tsp.tours(n)).min())


def test_huge_integers_match_brute_force(tsp):
    rng = np.random.default_rng(4)
    for n in (5, 7):
        for high in (10**9, 10**15, 10**18):
            distances = tsp.symmetric(rng, n, 1, high // n)
            proof = solve_tour(distances)
            check(proof, distances, tsp.lengths(distances, tsp.tours(n)).min())


def test_forbidden_edges_as_huge_values(tsp):
    n = 40
    rng = np.random.default_rng(5)
    order = rng.permutation(n)
    distances = np.full((n, n), 10**9)
    distances[order, np.roll(order, -1)] = distances[np.roll(order, -1), order] = 7
    np.fill_diagonal(distances, 0)
    assert solve_tour(distances, time_limit=10).length == 7 * n


def test_one_two_and_three_nodes():
    assert solve_tour(np.zeros((1, 1), np.int64)).length == 0
    assert solve_tour(np.array([[0, 4], [4, 0]])).length == 8
    three = np.array([[0, 1, 2.5], [1, 0, 3], [2.5, 3, 0]])
    proof = solve_tour(three)
    assert proof.length == proof.bound == 6.5
    assert isinstance(proof.length, float)


@pytest.mark.parametrize(
    ("distances", "message"),
    [
        (np.zeros((2, 3)), "square"),
        (np.zeros((0, 0)), "square"),
        (np.array([[0, 1], [2, 0]]), "symmetric"),
        (np.array([[0, np.nan], [np.nan, 0]]), "finite"),
    ],
)
def test_bad_matrices_are_refused(distances, message):
    with pytest.raises(ValueError, match=message):
        solve_tour(distances)


def test_bad_tours_are_refused():
    with pytest.raises(ValueError, match="permutation"):
        solve_tour(np.zeros((4, 4)), tour=np.array([0, 1, 2, 2]))


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 9), st.integers(0, 10**6))
def test_relabelling_keeps_the_optimum(tsp, n, seed):
    rng = np.random.default_rng(seed)
    distances = tsp.symmetric(rng, n, -5, 40)
    order = rng.permutation(n)
    relabelled = solve_tour(distances[np.ix_(order, order)], tour=rng.permutation(n))
    assert relabelled.length == solve_tour(distances, tour=np.arange(n)).length


@pytest.mark.parametrize("seed", range(3))
def test_poor_start_reaches_the_same_optimum(tsp, seed):
    """The tree must find the optimum by itself from a random tour, with no valid tour cut off."""
    rng = np.random.default_rng(seed)
    distances = tsp.euclidean(rng, 45, 200)
    good = solve_tour(distances, time_limit=30)
    seen = []
    poor = solve_tour(distances, tour=rng.permutation(45), on_incumbent=lambda tour, length: seen.append(length))
    assert good.status == poor.status == "optimal"
    assert good.length == poor.length
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == poor.length


@pytest.mark.parametrize("n", [5, 6, 7, 8])
def test_tree_search_alone_matches_brute_force(tsp, n):
    """Without root cuts, elimination or a good start."""
    rng = np.random.default_rng(n)
    for _ in range(5):
        distances = tsp.symmetric(rng, n, -10, 40).astype(float)
        optimum = tsp.lengths(distances, tsp.tours(n)).min()
        worst = tsp.tours(n)[tsp.lengths(distances, tsp.tours(n)).argmax()]
        incumbent = Incumbent(distances, worst, True)
        root = Root(-np.inf, ~np.eye(n, dtype=bool), np.zeros((n, n), bool), [], np.zeros(n))
        separator = Separator(worst)
        result = branch_and_cut(distances, root, incumbent, separator, Limits(20.0), on_bound=lambda bound: None)
        assert result.status == "optimal"
        assert incumbent.length == optimum


def test_time_limit_is_kept(tsp):
    distances = tsp.euclidean(np.random.default_rng(8), 200)
    begin = time.monotonic()
    proof = solve_tour(distances, time_limit=0.5)
    assert time.monotonic() - begin < 3.0
    assert sorted(proof.tour.tolist()) == list(range(200))
    assert 0 < proof.bound <= proof.length
    assert proof.status in {"time_limit", "optimal"}


def test_no_time_at_all_still_gives_a_tour_and_a_bound(tsp):
    distances = tsp.euclidean(np.random.default_rng(9), 60)
    proof = solve_tour(distances, time_limit=0.0)
    assert sorted(proof.tour.tolist()) == list(range(60))
    assert 0 < proof.bound <= proof.length


def test_node_limit_is_kept(tsp):
    distances = tsp.euclidean(np.random.default_rng(21), 150, 100)
    proof = solve_tour(distances, tour=np.arange(150), node_limit=0, time_limit=20)
    assert proof.status in {"node_limit", "optimal"}
    assert proof.bound <= proof.length
    assert proof.details["nodes"] <= 1


def test_memory_limit_is_kept(tsp):
    distances = tsp.euclidean(np.random.default_rng(22), 120)
    proof = solve_tour(distances, tour=np.arange(120), memory_limit=0.0)
    assert proof.status in {"memory_limit", "optimal"}
    assert proof.bound <= proof.length


def test_bounds_are_reported_in_increasing_order(tsp):
    distances = tsp.euclidean(np.random.default_rng(23), 80)
    bounds = []
    proof = solve_tour(distances, on_bound=bounds.append)
    assert bounds == sorted(set(bounds))
    assert bounds[-1] == proof.bound == proof.length


@pytest.mark.parametrize("where", ["on_bound", "on_incumbent"])
def test_callback_errors_are_raised(tsp, where):
    distances = tsp.symmetric(np.random.default_rng(24), 20)

    def fail(*arguments):
        raise LookupError("broken display")

    with pytest.raises(LookupError, match="broken display"):
        solve_tour(distances, tour=np.arange(20), **{where: fail})


@pytest.mark.parametrize("where", ["on_bound", "on_incumbent"])
def test_keyboard_interrupt_returns_what_is_known(tsp, where):
    distances = tsp.symmetric(np.random.default_rng(25), 20)

    def stop(*arguments):
        raise KeyboardInterrupt

    proof = solve_tour(distances, tour=np.arange(20), **{where: stop})
    best = solve_tour(distances).length
    assert proof.status == "interrupted"
    assert proof.bound <= best <= proof.length


def test_heuristics_give_tours(tsp):
    rng = np.random.default_rng(30)
    for n in (2, 3, 5, 12):
        distances = tsp.symmetric(rng, n, -1000, 10**7).astype(float)
        first = farthest_insertion(distances)
        assert sorted(first.tolist()) == list(range(n))
        better = two_opt(distances, first, 10)
        assert sorted(better.tolist()) == list(range(n))
        assert tsp.lengths(distances, better[None])[0] <= tsp.lengths(distances, first[None])[0] + 1e-6
        assert sorted(heuristic_tour(distances, 0.05).tolist()) == list(range(n))
        scaled = scaled_to_range(distances, first)
        assert scaled.min() >= 0
        assert scaled.max() <= 65535
