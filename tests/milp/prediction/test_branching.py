from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pyscipopt import SCIP_PARAMSETTING, Model

from milp.distributions import distribution
from milp.model import build_model
from milp.native import library
from milp.prediction.branching import DOWN, LEAST, UP, PredictionBranching

AUTO = 3


def bare(name: str, index: int = 0, **settings: Any) -> tuple[Model, list[Any]]:
    """A model of which SCIP solves the tree alone."""
    model, variables = build_model(distribution(name).program("test", index))
    model.setPresolve(SCIP_PARAMSETTING.OFF)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    model.setSeparating(SCIP_PARAMSETTING.OFF)
    for key, value in settings.items():
        model.setParam(key.replace("__", "/"), value)
    return model, variables


def optimum(name: str, index: int = 0) -> tuple[float, np.ndarray]:
    model, variables = build_model(distribution(name).program("test", index))
    model.optimize()
    return model.getObjVal(), np.array([model.getVal(variable) for variable in variables])


def branching_data(variables: list[Any]) -> list[tuple[int, int]]:
    """Priorities and directions."""
    lib = library()
    return [(lib.SCIPvarGetBranchPriority(v.ptr()), lib.SCIPvarGetBranchDirection(v.ptr())) for v in variables]


@pytest.mark.parametrize("sense", ["minimize", "maximize"])
def test_priorities_and_directions_arrive_and_go(sense: str) -> None:
    """The third variable has a priority of its own; what is known of the last two does not count."""
    model = Model()
    model.hideOutput()
    model.setPresolve(SCIP_PARAMSETTING.OFF)
    kinds = {"a": "B", "b": "B", "c": "B", "d": "B", "i": "I", "x": "C"}
    variables = [model.addVar(name, vtype=kind, ub=3 if name == "i" else 1) for name, kind in kinds.items()]
    weights = (3, 4, 5, 7, 2, 3)
    row = sum(w * v for w, v in zip(weights, variables, strict=True))
    model.addCons(row <= 11.5)
    model.addCons(row >= 5.5)
    model.setObjective(sum(variables), sense)
    model.chgVarBranchPriority(variables[2], 5)
    hook = PredictionBranching({"a": 0.02, "b": 0.95, "c": 0.99, "d": 0.3, "i": 0.99, "x": 0.99}).include(model)
    before = branching_data(variables)
    assert before == [(0, AUTO), (0, AUTO), (5, AUTO), (0, AUTO), (0, AUTO), (0, AUTO)]
    for _ in range(2):
        model.optimize()
        found = branching_data([model.getTransformedVar(variable) for variable in variables])
        assert found == [(1, DOWN), (1, UP), (6, UP), (0, DOWN), (0, AUTO), (0, AUTO)]
        assert (hook.statistics.chosen, hook.statistics.directions) == (3, 4)
        model.freeTransform()
        assert branching_data(variables) == before


@pytest.mark.parametrize("nodes", [True, False])
@pytest.mark.parametrize("name", ["multiknapsack-tiny", "generalized-independent-set-tiny"])
def test_the_first_dive_ends_in_the_predicted_solution(name: str, nodes: bool) -> None:
    """SCIP's depth-first search follows the preferred directions as well; on its own it finds worse."""
    best, x = optimum(name)
    found = []
    for hook in (PredictionBranching(x * 0.9 + 0.05, nodes=nodes), PredictionBranching({}, nodes=nodes)):
        model, _ = bare(name, limits__solutions=1, branching__mostinf__priority=1_000_000)
        model.setParam("nodeselection/dfs/stdpriority", 500_000)
        hook.include(model)
        model.optimize()
        found.append(model.getObjVal())
        assert model.getNNodes() < 50
    assert found[0] == pytest.approx(best)
    assert found[1] != pytest.approx(best)


def test_the_best_leaf_is_the_most_probable_one() -> None:
    model, variables = bare("multiknapsack-easy", limits__nodes=300)
    marginals = np.random.default_rng(0).random(len(variables))
    marginals[:30] = 0.5
    hook = PredictionBranching(marginals).include(model)
    model.optimize()
    index = {variable.name: j for j, variable in enumerate(variables)}

    def score(node: Any) -> float:
        total = 0.0
        while node.getParent() is not None:
            for variable, _, side in zip(*node.getParentBranchings(), strict=True):
                p = marginals[index[variable.name.removeprefix("t_")]]
                total += 0.0 if p == 0.5 else math.log(max(LEAST, 1.0 - p if side else p))
            node = node.getParent()
        return total

    leaves = sorted(model.getLeaves(), key=lambda leaf: (-score(leaf), leaf.getLowerbound()))
    assert len(leaves) > 50
    assert score(leaves[0]) > score(leaves[-1])
    assert score(model.getBestLeaf()) == pytest.approx(score(leaves[0]))
    assert model.getBestLeaf().getLowerbound() == leaves[0].getLowerbound()
    assert 200 < hook.statistics.nodes <= 300


