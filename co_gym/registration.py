"""The ids under which gymnasium knows the environments. Importing this loads gymnasium, but not torch."""

from __future__ import annotations

import gymnasium

NAMES = ("TSP", "TSPImprovement", "Knapsack", "MultiKnapsack", "MIS")
"""Keys of `co_gym.envs.catalogue.CATALOGUE`."""

SOLVER_NAMES = {
    "Branching": "branching",
    "NodeSelection": "node_selection",
    "PrimalSearch": "primal_search",
    "SolverConfiguration": "configuration",
}
"""Environments over SCIP: the modules of `milp.envs` that hold `<name>Env` and `<name>VectorEnv`."""


def register_all() -> None:
    """Registers `co_gym/<name>-v0`; `NAMES` also as `-Flat-v0`, whose observation is one float32 vector."""
    for name in NAMES:
        for suffix, flat in (("", False), ("-Flat", True)):
            gymnasium.register(
                id=f"co_gym/{name}{suffix}-v0",
                entry_point="co_gym.envs.adapters:COEnv",
                vector_entry_point="co_gym.envs.adapters:COVectorEnv",
                kwargs={"name": name, "flat": flat} if flat else {"name": name},
            )
    for name, module in SOLVER_NAMES.items():
        gymnasium.register(
            id=f"co_gym/{name}-v0",
            entry_point=f"milp.envs.{module}:{name}Env",
            vector_entry_point=f"milp.envs.{module}:{name}VectorEnv",
        )
