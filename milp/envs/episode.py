"""One episode: a solve in a session's thread that hands over its decisions."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from milp.clock import WAITED
from milp.envs.session import Stopped, Turns
from milp.envs.settings import TRUNCATING, Settings
from milp.envs.sources import Programs
from milp.interrupt import Guard
from milp.model import build_model
from milp.observation import Observation
from milp.reward_algebra import RewardFunction


class Ask(Protocol):
    """Hands a decision over to the caller and waits for the answer."""

    def __call__(self, model: Any, actions: NDArray, observation: Any = None, **facts: Any) -> Any:
        """The caller's answer.

        Args:
            model: The PySCIPOpt model.
            actions: Admissible actions, int [k].
            observation: What is observed, where it is not the observation function that says it.
            **facts: What goes into the step's info.
        """


class Plugin(Protocol):
    """What makes SCIP ask for decisions."""

    def attach(self, model: Any, program: MixedIntegerProgram, ask: Ask, guard: Guard) -> None:
        """Includes the plug-in in a program's model that is about to be solved; callbacks run under the guard."""


@dataclass(frozen=True)
class Task:
    """What all episodes of an environment have in common.

    Attributes:
        programs: Where instances come from.
        settings: SCIP's parameters.
        plugin: What asks for decisions.
        observer: Observation function, or None; each solve works on a copy.
        reward: Reward function; each solve works on a copy.
        skip_limit: How many instances in a row may be left out since they need no decision; 0 leaves none out.
    """

    programs: Programs
    settings: Settings
    plugin: Plugin
    observer: Observation | None
    reward: RewardFunction
    skip_limit: int


@dataclass(frozen=True)
class Decision:
    """What SCIP's thread hands over: a state in which it needs an action, or the end.

    Attributes:
        observation: What the observation function made of the state; None at the end.
        actions: Admissible actions, int [k].
        reward: Since the last decision.
        info: Facts on the instance at the first decision, on the result at the end.
        ended: Whether the solve is over.
        truncated: Whether it ended by a limit.
    """

    observation: Any
    actions: NDArray
    reward: float
    info: dict[str, Any] = field(default_factory=dict)
    ended: bool = False
    truncated: bool = False


class Episode:
    """The work of a session: solves instances until one needs decisions, and hands these over.

    Args:
        task: What all episodes have in common.
        seed: Of the draw of instances and of SCIP.
        instance: Number of the instance to solve; drawn uniformly by default.
    """

    def __init__(self, task: Task, seed: int, instance: int | None = None) -> None:
        self.task, self.instance = task, instance
        self.rng = np.random.default_rng(seed)

    def __call__(self, turns: Turns) -> Decision:
        """See `Session`. Returns the last decision, whose `ended` is true."""
        limit = 0 if self.instance is not None else self.task.skip_limit
        for skipped in range(limit + 1):
            drawn = int(self.rng.integers(self.task.programs.count))
            index = drawn if self.instance is None else self.instance
            solve = _Solve(self.task, turns, {"instance": index, "skipped": skipped})
            last = solve.run(index, seed=int(self.rng.integers(2**31 - 1)))
            if solve.decisions or limit == 0:
                return last
        raise InputError(
            f"{limit + 1} instances in a row were solved without a decision: "
            "expected harder instances, less presolving and cutting, or skip_solved=False"
        )


class _Solve:
    """One solve."""

    def __init__(self, task: Task, turns: Turns, facts: dict[str, Any]) -> None:
        self.task, self.turns, self.facts = task, turns, facts
        self.decisions, self.waited, self.guard = 0, WAITED.seconds, Guard()
        self.observer, self.reward = copy.deepcopy(task.observer), copy.deepcopy(task.reward)

    def run(self, index: int, seed: int) -> Decision:
        """Solves an instance, and hands its decisions over."""
        program = self.task.programs.load(index)
        model, _ = build_model(program)
        self.turns.attach(model)
        self.task.settings.apply(model, seed)
        if self.observer is not None:
            self.observer.reset(model)
        self.reward.reset(model)
        self.task.plugin.attach(model, program, self.ask, self.guard)
        model.optimizeNogil()
        self._raise()
        truncated = model.getStatus() in TRUNCATING
        reward = self.reward.extract(model, True)
        info = self._first(reward) | result(model)
        none = np.zeros(0, dtype=np.int32)
        return Decision(None, none, reward if self.decisions else 0.0, info, True, truncated)

    def ask(self, model: Any, actions: NDArray, observation: Any = None, **facts: Any) -> Any:
        """See `Ask`."""
        if observation is None and self.observer is not None:
            observation = self.observer.extract(model)
        reward = self.reward.extract(model, False)
        info = self._first(reward) | facts
        self.decisions += 1
        answer = self.turns.ask(Decision(observation, actions, reward, info))
        self.task.settings.extend(model, WAITED.seconds - self.waited)
        return answer

    def _raise(self) -> None:
        """Raises what a callback raised; a stop without the frames it came through, which hold the solve."""
        failure, self.guard.failure = self.guard.failure, None
        if isinstance(failure, Stopped):
            raise Stopped
        try:
            if failure is not None:
                raise failure
        finally:
            del failure

    def _first(self, reward: float) -> dict[str, Any]:
        return {} if self.decisions else self.facts | {"reward_offset": reward}


def result(model: Any) -> dict[str, Any]:
    """Facts on a solve that is over; the objective is NaN without a solution."""
    objective = model.getObjVal() if model.getNSols() else math.nan
    return {
        "status": model.getStatus(),
        "objective": objective,
        "bound": model.getDualbound(),
        "gap": model.getGap(),
        "nodes": model.getNTotalNodes(),
        "lp_iterations": model.getNLPIterations(),
    }
