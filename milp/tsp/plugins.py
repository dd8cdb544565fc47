"""SCIP plugins of the tree search: constraint handler, event handler and objective shift."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyscipopt import SCIP_EVENTTYPE, SCIP_RESULT, Conshdlr, Eventhdlr

from milp.interrupt import Guard
from milp.tsp.cuts import Cut
from milp.tsp.incumbent import Incumbent, tour_of_edges
from milp.tsp.separation import Separator
from milp.tsp.subtours import component_cuts
from milp.tsp.support import Support


@dataclass(frozen=True)
class Shift:
    """Objective for SCIP: lengths minus node potentials, times a factor.

    The potentials change every tour by the same constant, so that SCIP compares small numbers whatever the
    size of the distances. Integral distances stay integral; others are scaled to edges of about 64.

    Attributes:
        potential: Node potentials, float64 [n].
        offset: What the potentials take off every tour.
        factor: A power of two.
    """

    potential: NDArray[Any]
    offset: float
    factor: float

    @classmethod
    def of(cls, node_duals: NDArray[Any], incumbent: Incumbent) -> Shift:
        """The shift for given node duals, float64 [n]."""
        potential = np.round(node_duals) if incumbent.integral else node_duals
        factor = 1.0 if incumbent.integral else incumbent.unit_scale()
        return cls(potential, 2 * math.fsum(potential), factor)

    def costs(self, distances: NDArray[Any], tails: NDArray[Any], heads: NDArray[Any]) -> NDArray[Any]:
        """Objective coefficients of the given edges, float64 [m]."""
        shifted = distances[tails, heads] - self.potential[tails] - self.potential[heads]
        return np.asarray(shifted * self.factor)

    def inward(self, length: float) -> float:
        """SCIP's objective value of a tour length."""
        return (length - self.offset) * self.factor

    def outward(self, value: float) -> float:
        """Tour length of an objective value of SCIP."""
        return value / self.factor + self.offset


class TourHandler(Conshdlr):
    """Requires one connected tour and separates subtour eliminations, blossoms and combs."""

    def __init__(
        self,
        n: int,
        tails: NDArray[Any],
        heads: NDArray[Any],
        variables: list[Any],
        separator: Separator,
        guard: Guard,
    ) -> None:
        self.n = n
        self.tails = tails
        self.heads = heads
        self.variables = variables
        self.separator = separator
        self.guard = guard
        self.found: Counter[str] = Counter()
        self.seconds = 0.0

    def values(self, solution: Any = None) -> NDArray[Any]:
        """Edge values of a solution (None: the current linear program's), float64 [m]."""
        get = self.model.getSolVal
        return np.array([get(solution, variable) for variable in self.variables])

    def conscheck(self, constraints, solution, checkintegrality, checklprows, printreason, completely):  # type: ignore[no-untyped-def]
        """Accept only Hamiltonian cycles."""
        return self.guard.run(
            self.model, {"result": SCIP_RESULT.INFEASIBLE}, lambda: {"result": self._verdict(solution)}
        )

    def consenfolp(self, constraints, nusefulconss, solinfeasible):  # type: ignore[no-untyped-def]
        """Cut off integral points that fall apart into subtours."""
        return self.guard.run(self.model, {"result": SCIP_RESULT.INFEASIBLE}, self._enforce)

    def consenfops(self, constraints, nusefulconss, solinfeasible, objinfeasible):  # type: ignore[no-untyped-def]
        """Leave points without a linear program to it."""
        return {"result": SCIP_RESULT.SOLVELP}

    def conssepalp(self, constraints, nusefulconss):  # type: ignore[no-untyped-def]
        """Separate the fractional point of the current linear program."""
        return self.guard.run(self.model, {"result": SCIP_RESULT.DIDNOTRUN}, self._separate)

    def conslock(self, constraint, locktype, nlockspos, nlocksneg):  # type: ignore[no-untyped-def]
        """Rounding any edge in either direction may destroy a tour."""
        both = nlockspos + nlocksneg
        for variable in self.variables:
            self.model.addVarLocksType(variable, locktype, both, both)

    def _verdict(self, solution: Any) -> Any:
        chosen = self.values(solution) > 0.5
        tour = tour_of_edges(self.n, self.tails[chosen], self.heads[chosen])
        return SCIP_RESULT.INFEASIBLE if tour is None else SCIP_RESULT.FEASIBLE

    def _enforce(self) -> dict[str, Any]:
        cuts = component_cuts(Support.of(self.n, self.tails, self.heads, self.values()))
        return {"result": self._add(cuts)} if cuts else {"result": SCIP_RESULT.FEASIBLE}

    def _separate(self) -> dict[str, Any]:
        started = time.monotonic()
        support = Support.of(self.n, self.tails, self.heads, self.values())
        cuts = self.separator.separate(support)
        result = self._add(cuts) if cuts else SCIP_RESULT.DIDNOTFIND
        self.seconds += time.monotonic() - started
        return {"result": result}

    def _add(self, cuts: list[Cut]) -> Any:
        """Add rows for globally valid cuts, also to SCIP's pool."""
        self.found.update(cut.kind for cut in cuts)
        for cut in cuts:
            row = self.model.createEmptyRowUnspec(cut.kind, lhs=cut.rhs, rhs=None, local=False, removable=True)
            self.model.cacheRowExtensions(row)
            coefficients = cut.coefficients(self.n, self.tails, self.heads)
            for e in np.flatnonzero(coefficients):
                self.model.addVarToRow(row, self.variables[e], coefficients[e])
            self.model.flushRowExtensions(row)
            infeasible = self.model.addCut(row, forcecut=True)
            self.model.addPoolCut(row)
            self.model.releaseRow(row)
            if infeasible:
                return SCIP_RESULT.CUTOFF
        return SCIP_RESULT.SEPARATED


class Reporter(Eventhdlr):
    """Passes improved bounds and tours on."""

    def __init__(
        self, handler: TourHandler, incumbent: Incumbent, shift: Shift, on_bound: Callable[[float], None]
    ) -> None:
        self.handler = handler
        self.incumbent = incumbent
        self.shift = shift
        self.on_bound = on_bound
        self.bound = -math.inf

    def eventinit(self) -> None:
        """Subscribe."""
        self.model.catchEvent(SCIP_EVENTTYPE.BESTSOLFOUND, self)
        self.model.catchEvent(SCIP_EVENTTYPE.NODESOLVED, self)

    def eventexec(self, event: Any) -> None:
        """React to a new solution or a solved node."""
        self.handler.guard.run(self.model, {}, lambda: self._report(event.getType()))

    def _report(self, kind: int) -> dict[str, Any]:
        if kind & SCIP_EVENTTYPE.BESTSOLFOUND:
            chosen = self.handler.values(self.model.getBestSol()) > 0.5
            self.incumbent.offer_edges(self.handler.tails[chosen], self.handler.heads[chosen])
            self.handler.separator.tour = self.incumbent.tour
        bound = self.shift.outward(self.model.getDualbound())
        if self.bound < bound < self.incumbent.length:
            self.bound = bound
            self.on_bound(bound)
        return {}
