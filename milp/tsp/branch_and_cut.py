"""Branch and cut over the remaining edges with SCIP (Padberg and Rinaldi, 1991; tree search: SCIP)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyscipopt import SCIP_PARAMSETTING, Model, quicksum

from milp.interrupt import Guard, optimize
from milp.tsp.incumbent import Incumbent
from milp.tsp.plugins import Reporter, Shift, TourHandler
from milp.tsp.relaxation import Root
from milp.tsp.separation import Separator

_PARAMETERS: dict[str, Any] = {
    "misc/usesymmetry": 0,
    "misc/allowstrongdualreds": False,
    "misc/allowweakdualreds": False,
    "presolving/maxrestarts": 0,
    "conflict/enable": False,
    "separating/maxrounds": 30,
    "separating/maxroundsroot": 60,
    "separating/poolfreq": 1,
    "constraints/linear/sepafreq": 1,
    "lp/threads": 1,
}
_MANY_EDGES = 2000
_THRIFTY_BRANCHING = {"branching/relpscost/initcand": 10, "branching/relpscost/maxlookahead": 4}
_STATUS = {
    "optimal": "optimal",
    "infeasible": "optimal",
    "inforunbd": "optimal",
    "timelimit": "time_limit",
    "nodelimit": "node_limit",
    "totalnodelimit": "node_limit",
    "stallnodelimit": "node_limit",
    "memlimit": "memory_limit",
    "userinterrupt": "interrupted",
    "terminate": "interrupted",
}


@dataclass
class TreeResult:
    """Outcome of the tree search.

    Attributes:
        bound: Lower bound on every tour better than the incumbent; infinite if there is none.
        status: "optimal", "time_limit", "node_limit", "memory_limit" or "interrupted".
        nodes: Number of nodes solved.
        found: Number of cuts separated in the tree, by kind.
        separation_seconds: Time spent in separation.
    """

    bound: float
    status: str
    nodes: int
    found: Counter[str] = field(default_factory=Counter)
    separation_seconds: float = 0.0


@dataclass(frozen=True)
class Limits:
    """Resource limits of the tree search.

    Attributes:
        seconds: Time limit.
        nodes: Node limit, or None.
        megabytes: Memory limit, or None.
    """

    seconds: float
    nodes: int | None = None
    megabytes: float | None = None


def branch_and_cut(
    distances: NDArray[Any],
    root: Root,
    incumbent: Incumbent,
    separator: Separator,
    limits: Limits,
    *,
    seed: int = 0,
    on_bound: Callable[[float], None],
) -> TreeResult:
    """Search the remaining edges for a tour better than the incumbent.

    Args:
        distances: Symmetric distances, float64 [n, n].
        root: Result of the root relaxation.
        incumbent: Best tour known; replaced by better ones.
        separator: Finds the cuts.
        limits: Time, nodes and memory.
        seed: SCIP's random seed shift.
        on_bound: Called with improved bounds.

    Returns:
        Bound, status and statistics.

    Raises:
        BaseException: Whatever a callback raised, except KeyboardInterrupt.
        RuntimeError: If SCIP ends with a status that has no meaning here.
    """
    n = len(distances)
    if root.live.sum(axis=1).min() < 2:
        return TreeResult(math.inf, "optimal", 0)
    tails, heads = np.nonzero(np.triu(root.live))
    shift = Shift.of(root.node_duals, incumbent)
    costs = shift.costs(distances, tails, heads)
    model = Model("tour")
    model.hideOutput()
    _configure(model, limits, seed)
    variables = [
        model.addVar(vtype="B", obj=float(cost), lb=float(root.fixed[a, b]))
        for a, b, cost in zip(tails, heads, costs, strict=True)
    ]
    if len(variables) > _MANY_EDGES:  # every strong branching candidate costs a second there
        model.setParams(_THRIFTY_BRANCHING)
    _add_rows(model, n, tails, heads, variables, root)
    model.setObjlimit(shift.inward(incumbent.target) + (0.01 if incumbent.integral else 0.0))
    guard = Guard()
    handler = TourHandler(n, tails, heads, variables, separator, guard)
    model.includeConshdlr(
        handler,
        "tour",
        "Hamiltonian cycle",
        sepapriority=100,
        enfopriority=-10,
        chckpriority=-2_000_000,
        sepafreq=1,
        needscons=False,
    )
    reporter = Reporter(handler, incumbent, shift, on_bound)
    model.includeEventhdlr(reporter, "reporter", "bounds and tours")
    interrupted = optimize(model, guard)
    status = "interrupted" if interrupted else _STATUS.get(model.getStatus())
    if status is None:
        raise RuntimeError(f"SCIP ended with status {model.getStatus()}")
    bound = math.inf if status == "optimal" else shift.outward(model.getDualbound())
    return TreeResult(bound, status, model.getNTotalNodes(), handler.found, handler.seconds)


def _configure(model: Model, limits: Limits, seed: int) -> None:
    model.setPresolve(SCIP_PARAMSETTING.OFF)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    model.setSeparating(SCIP_PARAMSETTING.OFF)
    model.setParams(_PARAMETERS)
    model.setParam("randomization/randomseedshift", seed % 2**31)
    model.setParam("limits/time", max(limits.seconds, 0.0))
    if limits.nodes is not None:
        model.setParam("limits/totalnodes", limits.nodes)
    if limits.megabytes is not None:
        model.setParam("limits/memory", limits.megabytes)


def _add_rows(
    model: Model, n: int, tails: NDArray[Any], heads: NDArray[Any], variables: list[Any], root: Root
) -> None:
    """Degree equations and the root's cuts; those without a dual value enter the LP once violated."""
    for v in range(n):
        incident = np.flatnonzero((tails == v) | (heads == v))
        model.addCons(quicksum(variables[e] for e in incident) == 2)
    for i, cut in enumerate(root.cuts + root.spare_cuts):
        coefficients = cut.coefficients(n, tails, heads)
        model.addCons(
            quicksum(coefficients[e] * variables[e] for e in np.flatnonzero(coefficients)) >= cut.rhs,
            initial=i < len(root.cuts),
            removable=True,
            enforce=False,
            check=False,
            propagate=False,
        )
