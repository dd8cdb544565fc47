from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from milp.distributions.packing import item_placement, multiknapsack


def test_multiknapsack() -> None:
    program = multiknapsack(np.random.default_rng(0), 100, 5, 0.25)
    weights = program.A.toarray()
    assert (program.row_upper == np.floor(0.25 * weights.sum(axis=1))).all()
    assert weights.max() <= 1000
    assert (program.c >= np.floor(weights.mean(axis=0))).all()
    assert (program.c <= weights.mean(axis=0) + 500).all()


def test_item_placement_by_enumeration(optimum: Callable) -> None:
    small, large, bins = 5, 2, 2
    program = item_placement(np.random.default_rng(3), small, large, bins)
    items = small + large
    sizes = program.A[items : items + 3].toarray()[:, : items * bins : bins].T
    assert (sizes[:small] <= 0.1).all()
    assert ((sizes[small:] >= 0.9) & (sizes[small:] <= 1)).all()
    best = np.inf
    for placed in itertools.product(range(bins), repeat=items):
        load = np.array([sizes[np.array(placed) == b].sum(axis=0) for b in range(bins)])
        if (load > 2 * sizes.sum(axis=0) / bins + 1e-12).any():
            continue
        shortfall = np.maximum(0, 1 - bins * load / sizes.sum(axis=0))
        best = min(best, 10 * bins * 3 * shortfall.max(axis=0).sum() + shortfall.sum())
    assert optimum(program)[0] == pytest.approx(best)


def test_item_placement_blocks() -> None:
    program = item_placement(np.random.default_rng(0), 100, 5, 10)
    assert (program.A[:105].sum(axis=1) == 10).all()
    assert program.integer.sum() == 1050
    capacities = program.row_upper[105:135].reshape(10, 3)
    assert (capacities == capacities[0]).all()
    load = program.A[105:135].toarray()[:, :1050]
    assert load.sum(axis=1).reshape(10, 3) == pytest.approx(5 * capacities)  # each bin holds a fifth of everything
    assert np.unique(program.c).tolist() == [0, 1, 300]
