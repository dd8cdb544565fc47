"""SCIP as a solver of every problem, and the travelling salesman problem by branch and cut."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from co_gym.formulation import MixedIntegerProgram
from co_gym.instance import Instance
from co_gym.solvers.base import Answer, Claim, Monitor, Options, Role
from co_gym.solvers.settings import Setting
from milp.interrupt import Guard, optimize
from milp.reporting import Reporter

if TYPE_CHECKING:
    from milp.branching import LearnedBranching

HEURISTICS = ("default", "aggressive", "fast", "off")
LARGEST_MEMORY = 2.0**43 - 1
"""Largest memory limit that SCIP takes, in MB."""


class Scip:
    """Exact solving of any problem through its default formulation."""

    name = "scip"
    role: Role = "exact"
    problems: frozenset[str] | None = None
    summary = "SCIP 10 on the problem's formulation (Bolusani et al. 2024)"
    settings: ClassVar[dict[str, Setting]] = {
        "branching": Setting("learned branching: weights by name or path, or `auto`"),
        "heuristics": Setting("emphasis on primal heuristics", choices=HEURISTICS),
        "predict": Setting(
            "predicted solutions: weights by name or path, or `auto`; `co-gym prediction` lists them"
        ),
        "hooks": Setting(
            "what is made of them, joined by `+`: `predict-and-search`, `prediction-heuristic` (which needs no "
            "prediction) or `prediction-branching`; by default what works best with the weights"
        ),
    }

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`. Ctrl-C ends the search and returns the incumbent."""
        from milp.model import build_model

        report = Reporter(instance, monitor)
        model, variables = build_model(report.program)
        set_limits(model, options, monitor)
        set_heuristics(model, options)
        rule = learned_branching(model, options)
        hooks = prediction_hooks(model, report.program, options)
        if start is not None:
            add_start(model, variables, report.formulation.encode(start))
        guard = Guard()
        attach_reporter(model, variables, report, guard)
        interrupted = optimize(model, guard)
        answer = _answer(model, variables, report, interrupted)
        details = dict(answer.details)
        if rule is not None:
            details |= rule.statistics.summary(model.getSolvingTime())
        return replace(answer, details=details | {name: asdict(hook.statistics) for name, hook in hooks.items()})