@pytest.mark.parametrize("prediction", [np.zeros(3), {"z": 1.0}, lambda model: 1 / 0])
def test_a_prediction_that_fails(prediction: Any, caplog: pytest.LogCaptureFixture) -> None:
    """SCIP makes the tree that it would make without."""
    plain, _ = build_model(distribution("independent-set-er-tiny").program("test", 0))
    plain.optimize()
    model, _ = build_model(distribution("independent-set-er-tiny").program("test", 0))
    with caplog.at_level(logging.WARNING):
        hook = PredictionBranching(prediction).include(model)
        model.optimize()
    assert model.getStatus() == "optimal"
    assert model.getNTotalNodes() == plain.getNTotalNodes()
    assert model.getObjVal() == plain.getObjVal()
    assert hook.statistics.ended.startswith("failed: ")
    assert (hook.statistics.chosen, hook.statistics.directions, hook.statistics.nodes) == (0, 0, 0)
    assert caplog.text.count("prediction branching failed") == 1


def test_nothing_is_predicted() -> None:
    model, variables = build_model(distribution("independent-set-er-tiny").program("test", 0))
    hook = PredictionBranching(np.full(len(variables), np.nan)).include(model)
    model.optimize()
    assert model.getStatus() == "optimal"
    assert (hook.statistics.ended, hook.statistics.nodes) == ("nothing is predicted", 0)


def test_one_hook_for_several_solves_and_models() -> None:
    """A solve goes on after the hook was at work in others, whose tables are larger."""
    hook = PredictionBranching(lambda model: np.linspace(0, 1, model.getNVars()))
    first, _ = bare("multiknapsack-tiny", 1, limits__nodes=5)
    hook.include(first)
    first.optimize()
    assert first.getStatus() == "nodelimit"
    for name in ("generalized-independent-set-tiny", "set-cover-tiny"):
        other, _ = build_model(distribution(name).program("test", 0))
        hook.include(other)
        for _ in range(2):
            other.optimize()
            assert other.getStatus() == "optimal"
            assert other.getObjVal() == pytest.approx(optimum(name)[0])
            assert hook.statistics.ended == "followed"
            before = hook.statistics
            other.freeTransform()
        assert hook.statistics is before
    first.setParam("limits/nodes", -1)
    first.optimize()
    assert first.getStatus() == "optimal"
    assert first.getObjVal() == pytest.approx(optimum("multiknapsack-tiny", 1)[0])


def test_restarts() -> None:
    """A restart numbers the nodes anew."""
    model, variables = bare("multiknapsack-easy", limits__totalnodes=2000, limits__autorestartnodes=300)
    model.setParam("estimation/restarts/hitcounterlim", 1)
    model.setParam("presolving/maxrestarts", -1)
    hook = PredictionBranching(np.random.default_rng(0).random(len(variables))).include(model)
    model.optimize()
    assert model.getNTotalNodes() > model.getNNodes()
    assert hook.statistics.nodes > 1000
    assert model.getPrimalbound() <= model.getDualbound() * (1 + 1e-9)


def test_constraints_that_are_not_linear() -> None:
    model = Model()
    model.hideOutput()
    x, y = model.addVar("x", vtype="B"), model.addVar("y", lb=0, ub=3)
    z = model.addVar("z", vtype="B")
    model.addCons(y * y <= 2 + 2 * x - z, name="square")
    model.setObjective(y - 0.1 * z, "maximize")
    hook = PredictionBranching({"x": 0.0, "z": 1.0}).include(model)
    model.optimize()
    assert model.getObjVal() == pytest.approx(2.0, rel=1e-5)
    assert (hook.statistics.ended, hook.statistics.chosen) == ("followed", 2)


@pytest.mark.parametrize("feasible", [True, False])
def test_infeasible_and_unbounded_models(feasible: bool) -> None:
    model = Model()
    model.hideOutput()
    x, y = model.addVar("x", vtype="B"), model.addVar("y", ub=None)
    model.addCons(x + y >= 1)
    if not feasible:
        model.addCons(x + y <= 0.5)
    model.setObjective(-y)
    hook = PredictionBranching({"x": 1.0}).include(model)
    model.optimize()
    assert model.getStatus() in (("unbounded", "inforunbd") if feasible else ("infeasible", "inforunbd"))
    assert hook.statistics.ended == "followed"


def test_ctrl_c_in_the_prediction() -> None:
    def interrupted(model: Any) -> Any:
        raise KeyboardInterrupt

    model, _ = build_model(distribution("set-cover-tiny").program("test", 0))
    hook = PredictionBranching(interrupted).include(model)
    model.optimize()
    assert (model.getStatus(), hook.statistics.ended) == ("userinterrupt", "failed: KeyboardInterrupt")


SCRIPT = """
import signal
from milp import PredictionBranching
from milp.distributions import distribution
from milp.interrupt import optimize
from milp.model import build_model

signal.signal(signal.SIGINT, signal.default_int_handler)
model, variables = build_model(distribution("multiknapsack-hard").program("test", 0))
hook = PredictionBranching([0.02] * len(variables)).include(model)
print("begun", flush=True)
interrupted = optimize(model)
print(interrupted, model.getStatus(), hook.statistics.nodes > 0, model.getNSols() > 0)
"""


@pytest.mark.slow
def test_ctrl_c_in_the_tree(interrupted: Callable[[str, float, float], list[str]]) -> None:
    """While compiled code selects the nodes."""
    assert interrupted(SCRIPT, 8.0, 60.0) == ["True", "userinterrupt", "True", "True"]
