from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from co_gym.exact import dot, is_integral, matvec, plain, to_integers, total

INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(-1e15, 1e15, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-100)


def int64(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@given(st.lists(INTEGERS, max_size=20))
def test_total_of_integers_never_overflows(values: list[int]) -> None:
    found = total(int64(values))
    assert found == sum(values)
    assert isinstance(found, int)


@given(st.lists(st.tuples(INTEGERS, INTEGERS), max_size=20))
def test_dot_of_integers_never_overflows(pairs: list[tuple[int, int]]) -> None:
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    found = dot(int64(a), int64(b))
    assert found == sum(x * y for x, y in pairs)
    assert isinstance(found, int)


@given(st.lists(FLOATS, max_size=20))
def test_total_of_floats_is_correctly_rounded(values: list[float]) -> None:
    assert total(np.array(values, dtype=np.float64)) == float(sum((Fraction(v) for v in values), Fraction(0)))


@given(st.lists(st.tuples(FLOATS, st.integers(0, 1)), max_size=20))
def test_choice_of_floats_is_correctly_rounded(pairs: list[tuple[float, int]]) -> None:
    a, x = np.array([p[0] for p in pairs], dtype=np.float64), int64([p[1] for p in pairs])
    assert dot(a, x) == float(sum((Fraction(v) for v, chosen in pairs if chosen), Fraction(0)))


@pytest.mark.parametrize("n", [1, 2, 3, 1000])
def test_around_the_switch_to_python_integers(n: int) -> None:
    for value in (2**62 // n - 1, 2**62 // n, 2**62 // n + 1, 2**61, 2**63 - 1, -(2**63)):
        assert total(np.full(n, value, dtype=np.int64)) == n * value
        assert dot(np.full(n, value, dtype=np.int64), np.ones(n, dtype=np.int64)) == n * value


def test_small_and_unsigned_dtypes() -> None:
    assert total(np.full(1000, 255, dtype=np.uint8)) == 255_000
    assert dot(np.full(1000, 255, dtype=np.uint8), np.full(1000, 255, dtype=np.uint8)) == 65_025_000
    assert total(np.full(4, 2**64 - 1, dtype=np.uint64)) == 4 * (2**64 - 1)
    assert dot(np.array([True, False, True]), np.array([5, 6, 7])) == 12


def test_matvec_is_a_dot_per_row() -> None:
    matrix = int64([2**62, 2**62, 1, -1]).reshape(2, 2)
    assert matvec(matrix, int64([1, 1])) == [2**63, 0]
    assert matvec(np.zeros((3, 0), dtype=np.int64), int64([])) == [0, 0, 0]


@pytest.mark.parametrize(
    ("values", "integral"),
    [
        ([3800.0, -2.0], True),
        ([0.5], False),
        ([np.nan], False),
        ([np.inf], False),
        ([2.0**53], False),
        ([2.0**53 - 1], True),
        ([], True),
    ],
)
def test_to_integers(values: list[float], integral: bool) -> None:
    found = to_integers(np.array(values, dtype=np.float64))
    assert is_integral(found) == integral
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("value", [np.int64(2**62), np.float64(0.1), np.bool_(True), 2**70, 0.1])
def test_plain(value: Any) -> None:
    assert plain(value) == value
    assert not isinstance(plain(value), np.generic)
