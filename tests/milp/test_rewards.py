"""Rewards: arithmetic, counts, and integrals against a hand-made trace and against SCIP's own."""

from __future__ import annotations

import copy
import math
from types import SimpleNamespace
from typing import Any

import pytest

import co_gym
from milp.bound_integrals import BoundIntegral, StepIntegral
from milp.distributions import distribution
from milp.model import build_model
from milp.reward_algebra import Moment, Reward
from milp.rewards import (
    NAMED,
    Constant,
    DualIntegral,
    IsDone,
    LPIterations,
    NodeCount,
    PrimalDualIntegral,
    PrimalImprovement,
    PrimalIntegral,
    SolvingTime,
    reward_function,
)


class Given(Reward):
    """Numbers given in advance."""

    def __init__(self, *values: float) -> None:
        self.values, self.calls = list(values), 0

    def measure(self, moment: Moment) -> float:
        self.calls += 1
        return self.values[self.calls - 1]


def extracted(reward: Reward, times: int = 1) -> list[float]:
    reward.reset(None)
    return [reward.extract(None, False) for _ in range(times)]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda r: r + 1, 4.0),
        (lambda r: 1 + r, 4.0),
        (lambda r: r - 1, 2.0),
        (lambda r: 1 - r, -2.0),
        (lambda r: 2 * r, 6.0),
        (lambda r: r * 2, 6.0),
        (lambda r: r / 2, 1.5),
        (lambda r: 6 / r, 2.0),
        (lambda r: r**2, 9.0),
        (lambda r: 2**r, 8.0),
        (lambda r: -r, -3.0),
        (lambda r: +r, 3.0),
        (lambda r: abs(-r), 3.0),
        (lambda r: r.exp(), math.exp(3)),
        (lambda r: r.log(), math.log(3)),
        (lambda r: r.log1p(), math.log(4)),
        (lambda r: r.log2(), math.log2(3)),
        (lambda r: r.log10(), math.log10(3)),
        (lambda r: r.sqrt(), math.sqrt(3)),
        (lambda r: r.sin(), math.sin(3)),
        (lambda r: r.cos(), math.cos(3)),
        (lambda r: r.tanh(), math.tanh(3)),
        (lambda r: (r / 2).floor(), 1.0),
        (lambda r: (r / 2).ceil(), 2.0),
        (lambda r: r.apply(lambda x: x % 2), 1.0),
        (lambda r: r + Constant(2) * Given(5), 13.0),
    ],
)
def test_arithmetic(make: Any, expected: float) -> None:
    assert extracted(make(Given(3))) == [pytest.approx(expected)]


def test_cumulative_sum_begins_anew_at_reset() -> None:
    reward = Given(1, 2, 3, 4).cumsum() * 10
    assert extracted(reward, 3) == [10, 30, 60]
    assert extracted(reward) == [40]


def test_a_reward_used_twice_is_measured_once() -> None:
    part = Given(3, 5)
    assert extracted(part * part - part, 2) == [6, 20]
    total = Given(1, 2).cumsum()
    assert extracted(total + total, 2) == [2, 6]


def test_names_numbers_and_nonsense() -> None:
    assert extracted(reward_function(2.5)) == [2.5]
    assert isinstance(reward_function("done"), IsDone)
    with pytest.raises(co_gym.InputError, match="nodes"):
        reward_function("node")
    with pytest.raises(co_gym.InputError, match="reset and extract"):
        reward_function([1])
    with pytest.raises(TypeError, match="expected a number"):
        NodeCount() + "1"
    with pytest.raises(co_gym.InputError, match="wall"):
        SolvingTime("walls")


class Trace:
    """What an integral reads of a model, as a script: at each time the bounds from then on."""

    def __init__(self, sense: str) -> None:
        self.sense, self.time = sense, 0.0
        self.worst = 1e20 if sense == "minimize" else -1e20
        self.primal, self.dual = self.worst, -self.worst

    def getObjectiveSense(self) -> str:
        return self.sense

    def infinity(self) -> float:
        return 1e20

    def getSolvingTime(self) -> float:
        return self.time

    def getStage(self) -> int:
        return 9

    def getNSols(self) -> int:
        return int(abs(self.primal) < 1e20)

    def getBestSol(self) -> Any:
        return SimpleNamespace()

    def getSolObjVal(self, solution: Any) -> float:
        return self.primal

    def getPrimalbound(self) -> float:
        return self.worst  # as in the event of a new incumbent, one behind

    def getDualbound(self) -> float:
        return self.dual


