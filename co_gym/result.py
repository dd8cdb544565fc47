"""The one result that every solver's answer becomes, after the verifier has seen it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

from co_gym import registry
from co_gym.exact import Number
from co_gym.instance import Instance
from co_gym.solvers.base import Event
from co_gym.verifier import Check

Status = Literal["optimal", "feasible", "infeasible", "unbounded", "unknown", "rejected"]


def relative_gap(objective: Number, reference: Number) -> float:
    """|objective - reference| / max(|reference|, 1e-9); 0 where both are equal."""
    return 0.0 if objective == reference else abs(objective - reference) / max(abs(reference), 1e-9)


@dataclass(frozen=True, eq=False)
class Result:
    """A verified answer.

    Attributes:
        instance: What was solved.
        method: The solver's name.
        status: `optimal` (feasible, and the bound proves it), `feasible`, `infeasible` or `unbounded` (proven by
            an exact solver), `unknown` (no solution within the limits) or `rejected` (the verifier refused it).
        solution: In the problem's own form, None if there is none.
        bound: Bound on the optimum that the solver proved, None if it proved none.
        runtime: Seconds of wall-clock time.
        check: The verifier's finding, None without a solution.
        history: Incumbents and bounds over time.
        details: The solver's figures.
        interrupted: Whether Ctrl-C ended the run.
        seed: Seed of the run.
    """

    instance: Instance
    method: str
    status: Status
    solution: NDArray | None
    bound: Number | None
    runtime: float
    check: Check | None
    history: tuple[Event, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    interrupted: bool = False
    seed: int = 0

    @property
    def objective(self) -> Number | None:
        """Objective as the verifier recomputed it; None without a solution of the right kind."""
        return None if self.check is None else self.check.objective

    @property
    def feasible(self) -> bool:
        """Whether the verifier found the solution feasible."""
        return self.check is not None and self.check.feasible

    @property
    def gap(self) -> float | None:
        """Relative gap between objective and bound; None if either is missing."""
        if self.objective is None or self.bound is None or not self.feasible:
            return None
        return relative_gap(self.objective, self.bound)

    @property
    def reference_gap(self) -> float | None:
        """Relative gap to the best known objective of the instance; None if either is missing."""
        if self.objective is None or self.instance.reference is None or not self.feasible:
            return None
        return relative_gap(self.objective, self.instance.reference)

    def to_json(self) -> dict[str, Any]:
        """The result as plain JSON, with the keys that `co-gym solve --json` prints."""
        problem = registry.problem(self.instance.problem)
        details = dict(self.details) | {"seed": self.seed}
        if self.check is not None and not self.check.ok:
            details |= {"violations": list(self.check.violations), "claim_error": self.check.claim_error}
        if self.instance.reference is not None:
            details |= {"reference": self.instance.reference}
        solution = self.solution if self.check is not None and self.check.objective is not None else None
        return {
            "instance": self.instance.name,
            "problem": self.instance.problem,
            "method": self.method,
            "status": self.status,
            "objective": _finite(self.objective),
            "bound": _finite(self.bound),
            "gap": _finite(self.gap),
            "feasible": self.feasible,
            "runtime_seconds": round(self.runtime, 4),
            "solution": None if solution is None else problem.solution_to_json(self.instance, solution),
            "details": details,
        }


def _finite(value: Number | None) -> Number | None:
    return value if value is not None and math.isfinite(value) else None
