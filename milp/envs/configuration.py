"""SCIP's parameters as an environment of one step: set them for an instance, and see how the solve goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from gymnasium import spaces

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from milp.envs.base import SolverEnv
from milp.envs.episode import Ask, Decision
from milp.envs.options import Options
from milp.envs.padding import GraphForm, NoForm, View
from milp.envs.parameters import Range, knob
from milp.envs.program_graph import program_graph
from milp.envs.settings import set_parameter
from milp.envs.vector import SolverVectorEnv
from milp.interrupt import Guard
from milp.observation.milp_bipartite import PROGRAM_VARIABLE_FEATURES

DEFAULT_PARAMETERS: dict[str, Range] = {
    "separating/maxroundsroot": (0, 20),
    "presolving/maxrounds": (0, 10),
    "branching/scorefac": None,
    "nodeselection/childsel": None,
}
"""Parameters of the action unless others are named."""


class ConfigurationPlugin:
    """Asks for parameters before the solve."""

    def attach(self, model: Any, program: MixedIntegerProgram, ask: Ask, guard: Guard) -> None:
        """See `Plugin`."""
        chosen = ask(model, np.zeros(1, dtype=np.int32), program_graph(program))
        for name, value in chosen.items():
            set_parameter(model, name, value)


class SolverConfigurationEnv(SolverEnv):
    """SCIP's parameters, chosen once for each instance (Ecole's `Configuring`).

    Observation: with `"milp-bipartite"` the program before presolving: `variables` float32 [max_variables, 9],
        `rows` float32 [max_rows, 1], `edge_indices`, `edge_values`, `sizes`, see `milp.envs.program_graph`; always
        `action_mask` int8 [1], which is 1.
    Action: with `action="dict"` a value for each of `parameters`; with `action="box"`, float32 [k] in [0, 1],
        their places in the ranges in the order of names; where `parameters` is a list, the number of one of its
        settings.
    Reward: `-LPIterations()` by default: minus the simplex iterations of the solve.
    Termination: after one step. Truncation: a limit of time, nodes or memory ended the solve.

    Args:
        parameters: SCIP's parameters by name, with a pair of bounds, a list of values, or None for SCIP's own
            range; or a list of dicts from names to values.
        action: See above.
        observation: `"milp-bipartite"` or `"none"`.
        reward: See `Options`.
        protocol: See `Options`.
        render_mode: `"ansi"` or None.
        **keywords: See `Options`.
    """

    def __init__(
        self,
        *,
        parameters: Mapping[str, Range] | Sequence[Mapping[str, Any]] | None = None,
        action: Literal["dict", "box"] = "dict",
        observation: str | None = "milp-bipartite",
        reward: Any = "lp-iterations",
        protocol: str = "default",
        render_mode: str | None = None,
        **keywords: Any,
    ) -> None:
        if action not in ("dict", "box"):
            raise InputError(f"action '{action}': expected dict or box")
        if observation not in ("milp-bipartite", "none", None):
            raise InputError(f"observation '{observation}': expected milp-bipartite or none")
        form = (
            partial(GraphForm, widths=(len(PROGRAM_VARIABLE_FEATURES), 1))
            if observation == "milp-bipartite"
            else NoForm
        )
        keywords["observation"] = View(None, form)
        options = Options.of(keywords, reward=reward, protocol=protocol)
        super().__init__(ConfigurationPlugin(), options, render_mode, mask_size=1)
        wanted = DEFAULT_PARAMETERS if parameters is None else parameters
        if not wanted:
            raise InputError("no parameters: expected at least one")
        self.portfolio = None if isinstance(wanted, Mapping) else [dict(settings) for settings in wanted]
        self.knobs = (
            {name: knob(name, wanted[name]) for name in sorted(wanted)} if isinstance(wanted, Mapping) else {}
        )
        if self.portfolio is not None:
            self.action_space = spaces.Discrete(len(self.portfolio))
        elif action == "dict":
            self.action_space = spaces.Dict({name: one.space for name, one in self.knobs.items()})
        else:
            self.action_space = spaces.Box(0.0, 1.0, (len(self.knobs),), np.float32)

    def answer(self, action: Any, decision: Decision) -> Any:
        """See `SolverEnv`: values of parameters by name."""
        if not self.action_space.contains(action):
            return None
        if self.portfolio is not None:
            return self.portfolio[int(action)]
        if isinstance(action, dict):
            return {name: one.value(action[name]) for name, one in self.knobs.items()}
        return {name: one.share(float(u)) for (name, one), u in zip(self.knobs.items(), action, strict=True)}


class SolverConfigurationVectorEnv(SolverVectorEnv):
    """Several `SolverConfigurationEnv` whose solves run at the same time; see `SolverVectorEnv`."""

    single = SolverConfigurationEnv