def traced(integral: BoundIntegral, sense: str, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Extracted at 4 and at 10 seconds, with incumbents at 1 and 6 and dual bounds at 2 and 7."""
    monkeypatch.setattr("milp.bound_integrals._listen", lambda model, integral: None)
    sign = 1 if sense == "minimize" else -1
    model: Any = Trace(sense)
    integral.reset(model)
    rewards = []
    for time, primal, dual in [(1, 50, None), (2, None, 10), (4, None, None), (6, 30, None), (7, None, 28)]:
        model.time = time
        if time == 4:
            rewards.append(integral.extract(model))
        model.primal = model.primal if primal is None else sign * primal
        model.dual = model.dual if dual is None else sign * dual
        integral.update(model)
    model.time = 10
    return [*rewards, integral.extract(model)]


@pytest.mark.parametrize("sense", ["minimize", "maximize"])
def test_integrals_of_a_hand_made_trace(sense: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sign = 1 if sense == "minimize" else -1
    primal = traced(PrimalIntegral("scip", (sign * 20, sign * 100)), sense, monkeypatch)
    assert primal == [80 * 1 + 30 * 3, 30 * 2 + 10 * 4]
    dual = traced(DualIntegral("scip", (sign * 30, 0.0)), sense, monkeypatch)
    assert dual == [30 * 2 + 20 * 2, 20 * 3 + 2 * 3]
    both = traced(PrimalDualIntegral("scip", lambda model: (sign * 100, 0.0)), sense, monkeypatch)
    assert both == [100 * 1 + 50 * 1 + 40 * 2, 40 * 2 + 20 * 1 + 2 * 3]


def test_without_bounds_the_missing_ones_are_infinite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ecole's convention: offset 0, and 1e20 where there is no bound yet."""
    assert traced(PrimalIntegral("scip"), "minimize", monkeypatch)[0] == pytest.approx(1e20)
    assert traced(DualIntegral("scip"), "minimize", monkeypatch)[0] == pytest.approx(2e20)


def test_step_integral() -> None:
    integral = StepIntegral(1.0, 2.0)
    integral.change(3.0, 5.0)
    assert integral.take(4.0) == 2 * 2 + 5
    assert integral.take(4.0) == 0
    assert integral.take(6.0) == 10


class ScipGap(BoundIntegral):
    """The integrand of SCIP's primal-dual integral: the gap in percent, 100 where a bound is missing."""

    def default(self, infinity: float) -> tuple[float, float]:
        return 0.0, 0.0

    def height(self) -> float:
        p, d = self.primal, self.dual
        if max(abs(p), abs(d)) >= 1e20 or p * d < 0:
            return 100.0
        return 0.0 if abs(p - d) < 1e-9 else 100 * abs(p - d) / max(abs(p), abs(d))


@pytest.mark.parametrize("name", ["set-cover-tiny", "independent-set-er-tiny", "multiknapsack-tiny"])
def test_against_scips_own_integral(name: str) -> None:
    """A minimization and two maximizations; SCIP notes the same changes a little later than its events."""
    model, _ = build_model(distribution(name).program("test", 0))
    model.setParam("limits/totalnodes", 200)
    model.setParam("timing/clocktype", 1)  # processor time, lest a pause of the machine fall between the two
    rewards = [ScipGap("scip"), NodeCount(), LPIterations(), IsDone(), SolvingTime("scip"), PrimalImprovement()]
    for reward in rewards:
        reward.reset(model)
    model.optimizeNogil()
    gap, nodes, iterations, done, seconds, improvement = (reward.extract(model, True) for reward in rewards)
    assert gap == pytest.approx(model.getPrimalDualIntegral(), rel=0.02, abs=0.3)
    assert (nodes, iterations, done) == (model.getNTotalNodes(), model.getNLPIterations(), 1.0)
    assert seconds == pytest.approx(model.getSolvingTime(), rel=0.05)
    assert improvement == 1.0
    assert [reward.extract(model, True) for reward in rewards[:3]] == [pytest.approx(0, abs=0.1), 0, 0]
    model.free()


@pytest.mark.parametrize("name", sorted(NAMED))
def test_named_rewards_before_the_solve(name: str) -> None:
    """Where there are no bounds yet, SCIP is not asked for them; copies do not share what they have measured."""
    model, _ = build_model(distribution("multiknapsack-tiny").program("test", 0))
    reward = copy.deepcopy(reward_function(name))
    reward.reset(model)
    assert math.isfinite(reward.extract(model, False))
    model.free()


def test_an_integral_passes_its_failure_on() -> None:
    model, _ = build_model(distribution("multiknapsack-tiny").program("test", 0))

    class Broken(PrimalIntegral):
        def height(self) -> float:
            if abs(self.primal) < 1e20:
                raise ZeroDivisionError("broken")
            return 0.0

    reward = Broken()
    reward.reset(model)
    model.setParam("limits/totalnodes", 1)
    model.optimizeNogil()
    with pytest.raises(ZeroDivisionError, match="broken"):
        reward.extract(model, True)
    model.free()
