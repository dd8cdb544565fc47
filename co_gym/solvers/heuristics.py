"""Local searches and constructions as solvers: the part that they all share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from co_gym import registry
from co_gym.errors import SolverError
from co_gym.instance import Instance
from co_gym.solvers.base import Answer, Monitor, Options, Role
from co_gym.solvers.kernels.driver import Search, improve


class LocalSearch:
    """Runs a search kernel until the time is up or nothing is left to improve.

    Args:
        problems: Names of the problems it takes.
        summary: One line with the source of the method.
        make: Makes the search from an instance, a seed and a start solution or None; may raise ValueError for
            data that the kernel cannot represent.
        name: The method's name.
    """

    role: Role = "local-search"

    def __init__(
        self,
        problems: set[str],
        summary: str,
        make: Callable[[Instance, int, NDArray | None], Search],
        name: str = "local-search",
    ) -> None:
        self.name, self.problems, self.summary = name, frozenset(problems), summary
        self._make = make

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`."""
        try:
            search = self._make(instance, options.seed, start)
        except ValueError as error:
            raise SolverError(f"{instance.name}: {self.name} cannot search this instance: {error}") from error

        def report(solution: ArrayLike, value: int | float) -> None:
            monitor.incumbent(np.asarray(solution).astype(np.int64), value)

        report(search.best, search.best_value)
        if search.run(1):  # at least one step, even if compiling the kernel has used up a short limit
            report(search.best, search.best_value)
        monitor.forgive()
        iterations = improve(search, deadline=lambda: monitor.remaining, on_improvement=report)
        return Answer(
            "feasible",
            solution=np.asarray(search.best).astype(np.int64),
            objective=search.best_value,
            details={"iterations": iterations},
        )


class Construction:
    """Builds one solution.

    Args:
        problems: Names of the problems it takes.
        summary: One line with the source of the method.
        build: From an instance to a feasible solution.
        name: The method's name.
    """

    role: Role = "baseline"

    def __init__(
        self, problems: set[str], summary: str, build: Callable[[Instance], NDArray], name: str = "greedy"
    ) -> None:
        self.name, self.problems, self.summary = name, frozenset(problems), summary
        self._build = build

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`; a start solution is kept if it is the better one."""
        problem = registry.problem(instance.problem)
        for solution in (self._build(instance).astype(np.int64), start):
            if solution is not None:
                monitor.incumbent(solution, problem.objective(instance, solution))
        return Answer("feasible", solution=monitor.solution, objective=monitor.objective)
