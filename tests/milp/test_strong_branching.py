from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pyscipopt import SCIP_PARAMSETTING, SCIP_RESULT

from co_gym.formulation import MixedIntegerProgram
from milp.interrupt import Guard
from milp.lp_interface import native_lp
from milp.model import build_model
from milp.strong_branching import StrongBranchingScores, include_expert

Programs = dict[str, Callable[[], MixedIntegerProgram]]


def quiet_model(program: MixedIntegerProgram) -> Any:
    model, _ = build_model(program)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    model.setParam("separating/maxroundsroot", 1)
    return model


@pytest.mark.parametrize("name", ["auction", "mixed", "flugpl", "lseu"])
def test_both_ways_agree(programs: Programs, name: str) -> None:
    model, guard = quiet_model(programs[name]()), Guard()
    slow: list[np.ndarray] = []
    agreeing: list[bool] = []

    def ask(model: Any) -> int | None:
        slow.append(StrongBranchingScores().extract(model))
        return None

    def observe(model: Any, columns: np.ndarray, scores: np.ndarray) -> None:
        lp = native_lp(model)
        candidates, mine = lp.candidates(), slow[-1]
        np.testing.assert_array_equal(candidates.columns, columns)
        assert scores.shape == mine.shape
        assert (scores >= 0).all()
        if len(scores) > 1 and np.ptp(scores) > 1e-6 * scores.max():
            agreeing.append(mine.max() - mine[np.argmax(scores)] <= 1e-6 * mine.max())
            assert np.corrcoef(scores, mine)[0, 1] > 0.999
        lp.branch(candidates.pointers[int(np.argmax(scores))])
        if len(slow) >= 8:
            model.interruptSolve()

    include_expert(model, guard, ask, observe)
    model.optimize()
    if guard.failure is not None:
        raise guard.failure
    assert len(slow) > 1
    assert agreeing
    assert all(agreeing)


def test_the_solve_goes_on_as_without_the_observation(programs: Programs) -> None:
    found = []
    for observed in (False, True):
        model, guard = quiet_model(programs["flugpl"]()), Guard()

        def ask(model: Any, observed: bool = observed) -> int | None:
            if observed:
                StrongBranchingScores().extract(model)
            lp = native_lp(model)
            lp.branch(lp.candidates().pointers[0])
            return int(SCIP_RESULT.BRANCHED)

        include_expert(model, guard, ask, lambda *_: None)
        model.optimize()
        assert guard.failure is None
        found.append((model.getNTotalNodes(), model.getObjVal(), model.getStatus()))
    assert found[0] == found[1]
    assert found[0][0] > 10


@pytest.mark.parametrize("failing", ["ask", "observe"])
def test_failures_are_kept(programs: Programs, failing: str) -> None:
    model, guard, calls = quiet_model(programs["flugpl"]()), Guard(), []

    def ask(model: Any) -> int | None:
        calls.append("ask")
        if failing == "ask":
            raise ValueError("no")
        return None

    def observe(model: Any, columns: np.ndarray, scores: np.ndarray) -> None:
        calls.append("observe")
        raise ValueError("no")

    include_expert(model, guard, ask, observe)
    model.optimize()
    assert isinstance(guard.failure, ValueError)
    assert calls == ["ask"] if failing == "ask" else ["ask", "observe"]
    assert model.getStatus() == "userinterrupt"
