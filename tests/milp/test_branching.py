from __future__ import annotations

import csv
import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pyscipopt import SCIP_PARAMSETTING, Model

from co_gym.errors import InputError
from co_gym.io import write
from milp import LearnedBranching
from milp.descriptor import DESCRIPTOR
from milp.distributions import distribution
from milp.interrupt import optimize
from milp.model import build_model
from milp.observation import CandidateFeatures
from milp.observation.candidate_features import PSEUDOCOST_SCORE
from milp.protocol import set_protocol


class First:
    """Scores by position, highest first; subclasses misbehave."""

    needs_graph = False

    def __init__(self) -> None:
        self.prepared = 0

    def prepare(self, graph: Any) -> None:
        self.prepared += 1

    def scores(self, graph: Any, candidates: NDArray, features: NDArray) -> NDArray:
        return -np.arange(candidates.size, dtype=np.float32)


class Pseudocosts(First):
    def scores(self, graph: Any, candidates: NDArray, features: NDArray) -> NDArray:
        return features[:, PSEUDOCOST_SCORE]


class Raising(First):
    def scores(self, graph: Any, candidates: NDArray, features: NDArray) -> NDArray:
        raise RuntimeError("the network is gone")


class NotFinite(First):
    def scores(self, graph: Any, candidates: NDArray, features: NDArray) -> NDArray:
        return np.full(candidates.size, np.nan)


class WrongShape(First):
    def scores(self, graph: Any, candidates: NDArray, features: NDArray) -> NDArray:
        return np.zeros(candidates.size + 3)


class Vandal(First):
    """Overwrites all it is given, with columns that do not exist."""

    def scores(self, graph: Any, candidates: NDArray, features: NDArray) -> NDArray:
        features[:] = np.inf
        candidates[:] = -7
        return np.arange(candidates.size, dtype=np.float32)


class FailsToPrepare(First):
    def prepare(self, graph: Any) -> None:
        raise MemoryError("no room")


class Sometimes(First):
    """Raises at every other node."""

    def scores(self, graph: Any, candidates: NDArray, features: NDArray) -> NDArray:
        self.prepared += 1
        if self.prepared % 2:
            raise KeyError("even nodes only")
        return np.ones(candidates.size)


MISBEHAVING = [First, Raising, NotFinite, WrongShape, Vandal, FailsToPrepare, Sometimes]


def tiny(name: str = "auction-tiny", index: int = 1, **parameters: Any) -> Model:
    model, _ = build_model(distribution(name).program("test", index))
    for parameter, value in parameters.items():
        model.setParam(parameter, value)
    return model


def outcome(model: Model) -> tuple[str, float | None]:
    optimize(model)
    return model.getStatus(), model.getObjVal() if model.getNSols() else None


@pytest.fixture(scope="module")
def plain() -> dict[str, tuple[str, float | None]]:
    return {name: outcome(tiny(name)) for name in ("auction-tiny", "set-cover-tiny")}


@pytest.mark.parametrize("scorer", MISBEHAVING)
@pytest.mark.parametrize("name", ["auction-tiny", "set-cover-tiny"])
def test_no_scorer_changes_the_result(name: str, scorer: type[First], plain: dict[str, Any]) -> None:
    model = tiny(name)
    rule = LearnedBranching(scorer=scorer()).include(model)
    status, objective = outcome(model)
    assert status == plain[name][0]
    assert objective == pytest.approx(plain[name][1])
    assert rule.statistics.calls == rule.statistics.decisions + sum(rule.statistics.fallbacks.values())


def test_a_good_scorer_decides_everything_and_is_prepared_once() -> None:
    model, scorer = tiny(), First()
    set_protocol(model, "literature")
    rule = LearnedBranching(scorer=scorer).include(model)
    outcome(model)
    assert rule.statistics.decisions == rule.statistics.calls > 3
    assert not rule.statistics.fallbacks
    assert scorer.prepared == 1
    summary = rule.statistics.summary(model.getSolvingTime())
    assert 0 < summary["branching_share"] <= 1


def test_a_failing_network_is_named_once_and_given_up(caplog: pytest.LogCaptureFixture) -> None:
    model = tiny()
    rule = LearnedBranching(scorer=Raising()).include(model)
    with caplog.at_level(logging.WARNING, logger="milp.branching"):
        outcome(model)
    assert [record.getMessage() for record in caplog.records] == [
        "learned branching failed (RuntimeError: the network is gone): SCIP branches"
    ]
    assert rule.statistics.fallbacks["failed: RuntimeError"] == min(3, rule.statistics.calls)
    assert rule.statistics.decisions == 0


@pytest.mark.parametrize("limit", [{"max_depth": 1}, {"max_candidates": 5}, {"reliability": (2, 6)}])
def test_limits_hand_over(limit: dict[str, Any], plain: dict[str, Any]) -> None:
    model = tiny()
    rule = LearnedBranching(scorer=First(), **limit).include(model)
    assert outcome(model)[1] == pytest.approx(plain["auction-tiny"][1])
    reason = {"max_depth": "depth", "max_candidates": "candidates", "reliability": "reliability phase"}
    assert rule.statistics.fallbacks[reason[next(iter(limit))]] > 0


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"presolving/maxrounds": 0},
        {"presolving/maxrestarts": 5, "presolving/restartfac": 0.0, "presolving/restartminred": 0.0},
        {"separating/maxrounds": 0, "separating/maxroundsroot": 0},
        {"constraints/linear/upgrade/setppc": False},
    ],
)
@pytest.mark.parametrize("name", ["auction-tiny", "set-cover-tiny"])
def test_presolving_restarts_and_cuts(name: str, settings: dict[str, Any], plain: dict[str, Any]) -> None:
    model = tiny(name, **settings)
    LearnedBranching(scorer=Pseudocosts()).include(model)
    status, objective = outcome(model)
    assert status == "optimal"
    assert objective == pytest.approx(plain[name][1])


