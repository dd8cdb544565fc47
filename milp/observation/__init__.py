"""What a learned rule sees: node-bipartite graph, candidate features, pseudocosts, and the program as it is given.

An observation is told of a new solve (`reset`) and extracts inside SCIP's callbacks, while the LP is solved;
`MilpBipartite` extracts before the solve. Those of candidates alone need SCIP's C functions (`milp.native`).
"""

from __future__ import annotations

from typing import Any, Protocol

from milp.observation.candidate_features import NODE_FEATURES, CandidateFeatures, Decision
from milp.observation.khalil import Khalil
from milp.observation.milp_bipartite import MilpBipartite
from milp.observation.node_bipartite import ROW_FEATURES, VARIABLE_FEATURES, NodeBipartite, variable_features
from milp.observation.pseudocosts import Pseudocosts
from policies.branching.format import BipartiteGraph

__all__ = [
    "NODE_FEATURES",
    "ROW_FEATURES",
    "VARIABLE_FEATURES",
    "BipartiteGraph",
    "CandidateFeatures",
    "Decision",
    "Khalil",
    "MilpBipartite",
    "NodeBipartite",
    "Observation",
    "Pseudocosts",
    "variable_features",
]


class Observation(Protocol):
    """What is seen at a decision."""

    def reset(self, model: Any) -> None:
        """A new solve of a PySCIPOpt model begins."""

    def extract(self, model: Any) -> Any:
        """The observation, inside a callback of SCIP at a solved LP."""
