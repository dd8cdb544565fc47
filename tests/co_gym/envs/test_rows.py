"""A lazily filled row is the plain dict."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from co_gym.envs.rows import Row

BATCH = {"a": np.arange(6).reshape(3, 2), "b": np.array([7, 8, 9])}


def plain(row: dict) -> dict:
    return {name: np.asarray(value).tolist() for name, value in row.items()}


@pytest.mark.parametrize(
    "use",
    [
        lambda row: {**row},
        lambda row: dict(row),
        lambda row: row.copy(),
        lambda row: row | {},
        lambda row: {} | row,
        lambda row: pickle.loads(pickle.dumps(row)),
        lambda row: copy.deepcopy(row),
        lambda row: {name: row[name] for name in row},
        lambda row: dict(zip(row.keys(), row.values(), strict=True)),
        lambda row: {name: row.get(name) for name in ("a", "b")},
    ],
)
def test_reads_as_the_plain_dict(use: Callable[[Row], dict]) -> None:
    assert plain(use(Row(BATCH, 1))) == {"a": [2, 3], "b": 8}


def test_length_membership_and_type() -> None:
    assert len(Row(BATCH, 0)) == 2
    assert "a" in Row(BATCH, 0)
    assert "c" not in Row(BATCH, 0)
    assert isinstance(Row(BATCH, 0), dict)
    assert bool(Row(BATCH, 2))
    assert "array" in repr(Row(BATCH, 2))
    row = Row(BATCH, 2)
    row["c"] = np.zeros(1)
    assert list(row) == ["a", "b", "c"]
