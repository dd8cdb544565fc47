"""Independent set kernels against brute force, and their invariants."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from co_gym.solvers.kernels.mis import MISLocalSearch, greedy_independent_set


def csr(n: int, edges: list[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Build a symmetric CSR adjacency."""
    rows: list[list[int]] = [[] for _ in range(n)]
    for u, v in edges:
        rows[u].append(v)
        rows[v].append(u)
    indptr = np.cumsum([0] + [len(row) for row in rows]).astype(np.int64)
    return indptr, np.array([v for row in rows for v in sorted(row)], dtype=np.int64)


def random_edges(n: int, density: float, seed: int) -> list[tuple[int, int]]:
    """Draw each edge independently."""
    rng = np.random.default_rng(seed)
    return [pair for pair in combinations(range(n), 2) if rng.random() < density]


def optimum(n: int, edges: list[tuple[int, int]], weights: NDArray) -> float:
    """Maximum weight over all subsets, by bit masks."""
    masks = np.arange(2**n)
    good = np.ones(2**n, dtype=bool)
    for u, v in edges:
        good &= ((masks >> u) & (masks >> v) & 1) == 0
    totals = sum(((masks >> v) & 1) * weights[v] for v in range(n))
    return float(np.max(np.where(good, totals, 0)))


def independent(edges: list[tuple[int, int]], chosen: NDArray) -> bool:
    return not any(chosen[u] and chosen[v] for u, v in edges)


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
@pytest.mark.parametrize("seed", range(6))
def test_reaches_the_brute_force_optimum(dtype: type, seed: int) -> None:
    n = 12
    edges = random_edges(n, 0.1 + 0.12 * seed, seed)
    weights: NDArray = (np.random.default_rng(seed).random(n) * 20 + 1).astype(dtype)
    search = MISLocalSearch(*csr(n, edges), weights, seed)
    search.run(2000)
    assert search.best_value == pytest.approx(optimum(n, edges, weights))


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 25),
    density=st.floats(0, 1),
    seed=st.integers(0, 2**63),
    integral=st.booleans(),
    data=st.data(),
)
def test_incumbent_is_always_independent_and_worth_its_value(
    n: int, density: float, seed: int, integral: bool, data: st.DataObject
) -> None:
    edges = random_edges(n, density, seed % 1000)
    entry = st.integers(0, 50) if integral else st.floats(0, 50)
    weights: NDArray = np.array(
        data.draw(st.lists(entry, min_size=n, max_size=n)), dtype=None if integral else float
    )
    search = MISLocalSearch(*csr(n, edges), weights, seed)
    value = greedy_value = weights[greedy_independent_set(*csr(n, edges), weights)].sum()
    for chunk in (1, 3, 40):
        before = search.best_value
        improved = search.run(chunk)
        value = search.best_value
        assert independent(edges, search.best)
        assert value == pytest.approx(weights[search.best].sum(), rel=1e-12, abs=1e-12)
        assert improved == (value > before)
    assert value >= greedy_value - 1e-9


def test_internal_counts_equal_recomputation() -> None:
    n = 40
    edges = random_edges(n, 0.2, 1)
    weights = np.random.default_rng(1).integers(1, 30, n)
    search = MISLocalSearch(*csr(n, edges), weights, 1)
    adjacency = np.zeros((n, n), dtype=np.int64)
    for u, v in edges:
        adjacency[u, v] = adjacency[v, u] = 1
    for _ in range(20):
        search.run(7)
        s = search._state
        inside = s.inside.astype(np.int64)
        assert (s.tight == adjacency @ inside).all()
        assert (s.conflict == adjacency @ (inside * weights)).all()
        assert (s.partner == adjacency @ (inside * np.arange(n))).all()
        assert s.values[0] == (inside * weights).sum()
        assert set(s.order[: s.counters[0]]) == set(np.flatnonzero(inside))
        assert (s.order[s.place] == np.arange(n)).all()
        assert not (s.inside != s.best)[~s.is_dirty].any()


def test_chunks_do_not_change_the_course() -> None:
    n = 60
    graph = csr(n, random_edges(n, 0.3, 5))
    weights = np.random.default_rng(2).integers(1, 9, n)
    whole, parts = (MISLocalSearch(*graph, weights, 11) for _ in range(2))
    whole.run(300)
    for _ in range(30):
        parts.run(10)
    assert (whole._state.inside == parts._state.inside).all()
    assert (whole.best == parts.best).all()


def test_edge_cases() -> None:
    empty = MISLocalSearch([0], [], np.zeros(0, dtype=np.int64), 0)
    assert empty.complete
    assert empty.best_value == 0
    assert not empty.run(5)
    loose = MISLocalSearch(np.zeros(6, dtype=np.int64), [], np.ones(5, dtype=np.int64), 0)
    assert loose.best.all()
    assert loose.complete
    n = 7
    clique = MISLocalSearch(*csr(n, list(combinations(range(n), 2))), np.arange(n), 0)
    clique.run(50)
    assert clique.best_value == n - 1
    worthless = MISLocalSearch(*csr(3, [(0, 1)]), np.array([-1, 0, -5]), 0)
    assert not worthless.run(10)
    assert worthless.best_value == 0
    assert not greedy_independent_set(*csr(3, [(0, 1)]), np.array([-1, 0, -5])).any()


def test_start_is_used_and_checked() -> None:
    graph = csr(4, [(0, 1), (1, 2), (2, 3)])
    search = MISLocalSearch(*graph, np.array([1, 1, 1, 1]), 0, start=[False, True, False, True])
    assert search.best.tolist() == [False, True, False, True]
    with pytest.raises(ValueError, match="not an independent set"):
        MISLocalSearch(*graph, np.ones(4, dtype=np.int64), 0, start=[True, True, False, False])
    with pytest.raises(ValueError, match="shape"):
        MISLocalSearch(*graph, np.ones(4, dtype=np.int64), 0, start=[True])


def test_greedy_takes_minimum_degree_and_weight_per_degree() -> None:
    star = csr(6, [(0, leaf) for leaf in range(1, 6)])
    assert greedy_independent_set(*star, np.ones(6, dtype=np.int64)).tolist() == [False] + [True] * 5
    assert greedy_independent_set(*star, np.array([100, 1, 1, 1, 1, 1])).tolist() == [True] + [False] * 5


@pytest.mark.parametrize(
    ("indptr", "indices", "message"),
    [
        ([0, 1], [0], "loop"),
        ([0, 1, 1], [1], "symmetric"),
        ([0, 1, 2], [1, 5], "outside"),
        ([0, 1], [0, 0], "CSR"),
    ],
)
def test_malformed_graphs_are_refused(indptr: list[int], indices: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MISLocalSearch(indptr, indices, np.ones(len(indptr) - 1, dtype=np.int64), 0)


def test_weights_that_overflow_are_refused() -> None:
    with pytest.raises(ValueError, match="sum of vertex weights"):
        MISLocalSearch([0, 0, 0], [], np.array([2**62, 2**62]), 0)
    with pytest.raises(ValueError, match="int64"):
        MISLocalSearch([0, 0], [], [2**70], 0)
