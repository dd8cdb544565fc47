"""SCIP's full strong branching as an expert that is asked and observed (Achterberg, Koch, Martin 2005)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.interrupt import Guard
from milp.lp_interface import NativeLP, native_lp
from milp.rules import BRANCHED, PASS, LPRule

BEFORE, EXPERT, AFTER = 3_000_000, 2_000_000, 1_000_000
"""Priorities of the rule that decides whether the expert is asked, of the expert, and of what reads its scores."""

EXPERT_SETTINGS = {
    "priority": EXPERT,
    "collectscores": True,
    "donotbranch": True,
    "idempotent": True,
    "integralcands": False,
    "scoreall": True,
}
"""vanillafullstrong computes, leaves the solve as it was, and passes on."""

Ask = Callable[[Any], "int | None"]
"""Called at a node with the model. None: the expert is asked; else it has decided, with this result for SCIP."""
Observe = Callable[[Any, NDArray, NDArray], None]
"""Called with the model, the candidates' positions in the LP [k] and their scores [k]; must branch."""


def include_expert(model: Any, guard: Guard, ask: Ask, observe: Observe) -> None:
    """Has a model ask strong branching at the nodes that `ask` picks.

    Args:
        model: A PySCIPOpt model before its solve.
        guard: Keeps what `ask` or `observe` raises.
        ask: See `Ask`.
        observe: See `Observe`.

    Raises:
        SolverError: If SCIP's C functions cannot be called.
    """
    lp: list[NativeLP] = []

    def before() -> dict[str, Any]:
        result = ask(model)
        return PASS if result is None else {"result": result}

    def after() -> dict[str, Any]:
        if not lp:
            lp.append(native_lp(model))
        candidates, scores, _ = lp[0].strong_branching_scores()
        observe(model, candidates.columns, np.maximum(scores, 0.0))
        return BRANCHED

    for name, value in EXPERT_SETTINGS.items():
        model.setParam(f"branching/vanillafullstrong/{name}", value)
    for name, priority, act in (("ask", BEFORE, before), ("observe", AFTER, after)):
        rule = LPRule(guard, act)
        model.includeBranchrule(rule, f"co_gym_{name}", f"{name} strong branching", priority, -1, 1.0)


class StrongBranchingScores:
    """Strong-branching scores of the candidates, float64 [k], computed on the spot by SCIP's own strong branching.

    An observation like those of `milp.observation`, and a slow one: two LPs for each candidate. The solve goes on
    as if it had not been asked, but for the LP iterations.

    Args:
        iterations: Dual simplex iterations for each LP at most.
    """

    def __init__(self, iterations: int = 1_000_000) -> None:
        self.iterations = iterations

    def reset(self, model: Any) -> None:
        """See `milp.observation.Observation`."""

    def extract(self, model: Any) -> NDArray:
        """The scores of `NativeLP.candidates`, in their order."""
        variables, _, _, _, priority, _ = model.getLPBranchCands()
        bound = model.getLPObjVal()
        scores = np.empty(priority)
        model.startStrongbranch()
        try:
            for k, variable in enumerate(variables[:priority]):
                result = model.getVarStrongbranch(variable, self.iterations, idempotent=True)
                down, up = (max(value - bound, 0.0) for value in result[:2])
                scores[k] = model.getBranchScoreMultiple(variable, [down, up])
        finally:
            model.endStrongbranch()
        return scores
