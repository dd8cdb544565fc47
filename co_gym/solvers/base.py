"""What a solver is, what it is given and what it returns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from co_gym.errors import InputError
from co_gym.exact import Number
from co_gym.instance import Instance

Role = Literal["baseline", "local-search", "exact", "portfolio", "sampler"]
"""Baselines are quick, local search improves until time is up, exact solvers also prove a bound, portfolios are
made of others, and samplers draw solutions, of which none may be feasible."""

Claim = Literal["optimal", "feasible", "infeasible", "unbounded", "unknown"]


@dataclass(frozen=True)
class Options:
    """Limits and seed of one solve.

    Attributes:
        time_limit: Seconds of wall-clock time.
        node_limit: Branch-and-bound nodes, for exact solvers.
        memory_limit: Megabytes, for exact solvers.
        seed: Seed of everything random, 0 or above.
        settings: What particular solvers take besides, by name; see `Solver.settings`.

    Raises:
        InputError: If a limit is not positive or the seed is negative.
    """

    time_limit: float = 60.0
    node_limit: int | None = None
    memory_limit: float | None = None
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("time_limit", "node_limit", "memory_limit"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name} is {value}: expected a positive number")
        if not 0 <= self.seed < 2**31:
            raise InputError(f"seed is {self.seed}: expected 0 to 2^31 - 1")


@dataclass(frozen=True)
class Event:
    """A new incumbent or a new bound.

    Attributes:
        time: Seconds since the start of the solve.
        objective: The incumbent's objective at that time, None if there is none yet.
        bound: The bound at that time, None if there is none yet.
    """

    time: float
    objective: Number | None
    bound: Number | None


@dataclass(frozen=True)
class Answer:
    """What a solver returns; the verifier decides what it is worth.

    Attributes:
        status: The solver's claim. `optimal` needs a `bound` that equals the objective.
        solution: In the problem's own form, None if none was found.
        objective: The solver's own objective, compared with the recomputed one; None to claim nothing.
        bound: Proven bound on the optimum of the instance, None if none was proven.
        interrupted: Whether Ctrl-C ended the solve.
        details: Figures of the solver (nodes, cuts, iterations); plain JSON.
    """

    status: Claim
    solution: NDArray | None = None
    objective: Number | None = None
    bound: Number | None = None
    interrupted: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


class Monitor:
    """The clock of a solve and the keeper of what was found, so that an interruption loses nothing.

    Args:
        minimize: Direction of improvement.
        time_limit: Seconds until `remaining` is 0.
        on_event: Called with each new `Event`.
    """

    def __init__(
        self, *, minimize: bool, time_limit: float, on_event: Callable[[Event], None] | None = None
    ) -> None:
        self.minimize = minimize
        self.time_limit = time_limit
        self.solution: NDArray | None = None
        self.objective: Number | None = None
        self.bound: Number | None = None
        self.history: list[Event] = []
        self._on_event = on_event
        self._parent: Monitor | None = None
        self._start = time.perf_counter()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.time_limit - self.elapsed)

    def incumbent(self, solution: NDArray, objective: Number) -> None:
        """Reports a feasible solution; one that is no improvement is ignored."""
        if self.objective is None or (objective < self.objective if self.minimize else objective > self.objective):
            self.solution, self.objective = solution.copy(), objective
            self._record()
            if self._parent is not None:
                self._parent.incumbent(solution, objective)

    def prove(self, bound: Number) -> None:
        """Reports a proven bound; one that is no improvement is ignored."""
        if self.bound is None or (bound > self.bound if self.minimize else bound < self.bound):
            self.bound = bound
            self._record()
            if self._parent is not None:
                self._parent.prove(bound)

    def stage(self, time_limit: float) -> Monitor:
        """A monitor for a part of this solve, which passes on what is reported to it."""
        part = Monitor(minimize=self.minimize, time_limit=min(time_limit, self.remaining))
        part._parent = self
        return part

    def forgive(self) -> None:
        """Does not count the time until now, as far as the enclosing solve's limit allows.

        For what happens once, such as loading compiled kernels; the limit of a whole solve always counts in full.
        """
        if self._parent is not None:
            self.time_limit = self.elapsed + min(self.time_limit, self._parent.remaining)

    def _record(self) -> None:
        event = Event(self.elapsed, self.objective, self.bound)
        self.history.append(event)
        if self._on_event is not None:
            self._on_event(event)


class Solver(Protocol):
    """Finds solutions of instances. Registered by one line in the entry-point group `co_gym.solvers`.

    Attributes:
        name: The method's name; solvers of different problems may share one.
        role: What it is for; `auto` runs a local search and then an exact solver.
        problems: Names of the problems it takes, None for every problem through its formulation.
        summary: One line with the source of the method.

    Two further attributes are optional. `settings`, a mapping from keys of `Options.settings` to `Setting`: what
    it takes beside the common options. `preference`, an integer, 0 where there is none: of several solvers of a
    role, the one of highest preference stands for it.
    """

    name: str
    role: Role
    problems: frozenset[str] | None
    summary: str

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """Solves within `monitor.remaining` seconds; reports incumbents and bounds to `monitor` on the way.

        Args:
            instance: What to solve.
            options: Limits and seed; time is the monitor's.
            monitor: Clock and keeper.
            start: A feasible solution to begin with.

        Raises:
            SolverError: If the instance is beyond the solver.
        """


def preference_of(solver: Solver) -> int:
    """Which of several solvers stands for their role: the one with the highest."""
    return getattr(solver, "preference", 0)
