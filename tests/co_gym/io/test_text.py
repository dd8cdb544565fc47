from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from co_gym.errors import InputError
from co_gym.io.text import Numbers, digits, fit, integer, number, rows, scan, stem

HERE = Path("some.dat")


@pytest.mark.parametrize(
    ("token", "value"), [("12", 12), ("-3", -3), ("+4", 4), ("1e3", 1000.0), (".5", 0.5), ("2.", 2.0)]
)
def test_number(token: str, value: float) -> None:
    found = number(token, "x", HERE, 3)
    assert found == value
    assert isinstance(found, type(value))


@pytest.mark.parametrize(
    "token", ["", "1_0", "nan", "inf", "-inf", "1e400", "9223372036854775808", "9" * 5000, "0x1", "١", "1.2.3"]
)
def test_number_refuses(token: str) -> None:
    with pytest.raises(InputError, match=r"some\.dat:3: x") as caught:
        number(token, "x", HERE, 3)
    assert caught.value.line == 3


def test_integer_takes_whole_floats_only() -> None:
    assert integer("3800.0", "x", HERE, 1) == 3800
    for token in ("2.5", "1e30"):
        with pytest.raises(InputError, match="expected an integer"):
            integer(token, "x", HERE, 1)


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1)))
def test_integers_stay_exact(values: list[int]) -> None:
    found = scan(" ".join(map(str, values)))
    assert found.values.tolist() == values
    assert found.bad is None


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_read_back_equal(values: list[float]) -> None:
    assert scan(" ".join(map(digits, values))).values.tolist() == values


def test_integers_beyond_2_53_among_floats_are_refused() -> None:
    assert scan("0.5 1e300").bad is None
    with pytest.raises(InputError, match=r"some\.dat:2: data: number too large to be exact: '9007199254740993'"):
        Numbers("0.5\n9007199254740993", HERE)


def test_scan_in_blocks_equals_scan_at_once() -> None:
    values = np.random.default_rng(0).integers(-(10**9), 10**9, size=300_000)
    assert (scan(rows(values)).values == values).all()


def test_position_of_errors() -> None:
    text = "# head 1 2\n1 2\n\n3 x 5\n"
    with pytest.raises(InputError, match=r"some\.dat:4: data: expected a number, found 'x'"):
        Numbers(text, HERE)
    numbers = Numbers("1 2\n3\n4 -5\n\n", HERE, offset=10)
    assert numbers.take(3, "a").tolist() == [1, 2, 3]
    with pytest.raises(InputError, match=r"some\.dat:13: expected 3 b, found 2"):
        numbers.take(3, "b")
    with pytest.raises(InputError, match=r"some\.dat:13: b: -5 is below 0"):
        numbers.take(2, "b", minimum=0)
    numbers.position = 3
    with pytest.raises(InputError, match=r"some\.dat:13: expected the end after c, found 2 more .* '4'"):
        numbers.end("c")


def test_fit_prefers_exact_then_suffix() -> None:
    mine = (".kp", ".dat")
    cases = [(7, ".kp"), (7, ".dat"), (8, ".kp"), (None, ".kp"), (7, ".x"), (8, ".dat"), (8, ".x"), (None, ".x")]
    scores = [fit(expected, 7, suffix, mine) for expected, suffix in cases]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1.0
    assert scores[-1] > 0


def test_stem() -> None:
    assert [stem(Path(p)) for p in ("a/b.tsp", "b.tsp.gz", "c.clq.lp", "d")] == ["b", "b", "c.clq", "d"]
