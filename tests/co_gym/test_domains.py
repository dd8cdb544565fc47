from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from co_gym.domains import Binary, Box, Domain, Permutation

BOX = Box(np.array([-1.0, 0.0]), np.array([1.0, 2.0]), np.array([True, True]), ("a", "b"))
FREE = Box(np.array([-np.inf, 0.0]), np.array([np.inf, 1e9]), np.array([False, False]))


@pytest.mark.parametrize(
    ("domain", "count"),
    [(Permutation(4), 24), (Permutation(1), 1), (Permutation(0), 1), (Binary(5), 32), (Binary(0), 1), (BOX, 9)],
)
def test_members_are_all_different_and_belong(domain: Domain, count: int) -> None:
    members = list(domain.members())
    assert len({tuple(m.tolist()) for m in members}) == len(members) == count
    assert not any(domain.violations(m) for m in members)
    assert all((domain.cast(m) == m).all() and m.shape == (domain.size,) for m in members)


@pytest.mark.parametrize(
    ("domain", "candidate", "expected"),
    [
        (Permutation(3), [0, 1], ["solution has shape (2,): expected (3,)"]),
        (Permutation(3), [[0, 1, 2]], ["solution has shape (1, 3): expected (3,)"]),
        (Permutation(3), 5, ["solution has shape (): expected (3,)"]),
        (Permutation(3), ["a", "b", "c"], ["solution has dtype <U1: expected numbers"]),
        (Permutation(3), [0, None, 1], ["solution has dtype object: expected numbers"]),
        (Permutation(3), [0, 1j, 1], ["solution has dtype complex128: expected numbers"]),
        (Permutation(3), [0, np.nan, 1], ["entry 1 is nan: expected a finite number"]),
        (Permutation(3), [0, 1, -np.inf], ["entry 2 is -inf: expected a finite number"]),
        (Permutation(3, "city"), [0, 1, 3], ["position 2 holds 3: expected a city in 0..2"]),
        (Permutation(3, "city"), [0, -1, 2], ["position 1 holds -1: expected a city in 0..2"]),
        (Permutation(3, "city"), [0, 0.5, 2], ["position 1 holds 0.5: expected a city in 0..2"]),
        (Permutation(3, "city"), [0, 1e300, 2], ["position 1 holds 1e+300: expected a city in 0..2"]),
        (Permutation(3, "city"), [0, 2, 2], ["city 2 occurs 2 times", "city 1 is missing"]),
        (Binary(3, "item"), [0, 2, -1], ["item 1 is 2: expected 0 or 1", "item 2 is -1: expected 0 or 1"]),
        (Binary(3, "item"), [0, 0.5, 1], ["item 1 is 0.5: expected 0 or 1"]),
        (BOX, [-2, 0], ["variable a is -2: below its lower bound -1"]),
        (BOX, [0, 3], ["variable b is 3: above its upper bound 2"]),
        (BOX, [0.5, 0], ["variable a is 0.5: expected an integer"]),
        (FREE, [0, -1], ["variable x[1] is -1: below its lower bound 0"]),
        (FREE, [np.inf, 0], ["entry 0 is inf: expected a finite number"]),
    ],
)
def test_violations_in_words(domain: Domain, candidate: Any, expected: list[str]) -> None:
    assert domain.violations(np.array(candidate)) == expected


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float32, np.float64])
def test_members_of_any_number_type_are_cast(dtype: type) -> None:
    order = np.array([2, 0, 1], dtype=dtype)
    assert Permutation(3).violations(order) == []
    assert Permutation(3).cast(order).dtype == np.int64
    bits = np.array([1, 0, 1], dtype=dtype)
    assert Binary(3).violations(bits) == []
    assert Binary(3).cast(bits).tolist() == [1, 0, 1]


def test_bool_is_a_choice() -> None:
    assert Binary(2).violations(np.array([True, False])) == []
    assert Binary(2).cast(np.array([True, False])).dtype == np.int64


@pytest.mark.parametrize(
    ("x", "fine"),
    [
        ([-1 - 0.9e-6, 0], True),
        ([-1 - 1.1e-6, 0], False),
        ([0.9e-6, 0], True),
        ([1.1e-6, 0], False),
        (
            [1 - 0.9e-6, 2 + 1.9e-6],
            False,
        ),  # within the relative tolerance of the bound, too far from a whole number
        ([0, 2 + 0.9e-6], True),
    ],
)
def test_tolerances_of_integers(x: list[float], fine: bool) -> None:
    assert (BOX.violations(np.array(x)) == []) is fine
    if fine:
        assert (BOX.cast(np.array(x)) == np.round(x)).all()


@pytest.mark.parametrize(
    ("value", "fine"), [(1e9 + 900, True), (1e9 + 1100, False), (-0.9e-6, True), (-1.1e-6, False)]
)
def test_tolerance_is_relative_to_large_bounds(value: float, fine: bool) -> None:
    assert (FREE.violations(np.array([-1e18, value])) == []) is fine
    assert FREE.cast(np.array([0.25, 0.5])).tolist() == [0.25, 0.5]


@pytest.mark.parametrize("box", [FREE, Box(np.array([0.0]), np.array([np.inf]), np.array([True]))])
def test_what_cannot_be_listed(box: Box) -> None:
    with pytest.raises(ValueError, match="bounded box of integer variables"):
        next(iter(box.members()))


def test_fractional_bounds_hold_the_integers_between() -> None:
    box = Box(np.array([-1.5]), np.array([1.5]), np.array([True]))
    assert [m.item() for m in box.members()] == [-1, 0, 1]


@given(st.lists(st.integers(-1, 4), min_size=4, max_size=4))
def test_permutation_accepts_exactly_the_permutations(candidate: list[int]) -> None:
    accepted = Permutation(4).violations(np.array(candidate)) == []
    assert accepted == (tuple(candidate) in set(itertools.permutations(range(4))))
