"""Mixing a network's scores with SCIP's pseudocosts, and whether columns are still those of the root."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from milp.kernels.reading import same_variables
from milp.kernels.scoring import best_blend


def deviations(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / (values.std() + 1e-9)


@given(seed=st.integers(0, 10**6), k=st.integers(1, 30), weight=st.sampled_from([0.0, 0.5, 1.0, 3.0]))
def test_blending(seed: int, k: int, weight: float) -> None:
    rng = np.random.default_rng(seed)
    scores, others = rng.normal(3.0, 2.0, k), rng.exponential(size=k)
    wanted = deviations(scores) + weight * deviations(np.log(others))
    assert best_blend(scores, others, weight) == wanted.argmax()


def test_blending_where_nothing_differs() -> None:
    assert best_blend(np.array([1.0, 3.0, 2.0]), np.zeros(3), 5.0) == 1
    assert best_blend(np.ones(3), np.array([0.1, 0.2, 0.3]), 1.0) == 2
    assert best_blend(np.ones(1), np.ones(1), 1.0) == 0


def test_blending_takes_a_column_of_a_table() -> None:
    table = np.zeros((3, 4), dtype=np.float32)
    table[:, 2] = 1.0, 100.0, 1.0
    assert best_blend(np.zeros(3, dtype=np.float32), table[:, 2], 1.0) == 1


def test_same_variables() -> None:
    known = np.array([11, 12, 13])
    assert same_variables(known, np.array([2, 0], np.int32), np.array([13, 11]))
    assert same_variables(known, np.zeros(0, np.int32), np.zeros(0, np.int64))
    assert not same_variables(known, np.array([2, 0], np.int32), np.array([13, 12]))
    assert not same_variables(known, np.array([3], np.int32), np.array([13]))
    assert not same_variables(known, np.array([-1], np.int32), np.array([13]))
