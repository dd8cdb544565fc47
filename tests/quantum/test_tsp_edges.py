from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from co_gym.errors import InputError
from quantum.hamiltonians import state_bits
from quantum.multipliers import RULES, Region, maximize, rule
from quantum.oracles import linear_oracle
from quantum.tsp_edges import EdgeTSP, one_tree, one_tree_oracle


def random_distances(n: int, seed: int, euclidean: bool = True) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if euclidean:
        points = rng.random((n, 2))
        return np.linalg.norm(points[:, None] - points[None], axis=-1)
    half = np.triu(rng.integers(1, 50, size=(n, n)).astype(float), k=1)
    return half + half.T


def optimum(distances: np.ndarray) -> float:
    """By dynamic programming over sets of cities (Held and Karp 1962)."""
    n = len(distances)
    best = np.full((1 << (n - 1), n - 1), np.inf)
    for j in range(n - 1):
        best[1 << j, j] = distances[0, j + 1]
    inner = distances[1:, 1:]
    for visited in range(1, 1 << (n - 1)):
        reach = (best[visited][:, None] + inner).min(axis=0)
        for j in range(n - 1):
            if not visited >> j & 1:
                best[visited | 1 << j, j] = min(best[visited | 1 << j, j], reach[j])
    return float((best[-1] + distances[1:, 0]).min())


