"""Branching rules for fractional LP solutions, as PySCIPOpt wants them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyscipopt import SCIP_RESULT, Branchrule

from milp.interrupt import Guard

PASS = {"result": SCIP_RESULT.DIDNOTRUN}
BRANCHED = {"result": SCIP_RESULT.BRANCHED}


class LPBranchrule(Branchrule):
    """A rule that leaves all but fractional LP solutions to others; subclasses have `branchexeclp`."""

    def branchexecext(self, allowaddcons: bool) -> dict[str, Any]:
        """Passes: external candidates are SCIP's."""
        return PASS

    def branchexecps(self, allowaddcons: bool) -> dict[str, Any]:
        """Passes: there is no LP to look at."""
        return PASS


class LPRule(LPBranchrule):
    """A rule whose action runs under a guard; after a failure it passes."""

    def __init__(self, guard: Guard, act: Callable[[], dict[str, Any]]) -> None:
        self.guard, self.act = guard, act

    def branchexeclp(self, allowaddcons: bool) -> dict[str, Any]:
        """See `pyscipopt.Branchrule`."""
        return self.guard.run(self.model, PASS, self.act)
