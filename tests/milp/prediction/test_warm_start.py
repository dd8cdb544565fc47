from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pyscipopt import SCIP_PARAMSETTING, Model

from milp.distributions import distribution
from milp.distributions.catalogue import FAMILIES
from milp.model import build_model
from milp.prediction.warm_start import WarmStart


def optimum(name: str) -> tuple[float, dict[str, float]]:
    model, variables = build_model(distribution(name).program("test", 0))
    model.optimize()
    return model.getObjVal(), {variable.name: model.getVal(variable) for variable in variables}


def started(name: str, source: Any) -> tuple[Model, WarmStart]:
    """SCIP on its own finds little here."""
    model, _ = build_model(distribution(name).program("test", 0))
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
    model, _ = build_model(distribution("set-cover-tiny").program("test", 0))
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
    model, _ = build_model(distribution("multiknapsack-tiny").program("test", 0))
    with caplog.at_level(logging.WARNING):
        start = WarmStart(source).include(model)
        model.optimize()
    assert (model.getStatus(), model.getObjVal()) == ("optimal", pytest.approx(best))
    assert start.statistics.ended.startswith("failed: ")
    assert message in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_exact_on_families(family: str, check_exact: Any) -> None:
    for index in range(4):
        program = distribution(f"{family}-tiny").program("test", index)
        check_exact(lambda program=program: build_model(program)[0], WarmStart, failing=["nan"])
        check_exact(lambda program=program: build_model(program)[0], brief, names=["constant"])


@pytest.mark.slow
def test_exact_on_real_files(real_models: Any, check_exact: Any) -> None:
    for make, optimum in real_models:
        assert check_exact(make, WarmStart, failing=["nan"]) == pytest.approx(optimum, rel=1e-6)
        check_exact(make, brief, names=["constant"])


def brief(_: NDArray) -> WarmStart:
    """Whatever is predicted, a method without time to be good."""
    return WarmStart("destroy-and-repair", seconds=0.3)


def test_numbers_out_of_range() -> None:
    with pytest.raises(ValueError, match="share 0"):
        WarmStart("highs", share=0.0)
