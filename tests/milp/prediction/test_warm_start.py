from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
from pyscipopt import SCIP_PARAMSETTING, Model

from milp.distributions import distribution
from milp.model import build_model
from milp.prediction.warm_start import WarmStart


def optimum(name: str) -> tuple[float, dict[str, float]]:
    model, variables = build_model(distribution(name).program("test", 5))
    model.optimize()
    return model.getObjVal(), {variable.name: model.getVal(variable) for variable in variables}


def started(name: str, source: Any) -> tuple[Model, WarmStart]:
    """SCIP on its own finds little here."""
    model, _ = build_model(distribution(name).program("test", 5))
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    model.setParam("limits/nodes", 1)
    start = WarmStart(source, seconds=3.0).include(model)
    model.optimize()
    return model, start


@pytest.mark.parametrize("name", ["set-cover-tiny", "facility-tiny"])
def test_values_by_name_in_order_and_by_function(name: str) -> None:
    best, values = optimum(name)
    nonzero = {key: value for key, value in values.items() if value}
    for source in (
        nonzero,
        lambda model: [values[variable.name] for variable in model.getVars(transformed=False)],
    ):
        model, start = started(name, source)
        assert (start.statistics.solutions, start.statistics.ended) == (1, "taken")
        assert start.statistics.objective == pytest.approx(best)
        assert model.getObjVal() == pytest.approx(best)


@pytest.mark.parametrize("method", ["destroy-and-repair", "highs"])
def test_a_method(method: str) -> None:
    best, _ = optimum("multiknapsack-tiny")
    model, start = started("multiknapsack-tiny", method)
    assert start.statistics.solutions == 1
    assert model.getObjVal() == pytest.approx(best, rel=0.05)  # of three seconds


def test_what_is_not_feasible_is_not_taken() -> None:
    best, _ = optimum("set-cover-tiny")
    model, _ = build_model(distribution("set-cover-tiny").program("test", 5))
    start = WarmStart(np.zeros(model.getNVars())).include(model)
    model.optimize()
    assert (start.statistics.solutions, start.statistics.ended) == (0, "not feasible")
    assert (model.getStatus(), model.getObjVal()) == ("optimal", pytest.approx(best))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros(3), "shape [3]"),
        ({"z": 1.0}, "'z'"),
        (lambda model: 1 / 0, "division"),
        ("no-such-method", "no-such-method"),
        (lambda model: np.full(model.getNVars(), np.nan), "not finite"),
    ],
)
def test_what_fails_is_said(source: Any, message: str, caplog: pytest.LogCaptureFixture) -> None:
    best, _ = optimum("multiknapsack-tiny")
    model, _ = build_model(distribution("multiknapsack-tiny").program("test", 5))
    with caplog.at_level(logging.WARNING):
        start = WarmStart(source).include(model)
        model.optimize()
    assert (model.getStatus(), model.getObjVal()) == ("optimal", pytest.approx(best))
    assert start.statistics.ended.startswith("failed: ")
    assert message in caplog.text


def test_numbers_out_of_range() -> None:
    with pytest.raises(ValueError, match="share 0"):
        WarmStart("highs", share=0.0)
