"""HiGHS as a solver of every problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import SolverError
from co_gym.exact import Number
from co_gym.formulation import MixedIntegerProgram
from co_gym.highs import quiet_highs
from co_gym.instance import Instance
from co_gym.relaxation import to_highs
from co_gym.solvers.base import Answer, Monitor, Options, Role
from milp.interrupt import AbandonedError, Guard, run_aside
from milp.reporting import Reporter

FEASIBLE_POINT = 2
SOLVED = ("optimal", "empty")
"""How HiGHS ends with an optimum."""
LARGEST_INTEGER = 2**31 - 1
RELATIVE_GAP = 1e-7
"""At which HiGHS stops; its own default, 1e-4, is no proof."""


class Highs:
    """Exact solving of any problem through its default formulation."""

    name = "highs"
    role: Role = "exact"
    preference = -1
    """SCIP is what `exact` stands for."""
    problems: frozenset[str] | None = None
    summary = "HiGHS on the problem's formulation (Huangfu and Hall 2018)"

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`. Ctrl-C ends the search and returns the incumbent.

        Raises:
            SolverError: If the objective is quadratic, or there is a memory limit, which HiGHS does not have.
        """
        report = Reporter(instance, monitor)
        if report.program.Q is not None:
            raise SolverError("the objective is quadratic: HiGHS is given linear formulations only")
        if options.memory_limit is not None:
            raise SolverError("HiGHS has no memory limit: expected none")
        highs = quiet_highs()
        _set_options(highs, options, monitor)
        highs.passModel(as_highs(report.program))
        if start is not None:
            set_start(highs, report.formulation.encode(start))
        interrupted = Run(highs, report.incumbent, report.prove).go("highs")
        return _answer(highs, report, interrupted)


GRACE, LATE = 20.0, 2.0
"""Seconds, and multiples of its time limit, after which a run is given up."""


class Run:
    """A run of HiGHS in a thread of its own: passes on what it finds, and can be stopped.

    Args:
        highs: The model.
        on_solution: Called with each better solution [n] of a mixed-integer program, in the thread of the run.
        on_bound: Called with its dual bounds.
    """

    def __init__(
        self,
        highs: Any,
        on_solution: Callable[[NDArray], object] | None = None,
        on_bound: Callable[[float], object] | None = None,
    ) -> None:
        from highspy._core import cb

        self.highs, self.on_solution, self.on_bound, self.guard = highs, on_solution, on_bound, Guard()
        self.kinds = cb.HighsCallbackType
        self.stopping = self.abandoned = False
        highs.setCallback(self._called, None)
        names = ["MipInterrupt", "SimplexInterrupt", "IpmInterrupt"]
        names += ["MipImprovingSolution"] if on_solution is not None else []
        names += ["MipLogging"] if on_bound is not None else []
        for name in names:
            highs.startCallback(getattr(self.kinds, f"kCallback{name}"))

    def go(self, name: str, is_over: Callable[[], bool] = lambda: False) -> bool:
        """Runs; returns whether Ctrl-C stopped it.

        Args:
            name: Of the thread.
            is_over: Asked now and then; if so, it is stopped.

        Raises:
            AbandonedError: If HiGHS does not return long after its time limit: it has been seen to loop for ever.
            BaseException: What a callback raised.
        """
        most = GRACE + LATE * self.highs.getOptionValue("time_limit")[1]
        try:
            interrupted = run_aside(self.highs.run, self.interruptSolve, name, is_over, most)
        except AbandonedError:
            self.abandoned = True
            raise
        failure = self.guard.failure
        if failure is not None and not isinstance(failure, KeyboardInterrupt):
            raise failure
        return interrupted or failure is not None

    def interruptSolve(self) -> None:
        """Asks HiGHS to stop at its next look; as `Guard` calls it."""
        self.stopping = True

    def _called(self, kind: Any, message: str, out: Any, back: Any, user: Any) -> None:
        """What HiGHS calls, in the thread that runs it."""
        if self.abandoned:
            if back is not None:
                back.user_interrupt = True
        elif kind == self.kinds.kCallbackMipImprovingSolution:
            self._tell(self.on_solution, np.array(out.mip_solution))
        elif kind == self.kinds.kCallbackMipLogging:
            self._tell(self.on_bound, float(out.mip_dual_bound))
        elif self.stopping and back is not None:
            back.user_interrupt = True

    def _tell(self, hear: Any, what: Any) -> None:
        def act() -> dict[str, Any]:
            hear(what)
            return {}

        self.guard.run(self, {}, act)


