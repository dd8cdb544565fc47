"""Primal heuristics as an environment: at a node, values of some variables that are tried as a solution."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pyscipopt import SCIP_HEURTIMING, SCIP_LPSOLSTAT, SCIP_RESULT, Heur

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from milp.envs.base import SolverEnv
from milp.envs.episode import Ask, Decision
from milp.envs.options import Options
from milp.envs.vector import SolverVectorEnv
from milp.interrupt import Guard

IDLE = {"result": SCIP_RESULT.DIDNOTRUN}
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class PrimalSearchPlugin:
    """A heuristic that asks which variables to fix to which values.

    Attributes:
        trials_per_node: Questions at each node; -1 for no end.
        depth_freq: At every so many levels of the tree.
        depth_start: From this depth on.
        depth_stop: Up to this depth; -1 for no end.
    """

    trials_per_node: int = 1
    depth_freq: int = 1
    depth_start: int = 0
    depth_stop: int = -1

    def __post_init__(self) -> None:
        if self.trials_per_node < 1 and self.trials_per_node != -1:
            raise InputError(f"trials_per_node {self.trials_per_node}: expected at least 1, or -1 for no end")

    def attach(self, model: Any, program: MixedIntegerProgram, ask: Ask, guard: Guard) -> None:
        """See `Plugin`."""
        plugin = self

        class Search(Heur):
            """Runs after the LP of a node is solved."""

            def heurexec(self, heurtiming: Any, nodeinfeasible: bool) -> dict[str, Any]:
                """See `pyscipopt.Heur`."""
                if nodeinfeasible or model.getLPSolstat() != SCIP_LPSOLSTAT.OPTIMAL:
                    return IDLE
                return guard.run(model, IDLE, lambda: plugin.search(model, self, ask))

        model.includeHeur(
            Search(),
            "co_gym_primal_search",
            "asks the environment's agent",
            "!",
            priority=500_000_000,
            freq=self.depth_freq,
            freqofs=self.depth_start,
            maxdepth=self.depth_stop,
            timingmask=SCIP_HEURTIMING.AFTERLPNODE,
        )

    def search(self, model: Any, heuristic: Heur, ask: Ask) -> dict[str, Any]:
        """All trials at a node."""
        found = False
        facts: dict[str, Any] = {}
        for trial in count():
            if trial == self.trials_per_node:
                break
            if model.getLPSolstat() != SCIP_LPSOLSTAT.OPTIMAL:
                break
            variables = [column.getVar() for column in model.getLPColsData()]
            free = [j for j, variable in enumerate(variables) if _is_free(variable)]
            if not free:
                break
            chosen, values = ask(model, np.array(free, dtype=np.int32), **facts)
            success = _try(model, heuristic, [variables[j] for j in chosen], values)
            found, facts = found or success, {"accepted": success}
        return {"result": SCIP_RESULT.FOUNDSOL if found else SCIP_RESULT.DIDNOTFIND}


class PrimalSearchEnv(SolverEnv):
    """Partial solutions tried as a heuristic: fix, propagate, solve the LP (Ecole's `PrimalSearch`).

    Observation: by the keyword `observation`; always `action_mask` int8 [max_variables]: the integer variables
        that are not fixed at the node.
    Action: with `action="ternary"`, int64 [max_variables] of 0 (leave it free), 1 (fix it at its lower bound), 2
        (at its upper bound). With `action="dict"`, `fix` int8 [max_variables] and `values` float64
        [max_variables]: variables with fix 1 get their values, rounded and put into their bounds. Variables
        outside the mask are left alone.
    Reward: `PrimalImprovement()` by default.
    Termination: the instance is solved. Truncation: a limit of time, nodes or memory is reached.

    Args:
        trials_per_node: Actions at each node, -1 for no end.
        depth_freq: At every so many levels of the tree.
        depth_start: From this depth on.
        depth_stop: Up to this depth, -1 for no end.
        action: See above.
        observation: See `BranchingEnv`.
        reward: See `Options`.
        render_mode: `"ansi"` or None.
        **keywords: See `Options`.
    """

    def __init__(
        self,
        *,
        trials_per_node: int = 1,
        depth_freq: int = 1,
        depth_start: int = 0,
        depth_stop: int = -1,
        action: Literal["ternary", "dict"] = "ternary",
        observation: Any = "node-bipartite",
        reward: Any = "primal-improvement",
        render_mode: str | None = None,
        **keywords: Any,
    ) -> None:
        if action not in ("dict", "ternary"):
            raise InputError(f"action '{action}': expected dict or ternary")
        plugin = PrimalSearchPlugin(trials_per_node, depth_freq, depth_start, depth_stop)
        super().__init__(plugin, Options.of(keywords, observation=observation, reward=reward), render_mode)
        n = self.mask_size
        if action == "ternary":
            self.action_space = spaces.MultiDiscrete(np.full(n, 3))
        else:
            values = spaces.Box(-LARGEST, LARGEST, (n,), np.float64)
            self.action_space = spaces.Dict({"fix": spaces.MultiBinary(n), "values": values})

    def answer(self, action: Any, decision: Decision) -> Any:
        """See `SolverEnv`: the chosen columns, and their values."""
        if isinstance(action, dict):
            fix, values = np.asarray(action["fix"]), np.asarray(action["values"], dtype=np.float64)
        else:
            fix, values = np.asarray(action), np.where(np.asarray(action) == 1, -LARGEST, LARGEST)
        if fix.shape != (self.mask_size,) or values.shape != fix.shape or np.isnan(values).any():
            return None
        chosen = decision.actions[fix[decision.actions] != 0]
        return chosen.tolist(), values[chosen].tolist()


class PrimalSearchVectorEnv(SolverVectorEnv):
    """Several `PrimalSearchEnv` whose solves run at the same time; see `SolverVectorEnv`."""

    single = PrimalSearchEnv


def _is_free(variable: Any) -> bool:
    return variable.vtype() != "CONTINUOUS" and variable.getLbLocal() < variable.getUbLocal() - 0.5


def _try(model: Any, heuristic: Heur, variables: list[Any], values: NDArray) -> bool:
    """Fixes variables, propagates, solves the LP and hands SCIP its solution; whether SCIP took it."""
    if not variables:
        return False
    model.startProbing()
    try:
        for variable, value in zip(variables, values, strict=True):
            low, high = variable.getLbLocal(), variable.getUbLocal()
            model.fixVarProbing(variable, min(max(round(value), low), high))
        cutoff, _ = model.propagateProbing(0)
        if cutoff:
            return False
        error, cutoff = model.solveProbingLP()
        if error or cutoff:
            return False
        return bool(model.trySol(model.createSol(heuristic, initlp=True), printreason=False))
    finally:
        model.endProbing()
