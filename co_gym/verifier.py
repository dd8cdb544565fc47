"""The one judge of every answer: it recomputes feasibility and objective and trusts no solver."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from co_gym import registry
from co_gym.exact import Number, plain
from co_gym.instance import Instance
from co_gym.problems.base import Problem

OBJECTIVE_TOLERANCE = 1e-6
"""Largest difference, relative to max(1, |objective|), between two float objectives that agree."""


@dataclass(frozen=True)
class Check:
    """What the verifier found.

    Attributes:
        feasible: Whether the solution satisfies everything.
        objective: The recomputed objective; None if the solution is not even of the right kind.
        violations: Every violated requirement, in words.
        claim_error: Why the solver's own objective or bound cannot be right; None if they agree.
    """

    feasible: bool
    objective: Number | None
    violations: tuple[str, ...] = ()
    claim_error: str | None = None

    @property
    def ok(self) -> bool:
        """Feasible, and consistent with what the solver claimed."""
        return self.feasible and self.claim_error is None


def verify(
    instance: Instance,
    solution: ArrayLike,
    *,
    claimed: Number | None = None,
    bound: Number | None = None,
    problem: Problem | None = None,
) -> Check:
    """Checks a solution against the instance alone.

    Args:
        instance: What was to be solved.
        solution: The candidate, in the problem's own form (see its class).
        claimed: Objective that the solver states, compared with the recomputed one.
        bound: Bound that the solver states; a solution better than it refutes it.
        problem: The problem, if it is not registered.
    """
    problem = problem or registry.problem(instance.problem)
    try:
        candidate = np.asarray(solution)
    except ValueError:
        return Check(False, None, ("solution is ragged: expected one array of numbers",))
    domain = problem.domain(instance)
    violations = domain.violations(candidate)
    if violations:
        return Check(False, None, tuple(violations))
    member = domain.cast(candidate)
    objective = problem.objective(instance, member)
    violations = problem.violations(instance, member)
    feasible = not violations
    errors = [
        _claim_error(objective, claimed),
        _bound_error(problem, instance, objective, bound) if feasible else None,
    ]
    return Check(feasible, objective, tuple(violations), "; ".join(filter(None, errors)) or None)


def agrees(a: Number, b: Number) -> bool:
    """Whether two objectives are equal: exactly for two ints, else to within the tolerance; NaN equals nothing."""
    a, b = plain(a), plain(b)
    if (isinstance(a, int) and isinstance(b, int)) or not (math.isfinite(a) and math.isfinite(b)):
        return a == b
    return abs(a - b) <= OBJECTIVE_TOLERANCE * max(1.0, abs(a), abs(b))


def _claim_error(objective: Number, claimed: Number | None) -> str | None:
    if claimed is None or agrees(objective, claimed):
        return None
    return f"the solver claims objective {claimed}, the solution has {objective}"


def _bound_error(problem: Problem, instance: Instance, objective: Number, bound: Number | None) -> str | None:
    if bound is None or agrees(objective, bound):
        return None
    if math.isnan(bound):
        return f"the solver claims the bound {bound}: expected a number"
    minimizing = problem.sense_of(instance) == "minimize"
    if (objective < bound) != minimizing:
        return None
    return f"the solver claims the bound {bound}, the solution has the better objective {objective}"
