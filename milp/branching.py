"""Learned branching for any PySCIPOpt model: one line to attach, and SCIP's own rule where it does not apply."""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from milp.descriptor import describe
from milp.kernels.reading import same_variables
from milp.kernels.scoring import best_blend
from milp.observation import BipartiteGraph, CandidateFeatures, Decision
from milp.observation.candidate_features import PSEUDOCOST_SCORE
from milp.pretrained_weights import DOMAIN, nearest
from milp.rules import BRANCHED, PASS, LPBranchrule
from policies.branching.cards import BranchingCard

LOG = logging.getLogger("milp.branching")

PRIORITY = 1_000_000
"""Above SCIP's own rules, the highest of which has 10000."""
PATIENCE = 3
"""Failures of a network after which it is not asked again in this solve."""


class Scorer(Protocol):
    """What says how good the candidates are; the highest is branched on."""

    @property
    def needs_graph(self) -> bool:
        """Whether `scores` looks at the node's graph."""

    def prepare(self, graph: BipartiteGraph) -> None:
        """A new root LP."""

    def scores(self, graph: BipartiteGraph | None, candidates: NDArray, features: NDArray) -> NDArray:
        """Scores [k] of the candidates at columns [k] int32 with features [k, F] float32."""


@dataclass
class Statistics:
    """What a plug-in did in the last solve.

    Attributes:
        calls: LP nodes at which SCIP asked it.
        decisions: Of these, where it branched.
        fallbacks: Where SCIP's own rule branched instead, by reason.
        seconds: Wall-clock time in the plug-in.
        weights: Name of the weights that were used; empty if there were none.
    """

    calls: int = 0
    decisions: int = 0
    fallbacks: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    weights: str = ""

    def summary(self, solving_time: float) -> dict[str, Any]:
        """Plain values for reports, with the share of the solving time (seconds) that the plug-in took."""
        return {
            "branching": self.weights,
            "branching_calls": self.calls,
            "branching_decisions": self.decisions,
            "branching_fallbacks": dict(self.fallbacks),
            "branching_seconds": round(self.seconds, 6),
            "branching_share": round(self.seconds / max(solving_time, self.seconds, 1e-9), 6),
        }


