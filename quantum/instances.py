"""From an instance of a problem to a program in bits, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from co_gym import registry
from co_gym.errors import SolverError
from co_gym.exact import Number
from co_gym.formulation import Formulation
from co_gym.instance import Instance
from quantum.programs import BinaryProgram, binary_program


@dataclass(frozen=True, eq=False)
class Subject:
    """An instance as quantum methods see it.

    Attributes:
        instance: What is solved.
        form: Name of its formulation.
        formulation: The formulation.
        program: The formulation in bits, without those that are fixed.
    """

    instance: Instance
    form: str
    formulation: Formulation
    program: BinaryProgram

    def solution(self, x: NDArray) -> NDArray:
        """Bits [n] in the problem's own form."""
        return self.formulation.decode(self.program.lift(x))

    def objective(self, x: NDArray) -> Number:
        """The problem's own objective of feasible bits [n]."""
        problem = registry.problem(self.instance.problem)
        solution = problem.domain(self.instance).cast(self.solution(x))
        return problem.objective(self.instance, solution)


def subject(instance: Instance, form: str | None = None) -> Subject:
    """An instance in bits.

    Args:
        instance: What is to be solved.
        form: Name of a formulation; by default the first one of the problem that fits.

    Raises:
        InputError: If the problem has no such formulation.
        SolverError: If no formulation can be written in bits.
    """
    problem = registry.problem(instance.problem)
    forms = problem.forms if form is None else (problem.form(form),)
    reasons = []
    for name in forms:
        try:
            formulation = problem.formulate(instance, name)
            return Subject(instance, name, formulation, binary_program(formulation.program))
        except SolverError as error:
            reasons.append(f"{name}: {error}")
    raise SolverError(f"{instance.name} does not fit qubits ({'; '.join(reasons)})")


def worst_value(program: BinaryProgram) -> float:
    """An upper bound on the objective of all bit strings, prices of missed sides included."""
    value = program.offset + float(np.maximum(program.c, 0.0).sum() + np.maximum(program.Q.data, 0.0).sum())
    high = np.asarray(program.A.maximum(0.0).sum(axis=1)).ravel()
    low = np.asarray(program.A.minimum(0.0).sum(axis=1)).ravel()
    for price, miss in ((program.shortfall, program.lower - low), (program.surplus, high - program.upper)):
        soft = np.isfinite(price) & np.isfinite(miss)
        value += float(price[soft] @ np.maximum(miss[soft], 0.0))
    return value