def test_restarts_begin_anew() -> None:
    model, scorer = tiny("auction-tiny"), Pseudocosts()
    LearnedBranching(scorer=scorer).include(model)
    optimize(model)
    model.freeTransform()
    optimize(model)
    assert scorer.prepared == 2


def infeasible() -> Model:
    """An odd cycle of equalities: infeasible, which only branching finds out."""
    model = Model()
    model.hideOutput()
    x = [model.addVar(vtype="I", lb=0, ub=50) for _ in range(6)]
    model.addCons(sum(2 * (i + 2) * v for i, v in enumerate(x)) == 201)
    model.addCons(sum(x) <= 40)
    model.setPresolve(SCIP_PARAMSETTING.OFF)
    model.setParam("limits/nodes", 2000)
    return model


def unbounded() -> Model:
    model = Model()
    model.hideOutput()
    x, y = model.addVar(vtype="I", lb=0, ub=None), model.addVar(vtype="I", lb=0, ub=None)
    model.addCons(2 * x - 3 * y <= 1)
    model.setObjective(x + y, "maximize")
    return model


@pytest.mark.parametrize("make", [infeasible, unbounded])
@pytest.mark.parametrize("scorer", [First, NotFinite])
def test_infeasible_and_unbounded(make: Any, scorer: type[First]) -> None:
    expected = outcome(make())[0]
    model = make()
    LearnedBranching(scorer=scorer()).include(model)
    assert outcome(model)[0] == expected


def test_time_limit_keeps_the_incumbent() -> None:
    model = tiny("auction-easy")
    model.setParam("limits/time", 1.0)
    LearnedBranching(scorer=First()).include(model)
    status, objective = outcome(model)
    assert status in ("timelimit", "optimal")
    assert objective is not None


def test_ctrl_c_in_a_callback_interrupts_and_keeps_the_incumbent() -> None:
    class Interrupted(First):
        def scores(self, graph: Any, candidates: NDArray, features: NDArray) -> NDArray:
            raise KeyboardInterrupt

    model = tiny("auction-tiny", **{"limits/time": 60.0})
    LearnedBranching(scorer=Interrupted()).include(model)
    status, objective = outcome(model)
    assert status == "userinterrupt"
    assert objective is not None


INTERRUPTED = """
import os, signal, sys, threading
from co_gym.cli import main
from milp import LearnedBranching

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may ignore it

decide = LearnedBranching._decide

def decided(self):
    if self.statistics.decisions == 20:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    return decide(self)

LearnedBranching._decide = decided
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_in_a_process_returns_the_incumbent(tmp_path: Path) -> None:
    """The signal comes while SCIP or the rule is at work in the tree."""
    write(tmp_path / "hard.mps", distribution("auction-medium").instance("test", 0))  # unsolved after minutes
    args = ["solve", str(tmp_path / "hard.mps"), "--method", "scip", "--branching", "auction"]
    args += ["--time-limit", "500", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *args], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["status"], found["feasible"]) == ("feasible", True)
    assert found["objective"] < found["bound"]  # values are maximized
    assert found["runtime_seconds"] < 400


def test_interruption_from_outside() -> None:
    model = tiny("auction-medium")
    rule = LearnedBranching(scorer=First()).include(model)
    timer = threading.Timer(2.0, model.interruptSolve)
    timer.start()
    status, _ = outcome(model)
    timer.cancel()
    assert status in ("userinterrupt", "optimal")
    assert rule.statistics.calls >= 0


def test_unknown_weights_are_refused_before_the_solve() -> None:
    with pytest.raises(InputError, match="unknown weights 'nope'"):
        LearnedBranching("nope")


@pytest.mark.slow
@pytest.mark.parametrize("scorer", MISBEHAVING)
@pytest.mark.parametrize("presolve", [True, False])
def test_real_files_keep_status_and_optimum(shared_data: Path, scorer: type[First], presolve: bool) -> None:
    """Every public file whose solve ends within a limit ends with its published status and optimum."""
    with (shared_data / "miplib" / "optima.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    ended = 0
    for row in rows:
        model = Model()
        model.hideOutput()
        model.readProblem(str(shared_data / "miplib" / row["instance"]))
        model.setParam("limits/time", 20.0)
        if not presolve:
            model.setPresolve(SCIP_PARAMSETTING.OFF)
        LearnedBranching(scorer=scorer()).include(model)
        status, objective = outcome(model)
        if status != "timelimit":
            ended += 1
            assert status == row["status"], row["instance"]
            assert objective == pytest.approx(float(row["optimum"]), rel=1e-6), row["instance"]
    assert ended >= len(rows) // 2


def test_descriptor_and_features_agree_with_their_names() -> None:
    assert CandidateFeatures.size == 99
    assert len(DESCRIPTOR) == 15