class LearnedBranching(LPBranchrule):
    """Branches by a network that imitates strong branching (Gasse et al. 2019, Gupta et al. 2020).

    SCIP's own rule decides instead: outside of what the weights were trained for, below the depth limit, with too
    many candidates, and where the network fails or returns what is no finite score. So the plug-in changes the
    tree, never the result. It works with presolving, restarts and cuts at their defaults.

    Example:
        >>> from pyscipopt import Model
        >>> from milp import LearnedBranching
        >>> model = Model()
        >>> rule = LearnedBranching("set-cover").include(model)

    Args:
        weights: `auto` (the shipped weights that are nearest to the instance), a name (`set-cover`, `auction`,
            `independent-set`, `facility`, `mixed`), or the path of a file of weights.
        reliability: (a, b): from the node after the a-th to the b-th, SCIP's own rule decides. In a tree that has
            grown so far, the pseudocosts that its strong branching leaves pay for themselves, and are features of
            the network. None: as the card of the weights says.
        blend: Weight of the logarithm of SCIP's pseudocost score beside the network's score, both in deviations
            among the candidates. None: as the card of the weights says.
        max_depth: Deepest node that it decides; None: any.
        max_candidates: Most candidates that it looks at; None: any.
        check_domain: Whether it hands over where the instance lies outside of what the weights know.
        scorer: What scores instead of weights; see `Scorer`.

    Raises:
        InputError: If there are no such weights, or their files are malformed.
    """

    def __init__(
        self,
        weights: str | Path = "auto",
        *,
        reliability: tuple[int, int] | None = None,
        blend: float | None = None,
        max_depth: int | None = None,
        max_candidates: int | None = None,
        check_domain: bool = True,
        scorer: Scorer | None = None,
    ) -> None:
        self.weights, self.scorer = str(weights), scorer
        self.reliability, self.blend = reliability, blend
        self.max_depth, self.max_candidates, self.check_domain = max_depth, max_candidates, check_domain
        self.statistics = Statistics()
        self._weights = ""
        self._features = CandidateFeatures()
        self._card: BranchingCard | None = None
        self._root_variables: NDArray | None = None
        self._out: str | None = None
        self._failures = 0
        if scorer is None and self.weights != "auto":
            self._load(self.weights)

    def include(self, model: Any, priority: int = PRIORITY) -> LearnedBranching:
        """Attaches the rule to a PySCIPOpt model before its solve, and returns it."""
        model.includeBranchrule(self, "co_gym_learned", "learned branching", priority, -1, 1.0)
        return self

    def branchinit(self) -> None:
        """A new solve begins."""
        self.statistics = Statistics(weights=self._weights)
        self._failures = 0

    def branchinitsol(self) -> None:
        """A new run of branch and bound begins: at the start, and after each restart."""
        self._root_variables, self._out = None, None

    def branchexeclp(self, allowaddcons: bool) -> dict[str, Any]:
        """Branches on the candidate of highest score, or passes."""
        begin = time.perf_counter()
        statistics = self.statistics
        statistics.calls += 1
        try:
            reason = self._decide()
        except BaseException as error:  # an exception out of a callback would abort the whole solve
            reason = self._failed(error)
        if reason is None:
            statistics.decisions += 1
        else:
            statistics.fallbacks[reason] += 1
        statistics.seconds += time.perf_counter() - begin
        return BRANCHED if reason is None else PASS

    def _decide(self) -> str | None:
        """Branches; returns why not, if not."""
        if self._out is not None:
            return self._out
        if self._failures >= PATIENCE:
            return "failed too often"
        if self._root_variables is not None and self._in_reliability_phase():
            return "reliability phase"
        if self.max_depth is not None and self.model.getDepth() > self.max_depth:
            return "depth"
        if self.max_candidates is not None and self.model.getNLPBranchCands() > self.max_candidates:
            return "candidates"
        decision = self._look()
        if decision is None:
            return self._out
        if self._in_reliability_phase():
            return "reliability phase"
        best = self._best(decision)
        assert self._features.lp is not None
        self._features.lp.branch(decision.candidates.pointers[best])
        return None

    def _in_reliability_phase(self) -> bool:
        first, last = self.reliability or (self._card.reliability if self._card else (0, 0))
        return first < self.model.getNNodes() <= last

    def _look(self) -> Decision | None:
        """The node; at the first of a run the weights are chosen and prepared. None if they do not fit."""
        first = self._root_variables is None
        if first:
            self._features.reset(self.model)
        needs_graph = first or self.scorer is None or self.scorer.needs_graph
        decision = self._features.extract(self.model, with_graph=needs_graph)
        if not first and self._columns_moved(decision):
            decision = self._features.extract(self.model, with_graph=True)
            first = True
        if first:
            assert decision.graph is not None
            self._begin(decision.graph)
        return None if self._out is not None else decision

    def _begin(self, graph: BipartiteGraph) -> None:
        """Chooses and prepares the weights for a root LP, or finds out that they do not fit."""
        assert self._features.lp is not None
        self._root_variables = self._features.lp.variable_pointers()
        descriptor = describe(graph)
        if self.weights == "auto" and self.scorer is None:
            self._load(nearest(descriptor))
        reason = (
            DOMAIN.reason_outside(self._card.trained, descriptor) if self._card and self.check_domain else None
        )
        if reason is not None:
            LOG.warning(
                "%s: the instance lies outside of what was trained on (%s): SCIP branches", self.name, reason
            )
            self._out = "outside"
            return
        assert self.scorer is not None
        self.scorer.prepare(graph)

    @property
    def name(self) -> str:
        """Name of the weights, or `learned branching`."""
        return self.statistics.weights or "learned branching"

    def _load(self, weights: str) -> None:
        from milp.inference import load_scorer

        scorer = load_scorer(weights)
        self.scorer, self._card = scorer, scorer.card
        self._weights = self.statistics.weights = weights

    def _columns_moved(self, decision: Decision) -> bool:
        """Whether the columns are no longer those of the root: SCIP may have added or removed some."""
        known, found = self._root_variables, decision.candidates
        return known is None or not same_variables(known, found.columns, found.pointers)

    def _best(self, decision: Decision) -> int:
        """Position of the best candidate."""
        assert self.scorer is not None
        candidates = decision.candidates.columns
        scores = np.asarray(self.scorer.scores(decision.graph, candidates, decision.features))
        if scores.shape != candidates.shape or not np.isfinite(scores).all():
            raise ValueError(f"expected {candidates.size} finite scores, found shape {list(scores.shape)}")
        blend = self.blend
        if blend is None:
            blend = self._card.blend if self._card else 0.0
        if blend:
            return int(best_blend(scores, decision.features[:, PSEUDOCOST_SCORE], blend))
        return int(np.argmax(scores))

    def _failed(self, error: BaseException) -> str:
        self._failures += 1
        if isinstance(error, KeyboardInterrupt):
            self.model.interruptSolve()
            return "interrupted"
        if self._failures == 1:
            LOG.warning("%s failed (%s: %s): SCIP branches", self.name, type(error).__name__, error)
        return f"failed: {type(error).__name__}"