def subtour_lp(distances: np.ndarray) -> float:
    """The LP with the degree of each city and all rows against subtours that it needs."""
    n = len(distances)
    edges = np.column_stack(np.triu_indices(n, k=1))
    degrees = np.array([(edges == city).any(axis=1) for city in range(n)], dtype=float)
    sets = [one for size in range(3, n // 2 + 1) for one in combinations(range(n), size)]
    rows = np.array([np.isin(edges, one).all(axis=1) for one in sets], dtype=float).reshape(-1, len(edges))
    sides, used = np.array([len(one) - 1.0 for one in sets]), np.zeros(len(sets), dtype=bool)
    while True:
        lengths = distances[tuple(edges.T)]
        found = linprog(lengths, rows[used], sides[used], degrees, np.full(n, 2.0), bounds=(0, 1))
        assert found.status == 0
        violated = rows @ found.x > sides + 1e-9
        if not (violated & ~used).any():
            return float(found.fun)
        used |= violated


@pytest.mark.parametrize(("n", "variables"), [(3, 3), (5, 10), (6, 15), (8, 28)])
def test_there_is_a_variable_for_each_pair_of_cities(n: int, variables: int) -> None:
    program = EdgeTSP(random_distances(n, 0)).program()
    assert (program.num_variables, program.num_rows) == (variables, n)


@pytest.mark.parametrize("n", [4, 5, 6])
def test_feasible_edge_sets_are_tours_and_subtours_and_cuts_leave_the_tours(n: int) -> None:
    edge_tsp = EdgeTSP(random_distances(n, 1, euclidean=False))
    x = state_bits(np.arange(2 ** len(edge_tsp.edges)), len(edge_tsp.edges))
    program = edge_tsp.program()
    feasible = x[program.feasible(x)]
    tours = [edge_tsp.decode(one) for one in feasible]
    found = [one for one in tours if one is not None]
    assert len(found) == len(list(permutations(range(n - 1)))) / 2
    lengths = [edge_tsp.distances[tour, np.roll(tour, -1)].sum() for tour in found]
    assert min(lengths) == pytest.approx(optimum(edge_tsp.distances))
    broken = [one for one, tour in zip(feasible, tours, strict=True) if tour is None]
    assert len(broken) == (10 if n == 6 else 0)
    cut = edge_tsp.with_cuts(one for x in broken for one in edge_tsp.subtours(x))
    assert len(cut.cuts) == len(broken)
    left = cut.program().feasible(feasible)
    assert left.tolist() == [tour is not None for tour in tours]


@given(st.integers(3, 9), st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_tours_come_back_from_their_edges_at_their_length(n: int, seed: int) -> None:
    edge_tsp = EdgeTSP(random_distances(n, seed))
    tour = np.random.default_rng(seed).permutation(n)
    x = edge_tsp.encode(tour)
    program = edge_tsp.program()
    assert program.feasible(x)
    assert program.evaluate(x) == pytest.approx(edge_tsp.distances[tour, np.roll(tour, -1)].sum())
    back = edge_tsp.decode(x)
    assert back is not None
    np.testing.assert_array_equal(edge_tsp.encode(back), x)
    assert back[0] == 0
    assert back[1] <= back[-1]
    assert edge_tsp.subtours(x) == []


def test_decoding_finds_subtours_also_where_degrees_are_wrong() -> None:
    edge_tsp = EdgeTSP(random_distances(7, 0))
    pairs = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (5, 6)]
    x = np.array([tuple(edge) in pairs for edge in edge_tsp.edges.tolist()])
    assert edge_tsp.decode(x) is None
    assert edge_tsp.subtours(x) == [(0, 1, 2)]
    cut = edge_tsp.with_cuts([(0, 1, 2), (3, 4, 5, 6), (2, 1, 0)])
    assert cut.cuts == ((0, 1, 2),)
    assert cut.program().num_rows == 8
    assert cut.program().violations(x)[-1] == 1.0
    assert edge_tsp.decode(np.zeros(21)) is None


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="symmetric"):
        EdgeTSP(np.arange(9.0).reshape(3, 3))
    with pytest.raises(InputError, match="at least 3"):
        EdgeTSP(np.zeros((2, 2)))
    for cut in ([0, 1], [0, 1, 2, 3], [4, 5, 9]):
        with pytest.raises(InputError, match="a cut of cities"):
            EdgeTSP(random_distances(6, 0)).with_cuts([cut])


@given(st.integers(3, 6), st.integers(0, 10**6), st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_the_one_tree_is_the_cheapest(n: int, seed: int, root: int) -> None:
    rng = np.random.default_rng(seed)
    costs = rng.integers(-5, 6, size=(n, n)).astype(float)
    costs = costs + costs.T
    edges = one_tree(costs, root)
    assert len(edges) == n
    others = [edge for edge in combinations(range(n), 2) if root not in edge]
    trees = [tree for tree in combinations(others, n - 2) if spans(tree, n, root)]
    least = min(sum(costs[edge] for edge in tree) for tree in trees)
    at_root = np.sort(np.delete(costs[root], root))[:2].sum()
    assert costs[tuple(edges.T)].sum() == least + at_root
    assert np.sum(edges == root) == 2


def spans(tree: tuple, n: int, root: int) -> bool:
    groups = {city: {city} for city in range(n) if city != root}
    for i, j in tree:
        if groups[i] is groups[j]:
            return False
        groups[i] |= groups[j]
        for city in groups[j]:
            groups[city] = groups[i]
    return True


@given(st.integers(3, 9), st.integers(0, 10**6), st.booleans())
@settings(max_examples=40, deadline=None)
def test_no_one_tree_bound_exceeds_the_optimum_and_slopes_are_supergradients(
    n: int, seed: int, euclidean: bool
) -> None:
    distances, rng = random_distances(n, seed, euclidean), np.random.default_rng(seed)
    oracle, best = one_tree_oracle(distances, root=seed % n), optimum(distances)
    u, v = rng.normal(size=(2, n)) * distances.mean()
    inner = oracle(u)
    assert inner.exact
    assert inner.value <= best + 1e-9 * max(1.0, abs(best))
    assert oracle(v).value <= inner.value + inner.slopes @ (v - u) + 1e-9 * max(1.0, abs(best))


@pytest.mark.parametrize("name", [name for name in RULES if name != "augmented"])
@pytest.mark.parametrize("euclidean", [True, False])
def test_rules_reach_the_bound_of_the_lp_over_one_trees(name: str, euclidean: bool) -> None:
    for n in (8, 11, 13):
        distances = random_distances(n, n, euclidean)
        bound = subtour_lp(distances)
        region = Region.of(EdgeTSP(distances).program(), upper=1.03 * bound)
        found = maximize(one_tree_oracle(distances), rule(name), np.zeros(n), region, 100)
        assert found.bound is not None
        assert 0.99 * bound <= found.bound <= bound * (1 + 1e-9)
        if name in ("bundle", "cutting-plane"):
            assert found.bound == pytest.approx(bound, rel=1e-6)


def test_the_bundle_method_bounds_larger_tours_within_a_few_per_cent() -> None:
    for n in range(10, 13):
        distances = random_distances(n, n)
        best = optimum(distances)
        region = Region.of(EdgeTSP(distances).program())
        found = maximize(one_tree_oracle(distances), rule("bundle"), np.zeros(n), region, 100)
        assert found.bound is not None
        assert 0.95 * best <= found.bound <= best * (1 + 1e-9)


def test_one_trees_bound_better_than_all_edge_sets() -> None:
    distances = random_distances(9, 3)
    edge_tsp = EdgeTSP(distances)
    program, start = edge_tsp.program(), np.zeros(9)
    region = Region.of(program)
    trees = maximize(one_tree_oracle(distances), rule("bundle"), start, region, 100)
    edges = maximize(linear_oracle(program), rule("bundle"), start, region, 100)
    assert trees.value >= edges.value - 1e-9
    assert subtour_lp(distances) == pytest.approx(trees.value, rel=1e-6)
