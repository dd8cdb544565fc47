"""Methods made of other methods: `auto`, and stages joined by `+`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from numpy.typing import NDArray

from co_gym import registry
from co_gym.errors import InputError, SolverError
from co_gym.instance import Instance
from co_gym.solvers.base import Answer, Monitor, Options, Role, Solver
from co_gym.solvers.settings import Setting, settings_of


class Chain:
    """Runs solvers one after the other, each from the best solution of those before.

    Every stage but the last gets a tenth of the time limit, less on small instances (10 ms for each unit of
    size, at least 0.2 s), since a proof of optimality is what takes long.

    A stage that cannot handle the instance is skipped, unless it is the last one.

    Args:
        stages: At least one solver.
    """

    role: Role = "portfolio"
    problems: frozenset[str] | None = None

    def __init__(self, stages: Sequence[Solver]) -> None:
        self.stages = tuple(stages)
        self.name = "+".join(stage.name for stage in stages)
        self.summary = " then ".join(stage.summary for stage in stages)
        self.settings: dict[str, Setting] = {}
        for stage in stages:
            self.settings |= settings_of(stage)

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`; the bound is that of the stage that proved the best one."""
        size = registry.problem(instance.problem).size(instance)
        details: dict[str, object] = {}
        answer = Answer("unknown")
        for position, stage in enumerate(self.stages, start=1):
            last = position == len(self.stages)
            seconds = monitor.remaining if last else min(0.1 * options.time_limit, max(0.2, 0.01 * size))
            try:
                answer = stage.solve(instance, options=options, monitor=monitor.stage(seconds), start=start)
            except SolverError as error:
                if last:
                    raise
                details[stage.name] = {"skipped": str(error)}
                continue
            details[stage.name] = dict(answer.details) | {"seconds": round(monitor.elapsed, 4)}
            if answer.solution is not None and answer.objective is not None:
                monitor.incumbent(answer.solution, answer.objective)
            start = start if monitor.solution is None else monitor.solution
            if answer.interrupted or answer.status in ("infeasible", "unbounded", "optimal"):
                break
        if monitor.solution is not None and answer.objective != monitor.objective:
            answer = replace(answer, solution=monitor.solution, objective=monitor.objective)
        return replace(answer, bound=monitor.bound if answer.bound is None else answer.bound, details=details)


def find_method(method: str, problem_name: str) -> Solver:
    """The solver that a method's name stands for; see `co_gym.solve`.

    Raises:
        InputError: If it is unknown, empty, or does not take the problem.
    """
    if method == "auto":
        return _auto(problem_name)
    parts = method.split("+")
    if len(parts) == 1:
        return registry.solver(method, problem_name)
    return Chain([registry.solver(part, problem_name) for part in parts])


def _auto(problem_name: str) -> Solver:
    able = registry.solvers_for(problem_name)
    stages = [next((s for s in able if s.role == role), None) for role in ("local-search", "exact")]
    found = [stage for stage in stages if stage is not None]
    if not found:
        raise InputError(f"no registered solver takes {problem_name}")
    return found[0] if len(found) == 1 else Chain(found)
