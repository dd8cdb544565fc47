"""What a MIP solver finds, in terms of the problem that was formulated."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from co_gym import registry
from co_gym.exact import Number
from co_gym.formulation import MixedIntegerProgram
from co_gym.instance import Instance
from co_gym.solvers.base import Monitor


class Reporter:
    """Passes a solver's incumbents and bounds on to a monitor.

    Args:
        instance: What is solved, through its problem's default formulation.
        monitor: Who is told.
    """

    def __init__(self, instance: Instance, monitor: Monitor) -> None:
        self.problem, self.instance, self.monitor = registry.problem(instance.problem), instance, monitor
        self.formulation = self.problem.formulate(instance)
        self.program = self.formulation.program
        self._rounds = objective_is_integral(self.program)

    def solution(self, values: NDArray) -> NDArray:
        """Values [n] of the program's variables in the problem's own form."""
        return self.formulation.decode(settle(self.program, values))

    def bound(self, value: float) -> Number | None:
        """A dual bound; rounded in the direction of the optimum where all objectives are integers."""
        if not math.isfinite(value) or abs(value) >= 1e20:
            return None
        if not self._rounds:
            return value
        slack = max(1e-6, 1e-9 * abs(value))
        return math.ceil(value - slack) if self.program.sense == "minimize" else math.floor(value + slack)

    def incumbent(self, values: NDArray) -> None:
        """Reports values [n] of the program's variables, with the problem's own objective."""
        solution, domain = self.solution(values), self.problem.domain(self.instance)
        if not domain.violations(solution):
            self.monitor.incumbent(solution, self.problem.objective(self.instance, domain.cast(solution)))

    def prove(self, value: float) -> None:
        """Reports a dual bound."""
        bound = self.bound(value)
        if bound is not None:
            self.monitor.prove(bound)


def objective_is_integral(program: MixedIntegerProgram) -> bool:
    """Whether every feasible point has an integer objective."""
    used = program.c != 0
    coefficients = np.append(program.c[used], program.offset)
    return bool(program.integer[used].all() and (coefficients == np.round(coefficients)).all())


def settle(program: MixedIntegerProgram, values: NDArray) -> NDArray:
    """Values with whole integers; where rounding breaks a row, continuous variables are solved for again.

    A solver accepts integers to within 1e-6 and rows to within its own tolerance; an exact reader does not.
    """
    rounded = np.where(program.integer, np.round(values), values)
    rounded = np.clip(rounded, program.lower, program.upper)
    if program.integer.all() or not program.row_violations(rounded, 0.5e-6).any():
        return rounded
    from co_gym.relaxation import solve_relaxation

    fixed = replace(
        program,
        lower=np.where(program.integer, rounded, program.lower),
        upper=np.where(program.integer, rounded, program.upper),
    )
    relaxation = solve_relaxation(fixed, time_limit=10.0)
    return rounded if relaxation.x is None else np.where(program.integer, rounded, relaxation.x)
