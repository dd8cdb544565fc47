from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from pyscipopt import Model

from co_gym.errors import InputError
from milp.prediction.marginals import UNKNOWN, marginals_of
from milp.prediction.trust_region import trust_region

MARGINALS = np.array([0.02, 0.3, 0.5, 0.97, 0.08, 0.6, 0.99])


def test_by_confidence() -> None:
    region = trust_region(MARGINALS)
    assert region.zeros.tolist() == [0, 4]
    assert region.ones.tolist() == [6, 3]
    errors = np.array([0.02, 0.08, 0.01, 0.03])
    assert region.delta == np.ceil(errors.sum() + 2 * np.sqrt((errors * (1 - errors)).sum()))
    assert len(region) == 4


def test_by_hand() -> None:
    region = trust_region(MARGINALS, k0=3, k1=1, delta=7)
    assert region.zeros.tolist() == [0, 4, 1]
    assert region.ones.tolist() == [6]
    assert region.delta == 7
    assert len(trust_region(MARGINALS, k0=0, k1=0)) == 0
    assert len(trust_region(np.full(4, 0.5), k0=4, k1=4)) == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 99))
def test_mirrored_and_permuted(values: list[float], seed: int) -> None:
    marginals = np.round(values, 6)
    region, mirrored = trust_region(marginals), trust_region(1.0 - marginals)
    assert set(region.zeros) == set(mirrored.ones)
    assert set(region.ones) == set(mirrored.zeros)
    assert abs(region.delta - mirrored.delta) <= 1  # sums of floats in another order
    order = np.random.default_rng(seed).permutation(marginals.size)
    assert set(order[trust_region(marginals[order]).ones]) == set(region.ones)


def test_calibrated_predictions_stay_in_the_region() -> None:
    """If the probabilities are right, at least 90 of 100 draws lie in the region."""
    rng = np.random.default_rng(0)
    marginals = np.concatenate([rng.uniform(0, 0.1, 300), rng.uniform(0.9, 1, 50)])
    region = trust_region(marginals)
    draws = rng.random((100, marginals.size)) < marginals
    differ = draws[:, region.zeros].sum(axis=1) + (~draws[:, region.ones]).sum(axis=1)
    assert (differ <= region.delta).sum() >= 90


def model() -> tuple[Any, list[Any]]:
    made = Model()
    made.hideOutput()
    kinds = {"a": "B", "b": "B", "c": "C", "d": "I", "e": "I"}
    variables = [made.addVar(name, vtype=kind, lb=0, ub=3 if name == "d" else 1) for name, kind in kinds.items()]
    return made, variables


def test_marginals() -> None:
    made, variables = model()
    given = np.array([0.2, np.nan, 0.9, 0.9, 7.0])
    expected = [0.2, UNKNOWN, UNKNOWN, UNKNOWN, 1.0]
    for prediction in (given, given.tolist(), lambda _: given, {"a": 0.2, "c": 0.9, "d": 0.9, "e": 7.0}):
        assert marginals_of(prediction, made, variables).tolist() == expected


def test_wrong_marginals() -> None:
    made, variables = model()
    with pytest.raises(InputError, match=r"shape \[3\]: expected \[5\]"):
        marginals_of([0.1, 0.2, 0.3], made, variables)
    with pytest.raises(InputError, match="no variable is called 'z'"):
        marginals_of({"z": 0.1}, made, variables)
