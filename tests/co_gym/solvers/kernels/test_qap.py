"""Quadratic assignment kernels against brute force, and their invariants."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from co_gym.solvers.kernels.qap import QAPLocalSearch, assignment_cost, swap_delta


def cost(flow: NDArray, distance: NDArray, p: NDArray) -> float:
    return (flow * distance[np.ix_(p, p)]).sum().item()


def matrices(n: int, seed: int, integral: bool) -> tuple[NDArray, NDArray]:
    """Asymmetric matrices of any sign with a nonzero diagonal."""
    rng = np.random.default_rng(seed)
    flow, distance = rng.integers(-20, 40, (n, n)), rng.integers(-20, 40, (n, n))
    return (flow, distance) if integral else (flow + rng.random((n, n)), distance + rng.random((n, n)))


@pytest.mark.parametrize("integral", [True, False])
@pytest.mark.parametrize("n", [2, 3, 5, 7, 8])
def test_reaches_the_brute_force_optimum(n: int, integral: bool) -> None:
    flow, distance = matrices(n, n, integral)
    orders = np.array(list(permutations(range(n))))
    totals = sum(flow[i, j] * distance[orders[:, i], orders[:, j]] for i in range(n) for j in range(n))
    search = QAPLocalSearch(flow, distance, 3)
    search.run(60_000)
    assert search.best_value == pytest.approx(totals.min())


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 12), seed=st.integers(0, 10**6), integral=st.booleans(), data=st.data())
def test_delta_equals_full_evaluation(n: int, seed: int, integral: bool, data: st.DataObject) -> None:
    flow, distance = matrices(n, seed, integral)
    p = np.array(data.draw(st.permutations(range(n))))
    r, s = data.draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=2, unique=True))
    q = p.copy()
    q[r], q[s] = p[s], p[r]
    change = cost(flow, distance, q) - cost(flow, distance, p)
    assert swap_delta(flow, distance, p, r, s) == pytest.approx(change, abs=1e-8)
    assert assignment_cost(flow, distance, p) == pytest.approx(cost(flow, distance, p))


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 10), seed=st.integers(0, 10**6), integral=st.booleans())
def test_incumbent_is_a_permutation_of_its_cost(n: int, seed: int, integral: bool) -> None:
    flow, distance = matrices(n, seed, integral)
    search = QAPLocalSearch(flow, distance, seed)
    for chunk in (1, 10, 500):
        before = search.best_value
        improved = search.run(chunk)
        assert sorted(search.best.tolist()) == list(range(n))
        assert search.best_value == pytest.approx(cost(flow, distance, search.best), rel=1e-12)
        assert improved == (search.best_value < before)
        s = search._state
        assert s.values[0] == pytest.approx(cost(flow, distance, s.current))


def test_chunks_do_not_change_the_course() -> None:
    flow, distance = matrices(9, 4, True)
    whole, parts = (QAPLocalSearch(flow, distance, 8) for _ in range(2))
    whole.run(20_000)
    for _ in range(200):
        parts.run(100)
    assert (whole._state.current == parts._state.current).all()
    assert (whole.best == parts.best).all()


def test_edge_cases() -> None:
    empty = np.zeros((0, 0), dtype=np.int64)
    assert QAPLocalSearch(empty, empty, 0).best_value == 0
    single = QAPLocalSearch([[3]], [[4]], 0)
    assert single.complete
    assert single.best_value == 12
    assert not single.run(5)
    flat = QAPLocalSearch(np.ones((4, 4), dtype=np.int64), np.ones((4, 4), dtype=np.int64), 0)
    assert not flat.run(5000)
    assert flat.best_value == 16


def test_start_is_used_and_checked() -> None:
    flow, distance = matrices(6, 1, True)
    search = QAPLocalSearch(flow, distance, 0, start=[5, 4, 3, 2, 1, 0])
    assert search.best.tolist() == [5, 4, 3, 2, 1, 0]
    assert search.best_value == cost(flow, distance, np.arange(6)[::-1])
    with pytest.raises(ValueError, match="permutation"):
        QAPLocalSearch(flow, distance, 0, start=[0, 0, 1, 2, 3, 4])


def test_bad_data_are_refused() -> None:
    with pytest.raises(ValueError, match="square"):
        QAPLocalSearch(np.ones((2, 3)), np.ones((2, 2)), 0)
    with pytest.raises(ValueError, match="assignment cost"):
        QAPLocalSearch(np.full((2, 2), 2**40), np.full((2, 2), 2**30), 0)
