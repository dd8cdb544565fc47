"""Any mixed-integer linear program."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.domains import Box
from co_gym.errors import InputError
from co_gym.exact import Number, dot, is_integral, to_integers
from co_gym.formulation import FEASIBILITY_TOLERANCE, Formulation, MixedIntegerProgram
from co_gym.instance import Instance, Key
from co_gym.problems.base import Problem, Sense


class MIP(Problem):
    """Minimize a linear objective over linear rows, bounds and integrality.

    Instance: `objective` [n], `offset` [], the rows as CSR (`indptr` [m + 1], `indices` [nnz], `values` [nnz])
    with `row_lower` [m] and `row_upper` [m], the columns' `lower` [n], `upper` [n] and `integer` [n] bool, and
    optionally `variable_names` [n], `row_names` [m] and `maximize` []: a program that maximizes keeps its own
    objective, and `sense_of` tells its direction.
    Solution: float64 [n]. Objective: in the model's own sense and units.
    Constraints: rows of integral data in integer variables hold exactly, all others to within 1e-6 relative.
    """

    name = "mip"
    sense: ClassVar[Sense] = "minimize"
    keys = (
        Key("objective", ("n",), "objective coefficients"),
        Key("offset", (), "objective constant"),
        Key("indptr", ("m+1",), "CSR row pointers", kind="integer", minimum=0),
        Key("indices", ("nnz",), "CSR column indices", kind="integer", minimum=0),
        Key("values", ("nnz",), "CSR coefficients"),
        Key("row_lower", ("m",), "left-hand sides", kind="real", infinite=True),
        Key("row_upper", ("m",), "right-hand sides", kind="real", infinite=True),
        Key("lower", ("n",), "lower bounds", kind="real", infinite=True),
        Key("upper", ("n",), "upper bounds", kind="real", infinite=True),
        Key("integer", ("n",), "whether a variable is integer", kind="bool"),
        Key("maximize", (), "whether the objective is maximized", kind="bool", optional=True),
        Key("variable_names", ("n",), "names of the columns", kind="text", optional=True),
        Key("row_names", ("m",), "names of the rows", kind="text", optional=True),
    )

    def validate(self, instance: Instance) -> None:
        """The CSR arrays fit together, and bounds are in order."""
        indptr, indices = instance["indptr"], instance["indices"]
        m, n = instance["row_lower"].shape[0], self.size(instance)
        in_order = indptr.shape == (m + 1,) and indptr[0] == 0 and (np.diff(indptr) >= 0).all()
        if not in_order or indptr[-1] != indices.size or (indices.size and indices.max() >= n):
            raise InputError("indptr and indices do not describe a CSR matrix of the declared shape")
        self.program(instance)

    def program(self, instance: Instance) -> MixedIntegerProgram:
        """The arrays of an instance as a program; built once."""
        if "program" not in instance.cache:
            instance.cache["program"] = self._build(instance)
        program: MixedIntegerProgram = instance.cache["program"]
        return program

    def _build(self, instance: Instance) -> MixedIntegerProgram:
        shape = (instance["row_lower"].shape[0], instance["objective"].shape[0])
        csr = (instance["values"].astype(np.float64), instance["indices"], instance["indptr"])
        A = sparse.csr_matrix(csr, shape=shape, copy=True)
        A.sum_duplicates()
        names = [tuple(instance[k].tolist()) if k in instance else None for k in ("variable_names", "row_names")]
        return MixedIntegerProgram(
            sense=self.sense_of(instance),
            c=instance["objective"].astype(np.float64),
            A=A,
            row_lower=instance["row_lower"],
            row_upper=instance["row_upper"],
            lower=instance["lower"],
            upper=instance["upper"],
            integer=instance["integer"],
            offset=float(instance["offset"]),
            variable_names=names[0],
            row_names=names[1],
            name=instance.name,
        )

    def from_program(self, program: MixedIntegerProgram, **named: Any) -> Instance:
        """An instance from a program; `named` goes to `Problem.instance`.

        Raises:
            InputError: If the objective is quadratic.
        """
        if program.Q is not None:
            raise InputError("the objective is quadratic: expected a linear one")
        data: dict[str, Any] = {
            "objective": program.c,
            "offset": program.offset,
            "indptr": program.A.indptr,
            "indices": program.A.indices,
            "values": program.A.data,
            "row_lower": program.row_lower,
            "row_upper": program.row_upper,
            "lower": program.lower,
            "upper": program.upper,
            "integer": program.integer,
            "maximize": program.sense == "maximize",
        }
        for key, names in (("variable_names", program.variable_names), ("row_names", program.row_names)):
            if names is not None:
                data[key] = np.array(names, dtype=np.str_)
        return self.instance(data, **named)

    def sense_of(self, instance: Instance) -> Sense:
        """The model's own sense."""
        return "maximize" if "maximize" in instance and bool(instance["maximize"]) else "minimize"

    def size(self, instance: Instance) -> int:
        """Number of variables."""
        return int(instance["objective"].shape[0])

    def domain(self, instance: Instance) -> Box:
        """Bounds and integrality."""
        return self.program(instance).domain()

    def objective(self, instance: Instance, solution: NDArray) -> Number:
        """Objective value; an int if coefficients, offset and the values they meet are integral."""
        used = instance["objective"] != 0
        value = dot(instance["objective"][used], to_integers(solution[used]))
        return value + instance["offset"].item()

    def violations(self, instance: Instance, solution: NDArray) -> list[str]:
        """The rows that do not hold."""
        program = self.program(instance)
        candidates = self._suspicious_rows(program, solution)
        return [text for row in candidates if (text := self._row_violation(program, int(row), solution))]

    def _suspicious_rows(self, program: MixedIntegerProgram, x: NDArray) -> NDArray:
        """Rows whose float activity is not clearly inside its sides; each is then looked at exactly."""
        activity = program.A @ x
        size = np.maximum(1.0, abs(program.A) @ np.abs(x)) * 1e-9
        return np.flatnonzero((activity < program.row_lower + size) | (activity > program.row_upper - size))

    def _row_violation(self, program: MixedIntegerProgram, row: int, x: NDArray) -> str | None:
        span = slice(program.A.indptr[row], program.A.indptr[row + 1])
        columns, coefficients = program.A.indices[span], to_integers(program.A.data[span])
        exact = is_integral(coefficients) and bool(program.integer[columns].all())
        activity = dot(coefficients, to_integers(x[columns]) if exact else x[columns])
        for side, sign, relation in (
            (float(program.row_lower[row]), 1, "<"),
            (float(program.row_upper[row]), -1, ">"),
        ):
            if np.isinf(side):
                continue
            tolerance = 0.0 if exact else FEASIBILITY_TOLERANCE * max(1.0, abs(side))
            limit: Number = int(side) if exact and side.is_integer() else side
            if sign * (limit - activity) > tolerance:
                return f"row {program.row_name(row)}: {_shown(activity)} {relation} {_shown(limit)}"
        return None

    def formulate(self, instance: Instance, form: str | None = None) -> Formulation:
        """The program itself."""
        self.form(form)
        return Formulation(self.program(instance), lambda s: s, lambda values: values)

    def solution_to_json(self, instance: Instance, solution: NDArray) -> dict[str, float]:
        """Values by variable name; zeros are left out."""
        program = self.program(instance)
        return {program.variable_name(int(i)): float(solution[i]) for i in np.flatnonzero(solution)}


def _shown(value: Number) -> str:
    return str(value) if isinstance(value, int) else f"{value:.12g}"