class ScipTSP:
    """Branch and cut for the travelling salesman problem."""

    name = "scip"
    role: Role = "exact"
    problems: frozenset[str] | None = frozenset({"tsp"})
    summary = "branch and cut: subtours, blossoms and combs by SCIP (Dantzig, Fulkerson, Johnson 1954)"

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`. Ctrl-C ends the search and returns the incumbent."""
        from co_gym.problems.tsp import TSP
        from milp.tsp import solve_tour

        proof = solve_tour(
            TSP().distances(instance),
            tour=start,
            time_limit=monitor.remaining,
            node_limit=options.node_limit,
            memory_limit=options.memory_limit,
            seed=options.seed,
            on_incumbent=monitor.incumbent,
            on_bound=monitor.prove,
        )
        status: Claim = "optimal" if proof.status == "optimal" else "feasible"
        return Answer(
            status if proof.tour is not None else "unknown",
            solution=proof.tour,
            objective=proof.length,
            bound=proof.bound if math.isfinite(proof.bound) else None,
            interrupted=proof.status == "interrupted",
            details=dict(proof.details) | {"ended": proof.status},
        )


def set_limits(model: Any, options: Options, monitor: Monitor) -> None:
    """Time, nodes, memory and seed of a SCIP model; one thread."""
    model.setParam("limits/time", min(monitor.remaining, model.infinity()))
    if options.node_limit is not None:
        model.setParam("limits/nodes", min(options.node_limit, 2**63 - 1))
    if options.memory_limit is not None:
        model.setParam("limits/memory", min(options.memory_limit, LARGEST_MEMORY))
    model.setParam("randomization/randomseedshift", options.seed)


def set_heuristics(model: Any, options: Options) -> None:
    """SCIP's emphasis on primal heuristics, as the options ask for."""
    from pyscipopt import SCIP_PARAMSETTING

    emphasis = options.settings.get("heuristics", "default")
    model.setHeuristics(getattr(SCIP_PARAMSETTING, emphasis.upper()))


def learned_branching(model: Any, options: Options) -> LearnedBranching | None:
    """The learned rule that the options ask for, attached to a model; None if they do not.

    Raises:
        InputError: If there are no such weights, or they are malformed.
    """
    if "branching" not in options.settings:
        return None
    from milp.branching import LearnedBranching

    return LearnedBranching(options.settings["branching"]).include(model)


def prediction_hooks(model: Any, program: MixedIntegerProgram, options: Options) -> dict[str, Any]:
    """The hooks that the options ask for, attached to a model, by name; see `milp.prediction.hooks.attach`."""
    if not options.settings.keys() & {"predict", "hooks"}:
        return {}
    from milp.prediction.hooks import attach

    return attach(model, program, options.settings, options.seed)


def add_start(model: Any, variables: list[Any], values: NDArray) -> None:
    """Hands SCIP a complete solution before the solve."""
    solution = model.createSol()
    for variable, value in zip(variables, values.tolist(), strict=True):
        model.setSolVal(solution, variable, value)
    model.addSol(solution)


def values_of(model: Any, variables: list[Any], solution: Any) -> NDArray:
    """Values [n] of some variables in a SCIP solution."""
    return np.array([model.getSolVal(solution, variable) for variable in variables])


def attach_reporter(model: Any, variables: list[Any], report: Reporter, guard: Guard) -> None:
    """Has SCIP call `report` at each new incumbent and dual bound, under the guard."""
    from pyscipopt import SCIP_EVENTTYPE, Eventhdlr

    class Handler(Eventhdlr):
        """Listens for the two events."""

        kinds = (SCIP_EVENTTYPE.BESTSOLFOUND, SCIP_EVENTTYPE.DUALBOUNDIMPROVED)

        def eventinit(self) -> None:
            for kind in self.kinds:
                self.model.catchEvent(kind, self)

        def eventexit(self) -> None:
            for kind in self.kinds:
                self.model.dropEvent(kind, self)

        def eventexec(self, event: Any) -> None:
            new_incumbent = event.getType() == SCIP_EVENTTYPE.BESTSOLFOUND
            guard.run(self.model, {}, self.tell_incumbent if new_incumbent else self.tell_bound)

        def tell_incumbent(self) -> dict[str, Any]:
            report.incumbent(values_of(self.model, variables, self.model.getBestSol()))
            return {}

        def tell_bound(self) -> dict[str, Any]:
            report.prove(self.model.getDualbound())
            return {}

    model.includeEventhdlr(Handler(), "co_gym_progress", "reports incumbents and bounds")


def _answer(model: Any, variables: list[Any], report: Reporter, interrupted: bool) -> Answer:
    status = "userinterrupt" if interrupted else model.getStatus()
    if status == "inforunbd":
        status = _tell_apart(report.program, report.monitor)
    details = {
        "ended": status,
        "nodes": model.getNTotalNodes(),
        "lp_iterations": model.getNLPIterations(),
        "scip_gap": model.getGap() if model.getGap() < 1e20 else None,
        "variables": report.program.num_variables,
        "rows": report.program.num_rows,
    }
    if status in ("infeasible", "unbounded"):
        claim: Claim = "infeasible" if status == "infeasible" else "unbounded"
        return Answer(claim, details=details)
    bound = report.bound(model.getDualbound())
    if model.getNSols() == 0:
        return Answer("unknown", bound=bound, interrupted=interrupted, details=details)
    solution = report.solution(values_of(model, variables, model.getBestSol()))
    return Answer(
        "optimal" if status == "optimal" else "feasible",
        solution=solution,
        objective=model.getObjVal(),
        bound=bound,
        interrupted=interrupted,
        details=details,
    )


def _tell_apart(program: MixedIntegerProgram, monitor: Monitor) -> str:
    """Whether a model that is 'infeasible or unbounded' has a feasible point."""
    from milp.model import build_model

    model, _ = build_model(replace(program, c=np.zeros_like(program.c)))
    model.setParam("limits/time", max(1.0, min(monitor.remaining, model.infinity())))
    optimize(model)
    return {"optimal": "unbounded", "infeasible": "infeasible"}.get(model.getStatus(), "inforunbd")
