from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import linprog

from milp.distributions.facility import facility


def test_blocks_of_rows() -> None:
    customers, facilities = 6, 4
    program = facility(np.random.default_rng(0), customers, facilities)
    A, shares = program.A.toarray(), customers * facilities
    demand, capacity, total, linking = np.split(A, [customers, customers + facilities, customers + facilities + 1])
    x = np.arange(shares).reshape(customers, facilities)
    for i in range(customers):
        assert np.flatnonzero(demand[i]).tolist() == x[i].tolist()
    demands = capacity[0, x[:, 0]]
    for j in range(facilities):
        assert np.flatnonzero(capacity[j, :shares]).tolist() == x[:, j].tolist()
        assert (capacity[j, x[:, j]] == demands).all()
    assert ((demands >= 5) & (demands <= 35)).all()
    assert (capacity[:, shares:] == -np.diag(total[0, shares:])).all()
    assert program.row_lower[customers + facilities] == demands.sum()
    assert total.sum() == pytest.approx(5 * demands.sum(), rel=0.02)
    for i, j in itertools.product(range(customers), range(facilities)):
        assert np.flatnonzero(linking[x[i, j]]).tolist() == [x[i, j], shares + j]
        assert linking[x[i, j]].sum() == 0
    assert program.integer.tolist() == [False] * shares + [True] * facilities


def test_costs_grow_with_demand_and_distance() -> None:
    program = facility(np.random.default_rng(1), 50, 40)
    shares = program.A[50:90].toarray()[0, : 50 * 40].reshape(50, 40)
    demands = shares[:, 0]
    distances = program.c[: 50 * 40].reshape(50, 40) / (10 * demands[:, None])
    assert (distances <= np.sqrt(2)).all()
    assert distances.mean() == pytest.approx(0.52, abs=0.06)  # between two random points of the unit square
    fixed = program.c[50 * 40 :]
    assert (fixed == np.floor(fixed)).all()
    assert fixed.min() >= 100 * np.sqrt(10) - 1
    assert fixed.max() <= 110 * np.sqrt(160) + 90


def test_optimum_by_enumeration(optimum: Callable) -> None:
    program = facility(np.random.default_rng(2), 5, 4, ratio=2.0)
    A, best = program.A.toarray(), np.inf
    low, high = np.isfinite(program.row_lower), np.isfinite(program.row_upper)
    sides = np.concatenate([program.row_upper[high], -program.row_lower[low]])
    rows = np.concatenate([A[high], -A[low]])
    for opened in itertools.product([0, 1], repeat=4):
        bounds = [(0, 1)] * 20 + [(y, y) for y in opened]
        found = linprog(program.c, rows, sides, bounds=bounds)
        best = min(best, found.fun if found.success else np.inf)
    assert optimum(program)[0] == pytest.approx(best)
