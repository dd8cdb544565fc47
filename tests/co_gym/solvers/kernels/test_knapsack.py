"""Knapsack kernels against brute force, and their invariants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from co_gym.solvers.kernels.knapsack import KnapsackLocalSearch, greedy_knapsack, surrogate_ratios
from co_gym.solvers.kernels.knapsack_moves import lagrange_multipliers

Problem = tuple[NDArray, NDArray, NDArray]


def problem(n: int, m: int, tightness: float, seed: int, integral: bool) -> Problem:
    """Random profits and weights, a fifth of them zero, and capacities as a share of the total weight."""
    rng = np.random.default_rng(seed)
    profits, weights = rng.integers(0, 100, n), rng.integers(0, 100, (m, n))
    weights[rng.random((m, n)) < 0.2] = 0
    capacities = (tightness * weights.sum(axis=1)).astype(np.int64)
    if integral:
        return profits, weights, capacities
    return profits + rng.random(n), weights * 0.1, capacities * 0.1


def optimum(profits: NDArray, weights: NDArray, capacities: NDArray) -> float:
    n = profits.size
    sets = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    good = (sets @ weights.T <= capacities).all(axis=1)
    return float((sets @ profits)[good].max())


def feasible(weights: NDArray, capacities: NDArray, chosen: NDArray) -> bool:
    loads = weights[:, chosen].sum(axis=1)
    slack = 0 if weights.dtype == np.int64 else 1e-9
    return bool((loads <= capacities + slack).all())


@pytest.mark.parametrize("integral", [True, False])
@pytest.mark.parametrize(("m", "tightness"), [(1, 0.5), (1, 0.1), (3, 0.3), (5, 0.7)])
def test_reaches_the_brute_force_optimum(m: int, tightness: float, integral: bool) -> None:
    data = problem(13, m, tightness, m, integral)
    search = KnapsackLocalSearch(*data, seed=1)
    search.run(3000)
    assert search.best_value == pytest.approx(optimum(*data))


@settings(max_examples=50, deadline=None)
@given(
    n=st.integers(1, 40),
    m=st.integers(1, 4),
    tightness=st.floats(0, 1.1),
    seed=st.integers(0, 10**6),
    integral=st.booleans(),
)
def test_incumbent_is_always_feasible_and_worth_its_value(
    n: int, m: int, tightness: float, seed: int, integral: bool
) -> None:
    profits, weights, capacities = problem(n, m, tightness, seed, integral)
    search = KnapsackLocalSearch(profits, weights, capacities, seed)
    for chunk in (1, 5, 50):
        before = search.best_value
        assert search.run(chunk) == (search.best_value > before)
        assert feasible(weights, capacities, search.best)
        assert search.best_value == pytest.approx(profits[search.best].sum(), rel=1e-12)
        s = search._state
        assert s.values[0] == pytest.approx(profits[s.inside].sum())
        assert s.room == pytest.approx(capacities - weights[:, s.inside].sum(axis=1), abs=1e-7)
        assert not s.banned.any()


@settings(max_examples=30, deadline=None)
@given(n=st.integers(0, 30), m=st.integers(1, 4), tightness=st.floats(0, 1.1), seed=st.integers(0, 10**6))
def test_greedy_is_feasible_and_maximal(n: int, m: int, tightness: float, seed: int) -> None:
    profits, weights, capacities = problem(n, m, tightness, seed, True)
    chosen = greedy_knapsack(profits, weights, capacities)
    assert feasible(weights, capacities, chosen)
    for j in np.flatnonzero(~chosen):
        more = chosen.copy()
        more[j] = True
        assert not feasible(weights, capacities, more)


def test_chunks_do_not_change_the_course() -> None:
    data = problem(50, 3, 0.4, 7, True)
    whole, parts = (KnapsackLocalSearch(*data, seed=5) for _ in range(2))
    whole.run(400)
    for _ in range(40):
        parts.run(10)
    assert (whole._state.inside == parts._state.inside).all()
    assert (whole.best == parts.best).all()


def test_items_outside_the_core_stay_and_count() -> None:
    profits, weights, capacities = problem(2000, 2, 0.5, 3, True)
    search = KnapsackLocalSearch(profits, weights, capacities, 0)
    assert search._state.core.size < 2000
    search.run(50)
    assert feasible(weights, capacities, search.best)
    assert search.best_value == profits[search.best].sum()


def test_multipliers_bound_the_optimum_and_nearly_close_the_gap() -> None:
    profits, weights, capacities = problem(13, 2, 0.5, 11, True)
    duals, bound = lagrange_multipliers(
        profits.astype(float), weights.astype(float), capacities.astype(float), 300
    )
    assert (duals >= 0).all()
    assert optimum(profits, weights, capacities) <= bound + 1e-9
    assert bound == pytest.approx(np.maximum(0, profits - duals @ weights).sum() + duals @ capacities)


def test_ratios_follow_the_multipliers() -> None:
    ratios = surrogate_ratios([6, 6, 6], [[1, 2, 0], [2, 1, 0]], [10, 10], [1.0, 0.0])
    assert ratios.tolist() == [6.0, 3.0, np.inf]
    assert surrogate_ratios([6], [[4]], [0]).tolist() == [np.inf]


def test_edge_cases() -> None:
    none = KnapsackLocalSearch(np.zeros(0, dtype=np.int64), np.zeros((2, 0), dtype=np.int64), [5, 5], 0)
    assert none.complete
    assert none.best_value == 0
    unbounded = KnapsackLocalSearch([1, 2], np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int64), 0)
    assert unbounded.best.all()
    everything = KnapsackLocalSearch([1, 2, 3], [[1, 1, 1]], [3], 0)
    assert everything.complete
    assert everything.best_value == 6
    nothing = KnapsackLocalSearch([1, 2, 3], [[4, 5, 6]], [3], 0)
    assert nothing.complete
    assert not nothing.run(10)
    assert not nothing.best.any()
    shut = KnapsackLocalSearch([1, 2, 3], [[4, 0, 6]], [0], 0)
    assert shut.best.tolist() == [False, True, False]
    single = KnapsackLocalSearch([4], [[2]], [2], 0)
    assert single.best_value == 4
    worthless = KnapsackLocalSearch([0, 0], [[2, 2]], [3], 0)
    assert not worthless.run(5)


def test_start_that_fits_but_for_rounding_is_mended() -> None:
    weights = [[0.1, 0.2, 0.3]]
    search = KnapsackLocalSearch([1.0, 2.0, 4.0], weights, [0.3], 0, start=[True, True, False])
    assert 0 < search.best_value < 3
    search.run(50)
    assert search.best_value == 4


def test_start_is_used_and_checked() -> None:
    data = ([10, 6, 6], [[3, 2, 2]], [4])
    search = KnapsackLocalSearch(*data, seed=0, start=[True, False, False])
    assert search.best_value == 10
    search.run(100)
    assert search.best_value == 12
    empty = KnapsackLocalSearch(*data, seed=0, start=[False] * 3)
    assert empty.best_value == 0
    empty.run(100)
    assert empty.best_value == 12
    with pytest.raises(ValueError, match="exceeds"):
        KnapsackLocalSearch(*data, seed=0, start=[True, True, True])
    with pytest.raises(ValueError, match="shape"):
        KnapsackLocalSearch(*data, seed=0, start=[True])


@pytest.mark.parametrize(
    ("profits", "weights", "capacities", "message"),
    [
        ([1, 2], [[1]], [1], "shape"),
        ([1, -2], [[1, 1]], [1], "profits must not be negative"),
        ([2**62, 2**62], [[1, 1]], [1], "sum of profits"),
        ([1, 1], [[2**62, 2**62]], [1], "load of row 0"),
        ([1, 1], [[1, 1]], [2**64], "capacities"),
        ([1.0, 1e308], [[1e308, 1e308]], [1.0], "overflows"),
    ],
)
def test_bad_data_are_refused(profits: list, weights: list, capacities: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KnapsackLocalSearch(profits, weights, capacities, 0)
