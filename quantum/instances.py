"""From an instance of a problem to a program in bits, and back."""

from __future__ import annotations

from dataclasses import dataclass

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
