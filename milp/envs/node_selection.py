"""Node selection as an environment: which open node of the tree SCIP goes on with."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.spaces import Space
from numpy.typing import NDArray
from pyscipopt import Nodesel

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from milp.envs.base import SolverEnv
from milp.envs.episode import Ask, Decision
from milp.envs.options import Options
from milp.envs.padding import LARGEST, View
from milp.envs.vector import SolverVectorEnv
from milp.interrupt import Guard

NODE_FEATURES = ("lower_bound", "estimate", "depth", "is_child", "is_sibling", "is_leaf")
"""Bounds and estimates are relative to the root's: (value - root bound) / max(|root bound|, 1)."""


class NodeSelectionPlugin:
    """A node selector that asks wherever there are two open nodes or more.

    Args:
        max_nodes: How many are offered: those with the best lower bounds, the oldest of equal ones first.
    """

    def __init__(self, max_nodes: int) -> None:
        self.max_nodes = max_nodes

    def attach(self, model: Any, program: MixedIntegerProgram, ask: Ask, guard: Guard) -> None:
        """See `Plugin`."""
        plugin = self

        class Selector(Nodesel):
            """Best bound first, but for what the agent says."""

            def nodeselect(self) -> dict[str, Any]:
                """See `pyscipopt.Nodesel`."""
                default = {"selnode": model.getBestboundNode()}
                return guard.run(model, default, lambda: plugin.select(model, ask) or default)

            def nodecomp(self, node1: Any, node2: Any) -> int:
                """See `pyscipopt.Nodesel`."""
                first, second = node1.getLowerbound(), node2.getLowerbound()
                return int(first > second) - int(first < second)

        model.includeNodesel(Selector(), "co_gym_nodes", "asks the environment's agent", 500_000_000, 0)

    def select(self, model: Any, ask: Ask) -> dict[str, Any] | None:
        """The agent's node, or None where there is nothing to choose."""
        leaves, children, siblings = model.getOpenNodes()
        kinds = ((children, 0), (siblings, 1), (leaves, 2))
        nodes = [(node, kind) for group, kind in kinds for node in group]
        if len(nodes) < 2:
            return None
        nodes.sort(key=lambda pair: (pair[0].getLowerbound(), pair[0].getNumber()))
        offered = nodes[: self.max_nodes]
        features = _features(model, offered)
        chosen = ask(model, np.arange(len(offered), dtype=np.int32), features, open_nodes=len(nodes))
        return {"selnode": offered[chosen][0]}


class NodeForm:
    """Features of the open nodes, padded."""

    def __init__(self, max_nodes: int) -> None:
        shape = (max_nodes, len(NODE_FEATURES))
        self.spaces: dict[str, Space] = {"nodes": spaces.Box(-LARGEST, LARGEST, shape, np.float32)}

    def entries(self, raw: Any, actions: NDArray) -> dict[str, NDArray]:
        """See `Form`."""
        padded = np.zeros(self.spaces["nodes"].shape or (), dtype=np.float32)
        if raw is not None:
            padded[: len(raw)] = raw
        return {"nodes": padded}


class NodeSelectionEnv(SolverEnv):
    """Node selection in SCIP's tree search (He et al. 2014).

    Observation: `nodes` float32 [max_nodes, 6], see `NODE_FEATURES`; `action_mask` int8 [max_nodes].
    Action: an open node, by its place among them in the order of lower bounds, then of age.
    Reward: `-NodeCount()` by default.
    Termination: the instance is solved. Truncation: a limit of time, nodes or memory is reached.

    Args:
        max_nodes: How many open nodes are offered at most: those with the best lower bounds.
        instances: See `Options`.
        render_mode: `"ansi"` or None.
        **keywords: See `Options`; there is one observation.
    """

    def __init__(
        self,
        *,
        max_nodes: int = 100,
        instances: Any = "multiknapsack-tiny",
        render_mode: str | None = None,
        **keywords: Any,
    ) -> None:
        if max_nodes < 2:
            raise InputError(f"max_nodes {max_nodes}: expected at least 2")
        view = View(None, lambda limits: NodeForm(max_nodes))
        options = Options.of(keywords, instances=instances, observation=view)
        super().__init__(NodeSelectionPlugin(max_nodes), options, render_mode, mask_size=max_nodes)
        self.action_space = spaces.Discrete(max_nodes)

    def answer(self, action: Any, decision: Decision) -> Any:
        """See `SolverEnv`."""
        chosen = int(np.asarray(action).reshape(()))
        return chosen if chosen in decision.actions else None


class NodeSelectionVectorEnv(SolverVectorEnv):
    """Several `NodeSelectionEnv` whose solves run at the same time; see `SolverVectorEnv`."""

    single = NodeSelectionEnv


def _features(model: Any, nodes: list[tuple[Any, int]]) -> NDArray:
    root = model.getLowerboundRoot()
    root = 0.0 if abs(root) >= model.infinity() else root
    found = np.zeros((len(nodes), len(NODE_FEATURES)), dtype=np.float32)
    for row, (node, kind) in zip(found, nodes, strict=True):
        bounds = np.array([node.getLowerbound(), node.getEstimate()])
        row[:2] = np.clip((bounds - root) / max(abs(root), 1.0), -1e6, 1e6)
        row[2], row[3 + kind] = node.getDepth(), 1.0
    return found
