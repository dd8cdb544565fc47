from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pyscipopt import SCIP_PARAMSETTING, Model

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from milp.distributions import distribution
from milp.model import build_model
from milp.prediction.predict_and_search import PredictAndSearch


def solved(program: MixedIntegerProgram) -> tuple[str, float, NDArray]:
    """SCIP's own status, optimum and solution."""
    model, variables = build_model(program)
    model.optimize()
    return model.getStatus(), model.getObjVal(), np.array([model.getVal(variable) for variable in variables])


def searched(program: MixedIntegerProgram, prediction: Any, **options: Any) -> tuple[Model, PredictAndSearch]:
    model, _ = build_model(program)
    search = PredictAndSearch(prediction, **options).include(model)
    model.optimize()
    return model, search


def test_nothing_is_predicted() -> None:
    program = distribution("set-cover-tiny").program("test", 0)
    _, search = searched(program, np.full(program.num_variables, np.nan))
    assert search.statistics.ended == "nothing is predicted"


def test_a_good_prediction_is_found_before_the_tree() -> None:
    """The optimum lies in the region around a prediction with a few errors; SCIP itself sees no second node."""
    program = distribution("set-cover-tiny").program("test", 0)
    _, optimum, x = solved(program)
    wrong = np.random.default_rng(0).random(x.size) < 0.04
    model, _ = build_model(program)
    search = PredictAndSearch(np.where(wrong, 1.0 - x, x) * 0.96 + 0.02, delta=int(wrong.sum())).include(model)
    model.setParam("limits/nodes", 1)
    model.optimize()
    assert wrong.sum() >= 4
    assert search.statistics.ended == "optimal"
    assert search.statistics.chosen == x.size
    assert search.statistics.solutions > 0
    assert search.statistics.objective == pytest.approx(optimum)
    assert model.getObjVal() == pytest.approx(optimum)


def test_by_name_with_presolving_off_and_an_exhausted_region() -> None:
    program = distribution("facility-tiny").program("test", 5)
    status, optimum, x = solved(program)
    model, variables = build_model(program)
    model.setPresolve(SCIP_PARAMSETTING.OFF)
    named = {variable.name: float(value) for variable, value in zip(variables, x, strict=True)}
    search = PredictAndSearch(named, delta=0).include(model)
    model.optimize()
    assert (model.getStatus(), model.getObjVal()) == (status, pytest.approx(optimum))
    assert search.statistics.ended == "optimal"
    assert search.statistics.objective == pytest.approx(optimum)


@pytest.mark.parametrize("prediction", [np.zeros(3), {"z": 1.0}, lambda model: 1 / 0])
def test_a_prediction_that_fails(prediction: Any, caplog: pytest.LogCaptureFixture) -> None:
    program = distribution("multiknapsack-tiny").program("test", 0)
    status, optimum, _ = solved(program)
    with caplog.at_level(logging.WARNING):
        model, search = searched(program, prediction)
    assert (model.getStatus(), model.getObjVal()) == (status, pytest.approx(optimum))
    assert search.statistics.ended.startswith("failed: ")
    assert "predict and search failed" in caplog.text


@pytest.mark.parametrize("feasible", [True, False])
def test_infeasible_and_unbounded_models(feasible: bool) -> None:
    model = Model()
    model.hideOutput()
    x, y = model.addVar("x", vtype="B"), model.addVar("y", ub=None)
    model.addCons(x + y >= 1)
    if not feasible:
        model.addCons(x + y <= 0.5)
    model.setObjective(-y)
    search = PredictAndSearch({"x": 1.0}).include(model)
    model.optimize()
    assert model.getStatus() in (("unbounded", "inforunbd") if feasible else ("infeasible", "inforunbd"))
    assert "failed" not in search.statistics.ended


def test_time_limit_and_second_solve() -> None:
    program = distribution("set-cover-large").program("test", 0)
    model, variables = build_model(program)
    search = PredictAndSearch(np.full(len(variables), 0.02), share=0.5).include(model)
    model.setParam("limits/time", 2.0)
    model.optimize()
    assert model.getStatus() == "timelimit"
    assert model.getSolvingTime() < 20.0
    first = search.statistics
    model.freeTransform()
    model.optimize()
    assert search.statistics is not first
    assert search.statistics.ended != "not asked"


SCRIPT = """
import signal

from milp import PredictAndSearch
from milp.distributions import distribution
from milp.interrupt import optimize
from milp.model import build_model

model, variables = build_model(distribution("set-cover-large").program("test", 0))
search = PredictAndSearch([0.02] * len(variables), k0=100, delta=50).include(model)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background may ignore it
print("begun", flush=True)
interrupted = optimize(model)
print(interrupted, model.getStatus(), search.statistics.ended, model.getNSols() > 0)
"""


@pytest.mark.slow
def test_ctrl_c_reaches_the_search(interrupted: Callable[[str, float, float], list[str]]) -> None:
    """A signal ends search and solve; optimize returns only after both have stopped."""
    assert interrupted(SCRIPT, 5.0, 120.0) == ["True", "userinterrupt", "userinterrupt", "True"]


@pytest.mark.parametrize("wrong", [{"k0": -1}, {"delta": -1}, {"share": 0.0}, {"share": 1.5}, {"seconds": 0.0}])
def test_wrong_options(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        PredictAndSearch({}, **wrong)
