"""From an instance and the name of a method to a verified result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from numpy.typing import NDArray

from co_gym import registry
from co_gym.errors import CoGymError, InputError, SolverError
from co_gym.exact import plain
from co_gym.instance import Instance
from co_gym.result import Result, Status
from co_gym.solvers.base import Answer, Event, Monitor, Options
from co_gym.solvers.portfolio import find_method
from co_gym.solvers.settings import checked
from co_gym.verifier import Check, agrees, verify


def solve(
    instance: Instance,
    method: str = "auto",
    *,
    options: Options | None = None,
    start: NDArray | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Result:
    """Solves an instance and has the answer verified.

    Args:
        instance: What to solve, from `co_gym.read` or `Problem.generate`.
        method: A solver's name (`co-gym solvers` lists them), a role (`local-search`, `exact`), `auto` (local
            search, then an exact solver), or several joined by `+`, each starting from what the one before found.
        options: Limits and seed.
        start: A feasible solution to begin with.
        on_event: Called with each new incumbent or bound.

    Raises:
        InputError: If the method is unknown or does not take the problem or a setting, or `start` is infeasible.
        SolverError: If the solver fails before it has found anything.
    """
    options = options or Options()
    problem = registry.problem(instance.problem)
    solver = find_method(method, problem.name)
    options = replace(options, settings=checked(solver, options.settings))
    if start is not None:
        check = verify(instance, start, problem=problem)
        if not check.feasible:
            raise InputError(f"the start solution is infeasible: {check.violations[0]}")
    monitor = Monitor(
        minimize=problem.sense_of(instance) == "minimize", time_limit=options.time_limit, on_event=on_event
    )
    answer = _guarded(lambda: solver.solve(instance, options=options, monitor=monitor, start=start), monitor)
    return _judge(instance, solver.name, answer, monitor, options)


def _guarded(run: Callable[[], Answer], monitor: Monitor) -> Answer:
    """What `run` returns; after Ctrl-C or a failure, what it had reported until then."""
    try:
        return run()
    except KeyboardInterrupt:
        return Answer("unknown", interrupted=True)
    except Exception as error:
        if monitor.solution is None:
            if isinstance(error, CoGymError):
                raise
            raise SolverError(f"{type(error).__name__}: {error}") from error
        return Answer("unknown", details={"error": f"{type(error).__name__}: {error}"})


def _judge(instance: Instance, method: str, answer: Answer, monitor: Monitor, options: Options) -> Result:
    runtime = monitor.elapsed
    solution, claimed = answer.solution, answer.objective
    if solution is None:
        solution, claimed = monitor.solution, monitor.objective
    if answer.status == "unbounded":
        solution = None  # any feasible point is as good as nothing
    if answer.bound is not None:
        monitor.prove(answer.bound)
    bound = answer.bound if answer.bound is not None else monitor.bound
    bound = None if bound is None else plain(bound)
    check = None if solution is None else verify(instance, solution, claimed=claimed, bound=bound)
    if solution is not None and check is not None and check.feasible and check.objective is not None:
        monitor.incumbent(solution, check.objective)  # the history ends with what is returned
    return Result(
        instance=instance,
        method=method,
        status=_status(answer, check, bound),
        solution=solution,
        bound=bound,
        runtime=runtime,
        check=check,
        history=tuple(monitor.history),
        details=answer.details,
        interrupted=answer.interrupted,
        seed=options.seed,
    )


def _status(answer: Answer, check: Check | None, bound: float | None) -> Status:
    if check is None:
        return answer.status if answer.status in ("infeasible", "unbounded") else "unknown"
    if not check.feasible:
        return "rejected"
    if bound is None or check.objective is None or check.claim_error is not None:
        return "feasible"
    proven = answer.status == "optimal" and agrees(check.objective, bound)
    return "optimal" if proven or check.objective == bound else "feasible"
