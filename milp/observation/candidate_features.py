"""All features of the candidates from one reading of the LP."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.kernels import khalil
from milp.lp_interface import Candidates, NativeLP, native_lp
from milp.observation.khalil import Khalil
from milp.observation.node_bipartite import VARIABLE_FEATURES, NodeBipartite, variable_features
from policies.branching.format import BipartiteGraph

NODE_FEATURES = 8
"""Columns that `CandidateFeatures` adds to the 72 and the 19."""
PSEUDOCOST_SCORE = khalil.TOTAL + len(VARIABLE_FEATURES)
"""Column of SCIP's pseudocost score."""


@dataclass(frozen=True, eq=False)
class Decision:
    """A node as a learned rule sees it.

    Attributes:
        candidates: What can be branched on.
        features: [k, 99] float32, see `CandidateFeatures`.
        graph: The node-bipartite graph, if it was asked for.
    """

    candidates: Candidates
    features: NDArray
    graph: BipartiteGraph | None = None


class CandidateFeatures:
    """All that is known of the candidates, float32 [k, 99], and on demand the graph, from one reading of the LP.

    72 features of Khalil et al. 2016, the 19 of Gasse et al. 2019, and what SCIP's own hybrid rule looks at
    (Achterberg and Berthold 2009): pseudocost score, its counts down and up, inference, cutoff and conflict score;
    then the depth of the node, and its gap to the cutoff bound relative to that of the root.
    """

    version = 1
    size = khalil.TOTAL + len(VARIABLE_FEATURES) + NODE_FEATURES

    def __init__(self) -> None:
        self.lp: NativeLP | None = None
        self.khalil, self.bipartite = Khalil(), NodeBipartite()
        self._root_bound = math.nan

    def reset(self, model: Any) -> None:
        """See `Observation`."""
        self.lp = native_lp(model)
        self.khalil.bind(self.lp)
        self.bipartite.bind(self.lp)
        self._root_bound = math.nan

    def extract(self, model: Any, with_graph: bool = False) -> Decision:
        """The candidates and their features, and the graph if it is wanted."""
        if self.lp is None:
            self.reset(model)
        assert self.lp is not None
        lp = self.lp
        candidates, matrix, values = lp.candidates(), lp.matrix(), lp.values()
        scalars, ages = lp.scalars(), lp.ages()
        statistics = lp.statistics(candidates)
        out = np.empty((len(candidates), self.size), dtype=np.float32)
        self.khalil.fill(out, candidates, statistics, matrix, values, scalars)
        middle = khalil.TOTAL + len(VARIABLE_FEATURES)
        out[:, khalil.TOTAL : middle] = variable_features(lp, candidates.columns, matrix, values, scalars, ages[0])
        out[:, middle : middle + 6] = statistics[:, 6:12]
        out[:, middle + 6], out[:, middle + 7] = self._node_numbers(lp)
        graph = self.bipartite.graph(lp, matrix, values, scalars, ages) if with_graph else None
        return Decision(candidates, out, graph)

    def _node_numbers(self, lp: NativeLP) -> tuple[float, float]:
        """Depth, and gap of the LP to the cutoff bound in units of the root's, 1 without a cutoff bound."""
        here, cutoff = lp.lib.SCIPgetLPObjval(lp.scip), lp.lib.SCIPgetCutoffbound(lp.scip)
        if math.isnan(self._root_bound):
            self._root_bound = here
        whole = cutoff - self._root_bound
        gap = (cutoff - here) / whole if whole > 1e-9 and cutoff < lp.lib.SCIPinfinity(lp.scip) else 1.0
        return float(lp.lib.SCIPgetDepth(lp.scip)), min(max(gap, 0.0), 10.0)
