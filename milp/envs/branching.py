"""Branching as an environment: at each node with a fractional LP solution, which variable to branch on."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from co_gym.formulation import MixedIntegerProgram
from milp.envs.base import SolverEnv
from milp.envs.episode import Ask, Decision
from milp.envs.options import Options
from milp.envs.vector import SolverVectorEnv
from milp.interrupt import Guard
from milp.rules import BRANCHED, LPRule

PRIORITY = 500_000_000
"""Above every rule of SCIP's own."""


class BranchingPlugin:
    """A branching rule that asks which candidate to branch on."""

    def attach(self, model: Any, program: MixedIntegerProgram, ask: Ask, guard: Guard) -> None:
        """See `Plugin`."""

        def decide() -> dict[str, Any]:
            variables, _, _, _, priority, _ = model.getLPBranchCands()
            columns = [variable.getCol().getLPPos() for variable in variables[:priority]]
            chosen = ask(model, np.array(columns, dtype=np.int32))
            model.branchVar(variables[columns.index(chosen)])
            return BRANCHED

        rule = LPRule(guard, decide)
        model.includeBranchrule(rule, "co_gym_branching", "asks the environment's agent", PRIORITY, -1, 1.0)


class BranchingEnv(SolverEnv):
    """Branching in SCIP's tree search (Gasse et al. 2019; Ecole's `Branching`, Prouvost et al. 2020).

    Observation: by the keyword `observation`, see `docs/milp-environments.md`; always `action_mask` int8
        [max_variables].
    Action: position in the LP of a fractional variable of highest branching priority.
    Reward: `-NodeCount()` by default: minus the nodes processed since the last decision.
    Termination: the instance is solved. Truncation: a limit of time, nodes or memory is reached.

    Args:
        observation: `"node-bipartite"`, `"variables"`, `"khalil"`, `"pseudocosts"`, `"strong-branching"`,
            `"none"`, or a `View`.
        render_mode: `"ansi"` or None.
        **keywords: See `Options`.
    """

    def __init__(
        self, *, observation: Any = "node-bipartite", render_mode: str | None = None, **keywords: Any
    ) -> None:
        super().__init__(BranchingPlugin(), Options.of(keywords, observation=observation), render_mode)
        self.action_space = spaces.Discrete(self.mask_size)

    def answer(self, action: Any, decision: Decision) -> Any:
        """See `SolverEnv`."""
        chosen = int(np.asarray(action).reshape(()))
        return chosen if chosen in decision.actions else None


class BranchingVectorEnv(SolverVectorEnv):
    """Several `BranchingEnv` whose solves run at the same time.

    Args:
        num_envs: How many.
        **keywords: Those of `SolverVectorEnv` and `BranchingEnv`.
    """

    single = BranchingEnv
