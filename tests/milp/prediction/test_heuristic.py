from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pyscipopt import SCIP_PARAMSETTING, Model

from milp.distributions import distribution
from milp.model import build_model
from milp.prediction.heuristic import PredictionHeuristic


def test_a_good_prediction_is_repaired() -> None:
    """SCIP itself is stopped at the first node; the optimum comes from values of which some are wrong."""
    program = distribution("set-cover-tiny").program("test", 0)
    plain, variables = build_model(program)
    plain.optimize()
    x = np.array([plain.getVal(variable) for variable in variables])
    wrong = np.random.default_rng(0).random(x.size) < 0.04
    model, _ = build_model(program)
    search = PredictionHeuristic(np.where(wrong, 1.0 - x, x) * 0.98 + 0.01).include(model)
    model.setParam("limits/nodes", 1)
    model.optimize()
    assert wrong.sum() >= 4
    assert search.statistics.chosen == x.size
    assert search.statistics.objective == pytest.approx(plain.getObjVal())
    assert model.getObjVal() == pytest.approx(plain.getObjVal())


def test_without_a_prediction() -> None:
    """SCIP's own heuristics are off, and it may look at the root alone."""
    program = distribution("facility-tiny").program("test", 5)
    plain, _ = build_model(program)
    plain.optimize()
    model, _ = build_model(program)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    model.setParam("limits/nodes", 1)
    search = PredictionHeuristic().include(model)
    model.optimize()
    assert search.statistics.solutions > 0
    assert search.statistics.chosen == 0
    assert model.getObjVal() == pytest.approx(plain.getObjVal())


@pytest.mark.parametrize("prediction", [np.zeros(3), {"z": 1.0}, lambda model: 1 / 0])
def test_a_prediction_that_fails_is_done_without(prediction: Any, caplog: pytest.LogCaptureFixture) -> None:
    model, _ = build_model(distribution("set-cover-tiny").program("test", 0))
    with caplog.at_level(logging.WARNING):
        search = PredictionHeuristic(prediction).include(model)
        model.optimize()
    assert model.getStatus() == "optimal"
    assert search.statistics.solutions > 0
    assert "the prediction failed" in caplog.text


def test_what_is_not_linear_is_left_to_scip(caplog: pytest.LogCaptureFixture) -> None:
    model = Model()
    model.hideOutput()
    x, y = model.addVar("x", vtype="B"), model.addVar("y", lb=0, ub=3)
    model.addCons(y * y <= 2 + 2 * x, name="square")
    model.setObjective(y, "maximize")
    with caplog.at_level(logging.WARNING):
        search = PredictionHeuristic({"x": 1.0}).include(model)
        model.optimize()
    assert model.getObjVal() == pytest.approx(2.0, rel=1e-5)
    assert search.statistics.ended == "failed: InputError"
    assert "square" in caplog.text


SCRIPT = """
import signal
from milp import PredictionHeuristic
from milp.distributions import distribution
from milp.model import build_model

signal.signal(signal.SIGINT, signal.default_int_handler)
model, _ = build_model(distribution("item-placement-medium").program("test", 0))
search = PredictionHeuristic().include(model)
model.setParam("misc/catchctrlc", False)
print("begun", flush=True)
model.optimize()
print(model.getStatus(), search.statistics.ended, search.statistics.solutions > 0, model.getNSols() > 0)
"""


@pytest.mark.slow
def test_ctrl_c_ends_search_and_solve(interrupted: Callable[[str, float, float], list[str]]) -> None:
    """Without SCIP's own handler the search takes the signal, and hands it on to SCIP."""
    assert interrupted(SCRIPT, 8.0, 60.0) == ["userinterrupt", "interrupted", "True", "True"]
