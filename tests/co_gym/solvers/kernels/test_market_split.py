"""Market split kernels against brute force, and their invariants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from co_gym.solvers.kernels.driver import improve
from co_gym.solvers.kernels.market_split import MarketSplitLocalSearch, total_slack
from co_gym.solvers.kernels.market_split_exact import (
    MarketSplitEnumeration,
    MeetInTheMiddle,
    solve_zero_slack,
)


def least_slack(matrix: NDArray, rhs: NDArray) -> int:
    n = matrix.shape[1]
    points = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    return int(np.abs(points @ matrix.T - rhs).sum(axis=1).min())


def problem(m: int, n: int, top: int, seed: int, planted: bool) -> tuple[NDArray, NDArray]:
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-top, top + 1, (m, n))
    rhs = matrix @ rng.integers(0, 2, n) if planted else rng.integers(-top, top + 1, m)
    return matrix, rhs


@settings(max_examples=60, deadline=None)
@given(
    m=st.integers(1, 4),
    n=st.integers(0, 12),
    top=st.sampled_from([0, 1, 5, 10**15]),
    seed=st.integers(0, 10**6),
    planted=st.booleans(),
)
def test_exact_methods_agree_with_brute_force(m: int, n: int, top: int, seed: int, planted: bool) -> None:
    matrix, rhs = problem(m, n, top, seed, planted)
    least = least_slack(matrix, rhs)
    x, complete = solve_zero_slack(matrix, rhs, deadline=lambda: 1.0, seed=seed)
    assert complete
    assert (x is not None) == (least == 0)
    if x is not None:
        assert total_slack(matrix, rhs, x) == 0
    walk = MarketSplitEnumeration(matrix, rhs)
    while not walk.complete:
        walk.run(100)
    assert walk.best_value == least == total_slack(matrix, rhs, walk.best)


def test_colliding_codes_do_not_spoil_the_proof() -> None:
    # With all codes equal to zero every half sum collides; only the exact checks are left.
    for planted in (True, False):
        matrix, rhs = problem(2, 12, 50, 3, planted)
        search = MeetInTheMiddle(matrix, rhs)
        search._half.codes[:] = 0
        search.run(10**6)
        assert search.complete
        assert (search.solution is not None) == (least_slack(matrix, rhs) == 0)


def test_equal_columns_do_not_fill_the_table() -> None:
    x, complete = solve_zero_slack(np.ones((2, 36), dtype=np.int64), [17, 18], deadline=lambda: 5.0)
    assert x is None
    assert complete


def test_deadline_leaves_the_answer_open() -> None:
    matrix, rhs = problem(5, 40, 100, 0, False)
    assert solve_zero_slack(matrix, rhs, deadline=lambda: 0.0) == (None, False)


def test_chunked_search_finds_the_planted_solution_of_30_variables() -> None:
    matrix, rhs = problem(4, 30, 100, 9, True)
    search = MeetInTheMiddle(matrix, rhs)
    while not search.complete:
        search.run(997)
    assert search.best_value == 0
    assert search.solution is not None


@settings(max_examples=30, deadline=None)
@given(m=st.integers(1, 4), n=st.integers(1, 15), top=st.integers(0, 100), seed=st.integers(0, 10**6))
def test_local_search_keeps_its_books(m: int, n: int, top: int, seed: int) -> None:
    matrix, rhs = problem(m, n, top, seed, False)
    search = MarketSplitLocalSearch(matrix, rhs, seed)
    for chunk in (1, 5, 60):
        before = search.best_value
        assert search.run(chunk) == (search.best_value < before)
        assert search.best_value == total_slack(matrix, rhs, search.best)
        s = search._state
        assert (s.residual == matrix @ s.x.astype(np.int64) - rhs).all()
        assert (s.steps == np.where(s.x, -matrix, matrix).T).all()
        assert s.values[0] == np.abs(s.residual).sum()


@pytest.mark.parametrize("seed", range(4))
def test_local_search_reaches_the_least_slack(seed: int) -> None:
    matrix, rhs = problem(3, 12, 60, seed, False)
    search = MarketSplitLocalSearch(matrix, rhs, seed)
    improve(search, deadline=lambda: 1.0, on_improvement=lambda x, v: None, target=least_slack(matrix, rhs))
    assert search.best_value == least_slack(matrix, rhs)


def test_chunks_do_not_change_the_course() -> None:
    matrix, rhs = problem(4, 20, 1000, 2, False)
    whole, parts = (MarketSplitLocalSearch(matrix, rhs, 5) for _ in range(2))
    whole.run(500)
    for _ in range(50):
        parts.run(10)
    assert (whole._state.x == parts._state.x).all()
    assert (whole.best == parts.best).all()


def test_edge_cases() -> None:
    none = np.zeros((2, 0), dtype=np.int64)
    assert MarketSplitLocalSearch(none, [1, 2], 0).complete
    assert solve_zero_slack(none, [0, 0], deadline=lambda: 1.0)[0] is not None
    free = np.zeros((0, 3), dtype=np.int64)
    assert MarketSplitLocalSearch(free, np.zeros(0, dtype=np.int64), 0).best_value == 0
    assert solve_zero_slack(free, np.zeros(0, dtype=np.int64), deadline=lambda: 1.0)[0] is not None
    one = MarketSplitLocalSearch([[5]], [5], 0, start=[False])
    one.run(10)
    assert one.best.tolist() == [True]


def test_bad_data_are_refused() -> None:
    with pytest.raises(ValueError, match="integers"):
        MarketSplitLocalSearch([[0.5]], [1], 0)
    with pytest.raises(ValueError, match="rows"):
        MeetInTheMiddle([[1, 2]], [1, 2])
    with pytest.raises(ValueError, match="total slack"):
        MeetInTheMiddle([[2**62, 2**62]], [1])
    with pytest.raises(ValueError, match="at most 62"):
        MeetInTheMiddle(np.ones((1, 63), dtype=np.int64), [1])
    with pytest.raises(ValueError, match="at most 26"):
        MarketSplitEnumeration(np.ones((1, 27), dtype=np.int64), [1])
    with pytest.raises(ValueError, match="start"):
        MarketSplitLocalSearch([[1, 2]], [1], 0, start=[True])
