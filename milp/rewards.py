"""Reward functions of the SCIP environments: what a solve has cost since the last decision.

Costs count as positive numbers, as in Ecole: negate them (`-NodeCount()`) to reward less of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from co_gym.errors import InputError, unknown_name
from milp.bound_integrals import TRANSFORMED, DualIntegral, PrimalDualIntegral, PrimalIntegral
from milp.clock import Clock, clock
from milp.reward_algebra import Constant, Moment, Reward, RewardFunction

__all__ = [
    "NAMED",
    "Constant",
    "DualIntegral",
    "IsDone",
    "LPIterations",
    "NodeCount",
    "PrimalDualIntegral",
    "PrimalImprovement",
    "PrimalIntegral",
    "Reward",
    "RewardFunction",
    "SolvingTime",
    "reward_function",
]


class IsDone(Reward):
    """1 where the solve is over, 0 before."""

    def measure(self, moment: Moment) -> float:
        """See `Reward`."""
        return float(moment.done)


class _Increment(Reward):
    """How much a quantity has grown since the last decision, or since the solve began."""

    def __init__(self, quantity: Clock) -> None:
        self.quantity, self.last = quantity, 0.0

    def begin(self, model: Any) -> None:
        """See `Reward`."""
        self.last = 0.0

    def measure(self, moment: Moment) -> float:
        """See `Reward`."""
        before = self.last
        if moment.model.getStage() >= TRANSFORMED:  # SCIP has no statistics before
            self.last = float(self.quantity(moment.model))
        return self.last - before


class NodeCount(_Increment):
    """Nodes processed since the last decision, of all runs; the node of the decision itself is among them."""

    def __init__(self) -> None:
        super().__init__(lambda model: model.getNTotalNodes())


class LPIterations(_Increment):
    """Simplex iterations since the last decision, those of strong branching left out (SCIP's own count)."""

    def __init__(self) -> None:
        super().__init__(lambda model: model.getNLPIterations())


class SolvingTime(_Increment):
    """Seconds since the last decision, or since the solve began.

    Args:
        clock: `"cpu"`, processor time of the thread that SCIP runs in; `"wall"`; `"scip"`, SCIP's solving time.
            The first two leave out the time in which SCIP waits for an action.
    """

    def __init__(self, clock: str = "cpu") -> None:
        super().__init__(_clock(clock))

    def begin(self, model: Any) -> None:
        """See `Reward`."""
        self.last = float(self.quantity(model))


class PrimalImprovement(Reward):
    """How much the incumbent has improved since the last decision, relative to the larger value; 1 at first."""

    def begin(self, model: Any) -> None:
        """See `Reward`."""
        self.last: float | None = None

    def measure(self, moment: Moment) -> float:
        """See `Reward`."""
        model, before = moment.model, self.last
        if not model.getNSols():
            return 0.0
        self.last = float(model.getSolObjVal(model.getBestSol()))
        if before is None:
            return 1.0
        return abs(self.last - before) / max(abs(self.last), abs(before), 1e-9)


_clock = clock  # the name of the keyword of SolvingTime

NAMED: dict[str, Callable[[], Reward]] = {
    "nodes": lambda: -NodeCount(),
    "lp-iterations": lambda: -LPIterations(),
    "time": lambda: -SolvingTime(),
    "primal-integral": lambda: -PrimalIntegral(),
    "dual-integral": lambda: -DualIntegral(),
    "primal-dual-integral": lambda: -PrimalDualIntegral(),
    "primal-improvement": PrimalImprovement,
    "done": IsDone,
    "zero": Constant,
}
"""Rewards by name, negated where less is better: what the keyword `reward` of an environment takes."""


def reward_function(reward: str | float | RewardFunction) -> RewardFunction:
    """A reward from its name, a number, or an object with `reset` and `extract`.

    Raises:
        InputError: If the name is unknown, or the object is no reward.
    """
    if isinstance(reward, str):
        if reward not in NAMED:
            raise unknown_name("reward", reward, list(NAMED))
        return NAMED[reward]()
    if isinstance(reward, int | float):
        return Constant(reward)
    if not isinstance(reward, RewardFunction):
        raise InputError(f"{reward!r} is no reward: expected a name, a number or an object with reset and extract")
    return reward