def _answer(highs: Any, report: Reporter, interrupted: bool) -> Answer:
    """What was found, and what HiGHS claims of it."""
    ended, info, values = status_of(highs), highs.getInfo(), values_of(highs)
    details = {
        "ended": "interrupted by user" if interrupted else ended,
        "nodes": max(0, int(info.mip_node_count)),
        "lp_iterations": max(0, int(info.simplex_iteration_count)),
        "variables": report.program.num_variables,
        "rows": report.program.num_rows,
    }
    if ended == "primal infeasible or unbounded":
        ended = _tell_apart(highs, report.program.num_variables)
    if ended == "infeasible":
        return Answer("infeasible", details=details)
    if ended == "unbounded":
        return Answer("unbounded", details=details)
    bound = _bound(report, info, ended)
    if values is None:
        return Answer("unknown", bound=bound, interrupted=interrupted, details=details)
    return Answer(
        "optimal" if ended in SOLVED else "feasible",
        solution=report.solution(values),
        objective=report.program.evaluate(values),
        bound=bound,
        interrupted=interrupted,
        details=details,
    )


def _bound(report: Reporter, info: Any, ended: str) -> Number | None:
    """The dual bound; of a linear program that was solved, its optimum."""
    program = report.program
    if ended == "empty":
        return program.offset
    if program.integer.any():
        return report.bound(float(info.mip_dual_bound))
    return float(info.objective_function_value) if ended == "optimal" else None


def values_of(highs: Any) -> NDArray | None:
    """The best solution [n] of a run; None if there is none."""
    if status_of(highs) not in SOLVED and highs.getInfo().primal_solution_status != FEASIBLE_POINT:
        return None
    return np.array(highs.getSolution().col_value)


def _set_options(highs: Any, options: Options, monitor: Monitor) -> None:
    values: dict[str, Any] = {
        "time_limit": float(monitor.remaining),
        "random_seed": options.seed,
        "mip_rel_gap": RELATIVE_GAP,
        "mip_abs_gap": 0.0,
    }
    if options.node_limit is not None:
        values["mip_max_nodes"] = min(options.node_limit, LARGEST_INTEGER)
    for name, value in values.items():
        highs.setOptionValue(name, value)


def as_highs(program: MixedIntegerProgram) -> Any:
    """A program with its integrality as a HiGHS model."""
    from highspy import HighsVarType

    model = to_highs(program)
    if program.integer.any():
        kinds = np.array([HighsVarType.kContinuous, HighsVarType.kInteger])
        model.integrality_ = list(kinds[program.integer.astype(np.int64)])
    return model


def set_start(highs: Any, values: NDArray) -> None:
    """Hands HiGHS a solution [n] to begin with."""
    from highspy import HighsSolution

    solution = HighsSolution()
    solution.col_value = values.tolist()
    highs.setSolution(solution)


def status_of(highs: Any) -> str:
    """How the run ended, in HiGHS's words."""
    return str(highs.modelStatusToString(highs.getModelStatus())).lower()


def _tell_apart(highs: Any, n: int) -> str:
    """Whether a model that is 'infeasible or unbounded' has a feasible point."""
    highs.changeColsCost(n, np.arange(n, dtype=np.int32), np.zeros(n))
    highs.run()
    return {"optimal": "unbounded"}.get(status_of(highs), status_of(highs))
