from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from milp.distributions.auction import (
    ADDITIVITY,
    BUDGET_FACTOR,
    RESALE_FACTOR,
    _grow,
    _Market,
    _offers,
    _rows,
    auction,
)


def market(rng: np.random.Generator, items: int = 30, add_item: float = 0.7) -> _Market:
    compatibility = rng.random((items, items))
    np.fill_diagonal(compatibility, 0)
    return _Market(1 + 99 * rng.random(items), compatibility, add_item)


def test_program() -> None:
    program = auction(np.random.default_rng(3), 100, 500)
    assert program.sense == "maximize"
    assert program.num_variables == 500
    assert 100 < program.num_rows < 100 + 500 // 3
    assert (program.A.data == 1).all()
    assert np.isneginf(program.row_lower).all()
    assert (program.row_upper == 1).all()
    assert (program.c > 0).all()
    assert np.diff(program.A.tocsc().indptr).min() >= 1


def test_offers_of_a_bidder() -> None:
    rng = np.random.default_rng(0)
    shared = market(rng)
    counts, sizes = [], []
    for _ in range(400):
        offers = _offers(rng, shared)
        counts.append(len(offers))
        if not offers:
            continue
        (first, price), *others = offers
        sizes.append(first.sum())
        assert price >= 0
        assert len(others) <= 5
        assert len({bundle.tobytes() for bundle, _ in offers}) == len(offers)
        for bundle, other_price in others:
            assert bundle.sum() == first.sum()
            assert (bundle & first).any()
            assert 0 <= other_price <= BUDGET_FACTOR * price
            assert shared.values[bundle].sum() >= RESALE_FACTOR * shared.values[first].sum()
        asked = [p for _, p in others]
        assert asked == sorted(asked, reverse=True)
    assert np.mean(sizes) == pytest.approx(1 / 0.3, abs=0.5)
    assert set(counts) >= {1, 2, 3, 4, 5, 6}


def test_price_is_value_and_a_power_of_the_size() -> None:
    rng = np.random.default_rng(1)
    shared = _Market(np.full(6, 50.0), np.ones((6, 6)) - np.eye(6), 1 - 1e-12)
    offers = _offers(rng, shared)  # the bundle of everything
    assert len(offers) == 1
    bundle, price = offers[0]
    assert bundle.all()
    assert 0 < price - 6 ** (1 + ADDITIVITY) < 600


def test_growing_prefers_compatible_items() -> None:
    compatibility = np.zeros((4, 4))
    compatibility[0, 2] = compatibility[2, 3] = compatibility[3, 1] = 1.0
    shared = _Market(np.ones(4), compatibility, 0.7)
    grown = _grow(np.random.default_rng(0), np.array([0, 2]), 3, np.ones(4), shared)
    assert grown.tolist() == [[True, False, True, True], [False, True, True, True]]


def test_rows_hold_each_item_once_and_each_bidder_once() -> None:
    bundles = [np.array(bundle, dtype=bool) for bundle in ([1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0])]
    A = _rows(bundles, [np.array([0, 1, 2])], 4)
    assert A.toarray().tolist() == [[1, 0, 0, 1], [1, 1, 0, 0], [0, 0, 1, 0], [1, 1, 1, 0]]


def test_optimum_by_enumeration(optimum: Callable) -> None:
    program = auction(np.random.default_rng(5), 8, 12)
    choices = np.array(list(itertools.product([0, 1], repeat=12)))
    able = (choices @ program.A.T <= 1).all(axis=1)
    value, x = optimum(program)
    assert value == pytest.approx((choices[able] @ program.c).max())
    assert (program.A @ np.round(x) <= 1).all()
