from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from co_gym.errors import InputError, unknown_name
from co_gym.instance import Key
from co_gym.problems.knapsack import Knapsack, MultiKnapsack

NUMBER = Key("a", ("n",), "numbers")


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        ([1, 2], np.int64),
        ([1.0, 2.0], np.int64),
        ([1.5, 2.0], np.float64),
        (np.array([1, 2], dtype=np.uint8), np.int64),
        (np.array([1, 2], dtype=np.float32), np.int64),
        ([True, False], np.int64),
        ([1e300, 0], np.float64),
        ([], np.int64),
    ],
)
def test_numbers_are_integers_where_they_can_be(given: Any, dtype: type) -> None:
    array = NUMBER.array(given, {})
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, given)


@pytest.mark.parametrize(
    ("key", "given", "message"),
    [
        (NUMBER, [[1]], r"a has shape \(1, 1\): expected \(n\)"),
        (NUMBER, 1, r"a has shape \(\): expected \(n\)"),
        (NUMBER, [1, np.nan], r"a\[1\] is nan: expected a finite number"),
        (NUMBER, [1, np.inf], r"a\[1\] is inf: expected a finite number"),
        (NUMBER, ["x"], "a has dtype <U1: expected number entries"),
        (NUMBER, [None], "a has dtype object"),
        (NUMBER, [2**70], "a has dtype object"),
        (NUMBER, [1j], "a has dtype complex128"),
        (NUMBER, [[1, 2], [3]], "a is ragged"),
        (NUMBER, np.array([2**63], dtype=np.uint64), r"at most 2\^63 - 1"),
        (Key("a", ("n",), "", minimum=0), [1, -2], r"a\[1\] is -2: expected at least 0"),
        (Key("a", (), "", minimum=0), -2, "a is -2: expected at least 0"),
        (Key("a", ("n",), "", kind="integer"), [1, 2.5], "a has entries that are not integers"),
        (Key("a", ("n",), "", kind="integer"), [np.nan], "a has entries that are not integers"),
        (Key("a", ("n",), "", kind="bool"), [0, 1], "expected bool entries"),
        (Key("a", ("n",), "", kind="real", infinite=True), [np.inf, np.nan], r"a\[1\] is nan"),
        (Key("a", ("n", "n"), ""), np.zeros((2, 3)), r"a has shape \(2, 3\): expected \(n, n\)"),
        (Key("a", ("n", 2), ""), np.zeros((2, 3)), r"expected \(n, 2\)"),
    ],
)
def test_refusals(key: Key, given: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        key.array(given, {})


def test_infinite_bounds_are_allowed_where_declared() -> None:
    array = Key("a", ("n",), "", kind="real", infinite=True).array([-np.inf, 1, np.inf], {})
    assert array.tolist() == [-np.inf, 1.0, np.inf]


def test_sizes_are_bound_across_keys() -> None:
    sizes: dict[str, int] = {}
    NUMBER.array([1, 2, 3], sizes)
    assert sizes == {"n": 3}
    with pytest.raises(InputError, match=r"b has shape \(2,\): expected \(3\)"):
        Key("b", ("n",), "").array([1, 2], sizes)


def test_arrays_are_read_only_copies() -> None:
    mine = np.array([3, 1, 2])
    for kind in ("number", "integer", "real"):
        array = Key("a", ("n",), "", kind=kind).array(mine, {})
        assert not np.shares_memory(array, mine)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert mine.flags.writeable


def test_missing_and_unknown_keys() -> None:
    with pytest.raises(InputError, match="needs weights, capacity"):
        Knapsack().instance({"profits": [1]})
    with pytest.raises(InputError, match="did you mean weights"):
        Knapsack().instance({"profits": [1], "wights": [1], "capacity": 1})


def test_instance_survives_pickling() -> None:
    (instance,) = MultiKnapsack().generate(4, seed=1)
    copy = pickle.loads(pickle.dumps(instance))
    assert copy.name == instance.name
    assert all((copy[key] == instance[key]).all() for key in instance.data)
    assert "profits" in copy
    assert "capacity" not in copy
    assert repr(instance) == "Instance(multiknapsack, 'multiknapsack-chu-beasley-4-1-0', " + (
        "profits[4], weights[5, 4], capacities[5])"
    )


@pytest.mark.parametrize(
    ("path", "line", "text"), [(None, None, "bad"), ("f.tsp", None, "f.tsp: bad"), ("f.tsp", 3, "f.tsp:3: bad")]
)
def test_input_error_names_the_place(path: str | None, line: int | None, text: str) -> None:
    error = InputError("bad", path=path, line=line)
    assert (str(error), error.message, error.path, error.line) == (text, "bad", path, line)


def test_unknown_name_suggests_near_names() -> None:
    assert str(unknown_name("method", "skip", ["scip", "greedy"])) == (
        "unknown method 'skip': expected one of greedy, scip; did you mean scip?"
    )
    assert "did you mean" not in str(unknown_name("method", "zzz", ["scip", "greedy"]))
