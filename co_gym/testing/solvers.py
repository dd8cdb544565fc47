"""`assert_solver`: what a solver must satisfy."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from co_gym import registry
from co_gym.errors import SolverError
from co_gym.exact import Number
from co_gym.instance import Instance
from co_gym.solvers.base import Answer, Claim, Event, Monitor, Options, Role, Solver
from co_gym.testing.common import (
    brute_force,
    members_of,
    no_better,
    require,
    require_json,
)
from co_gym.verifier import agrees, verify

COMPILE_SECONDS = 40.0
"""What a solver may take beyond its time limit, the first time it compiles included."""


def assert_solver(solver: Solver, instances: Iterable[Instance] | None = None, *, time_limit: float = 2.0) -> None:
    """Checks a solver on small instances: answers, bounds, history, start solutions and time limits.

    A heuristic must return a feasible solution, an exact solver the optimum with its proof; samplers may find
    none, and may raise `SolverError` where an instance is too large. No bound may be better than the optimum that
    enumeration finds, and an optimal start must not be lost.

    Args:
        solver: The solver; it need not be registered, the problems it takes must be.
        instances: What to solve; two generated instances of each problem that the solver takes by default.
        time_limit: Seconds for each solve.

    Raises:
        AssertionError: If something is wrong.
    """
    _check_solver_metadata(solver)
    for instance in _instances_for(solver) if instances is None else instances:
        problem = registry.problem(instance.problem)
        enumerated = members_of(problem, instance) is not None
        optimum = brute_force(problem, instance) if enumerated else None
        try:
            answer = _check_run(solver, instance, time_limit, None)
        except SolverError:
            if solver.role != "sampler":
                raise
            continue  # too large for it
        if enumerated:
            _check_optimum(solver, instance, answer, optimum)
        if optimum is not None:
            for seconds in (time_limit, 0.01):
                answer = _check_run(solver, instance, seconds, optimum[0])
                found = None if answer.solution is None else problem.objective(instance, answer.solution)
                require(
                    found is not None and agrees(found, optimum[1]),
                    f"{_run_name(solver, instance)}: an optimal start of {optimum[1]} became {found}",
                )


def _run_name(solver: Solver, instance: Instance) -> str:
    return f"solver {solver.name!r} on {instance.name}"


def _instances_for(solver: Solver) -> list[Instance]:
    problems = registry.problems()
    taken = [one for name, one in problems.items() if solver.problems is None or name in solver.problems]
    return [
        instance
        for one in taken
        if one.distributions
        for size in ((1, 4) if solver.role == "sampler" else (1, 6))
        for instance in one.generate(size, seed=7)
    ]


def _check_solver_metadata(solver: Solver) -> None:
    who = f"solver {solver.name!r}"
    require(isinstance(solver.name, str) and bool(solver.name), f"{who}: expected a name")
    require(
        "+" not in solver.name or solver.role == "portfolio", f"{who}: '+' joins methods and cannot be in a name"
    )
    require(solver.role in get_args(Role), f"{who}: role is {solver.role!r}, expected one of {get_args(Role)}")
    require(bool(solver.summary) and "\n" not in solver.summary, f"{who}: expected a summary of one line")
    require(solver.problems is None or isinstance(solver.problems, frozenset), f"{who}: problems is no frozenset")


def _check_run(solver: Solver, instance: Instance, time_limit: float, start: NDArray | None) -> Answer:
    """One solve, and everything about its answer that holds whatever the optimum is."""
    who = _run_name(solver, instance)
    problem = registry.problem(instance.problem)
    sense = problem.sense_of(instance)
    monitor = Monitor(minimize=sense == "minimize", time_limit=time_limit)
    began = time.perf_counter()
    given = None if start is None else start.copy()
    answer = solver.solve(instance, options=Options(time_limit=time_limit), monitor=monitor, start=given)
    seconds = time.perf_counter() - began
    require(seconds <= time_limit + COMPILE_SECONDS, f"{who}: {seconds:.1f} s with a limit of {time_limit} s")
    require(
        start is None or given is None or np.array_equal(start, given), f"{who}: it writes to the start solution"
    )
    require(answer.status in get_args(Claim), f"{who}: its status is {answer.status!r}")
    _check_history(who, sense, monitor.history)
    require_json(f"{who}: details", dict(answer.details))
    if answer.solution is not None:
        check = verify(instance, answer.solution, claimed=answer.objective, bound=answer.bound)
        require(check.ok, f"{who}: its answer is refused: {check}")
    if answer.status == "optimal":
        proven = (
            answer.objective is not None and answer.bound is not None and agrees(answer.objective, answer.bound)
        )
        require(proven, f"{who}: claims an optimum of {answer.objective} with the bound {answer.bound}")
    return answer


def _check_history(who: str, sense: str, history: list[Event]) -> None:
    """Time goes on, objectives improve, bounds tighten."""
    sign = 1 if sense == "minimize" else -1
    for before, after in itertools.pairwise(history):
        require(before.time <= after.time, f"{who}: an event at {after.time} follows one at {before.time}")
        if before.objective is not None:
            better = after.objective is not None and sign * after.objective <= sign * before.objective
            require(better, f"{who}: the incumbent {before.objective} became {after.objective}")
        if before.bound is not None:
            tighter = after.bound is not None and sign * after.bound >= sign * before.bound
            require(tighter, f"{who}: the bound {before.bound} became {after.bound}")


def _check_optimum(
    solver: Solver, instance: Instance, answer: Answer, best: tuple[NDArray, Number] | None
) -> None:
    """The answer against what enumeration found."""
    who = _run_name(solver, instance)
    problem = registry.problem(instance.problem)
    if best is None:
        expected = ("infeasible",) if solver.role == "exact" else ("infeasible", "unknown")
        require(answer.solution is None, f"{who}: it finds a solution of an infeasible instance")
        require(answer.status in expected, f"{who}: the instance is infeasible, the solver says {answer.status}")
        return
    if answer.solution is None and solver.role == "sampler":
        require(answer.status == "unknown", f"{who}: it finds no solution and says {answer.status}")
        return
    require(answer.solution is not None, f"{who}: it finds no solution ({answer.status})")
    assert answer.solution is not None
    found, sense = problem.objective(instance, answer.solution), problem.sense_of(instance)
    if answer.bound is not None:
        require(
            no_better(answer.bound, best[1], sense),
            f"{who}: its bound {answer.bound} excludes the optimum {best[1]}",
        )
    if solver.role == "exact":
        require(agrees(found, best[1]), f"{who}: it finds {found}, the optimum is {best[1]}")
        require(answer.status == "optimal", f"{who}: it ends with {answer.status}, expected a proof")
