"""A SCIP model from a mixed-integer program, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.errors import SolverError
from co_gym.formulation import MixedIntegerProgram
from milp.rows import linear_rows


def build_model(program: MixedIntegerProgram) -> tuple[Any, list[Any]]:
    """A PySCIPOpt model that prints nothing, and its variables in the order of the program's columns.

    Args:
        program: A program without a quadratic objective.

    Raises:
        SolverError: If the objective is quadratic.
    """
    from pyscipopt import Model

    if program.Q is not None:
        raise SolverError("the objective is quadratic: SCIP is given linear formulations only")
    model = Model(program.name or "program")
    model.hideOutput()
    variables = [
        model.addVar(
            name=program.variable_name(j),
            vtype="I" if program.integer[j] else "C",
            lb=float(program.lower[j]) if np.isfinite(program.lower[j]) else None,
            ub=float(program.upper[j]) if np.isfinite(program.upper[j]) else None,
            obj=float(program.c[j]),
        )
        for j in range(program.num_variables)
    ]
    for variable, low, high, integer in zip(variables, program.lower, program.upper, program.integer, strict=True):
        if integer and low == 0 and high == 1:
            model.chgVarType(variable, "B")
    if program.sense == "maximize":
        model.setMaximize()
    model.addObjoffset(program.offset)
    _add_rows(model, variables, program)
    return model, variables


def read_model(model: Any) -> tuple[MixedIntegerProgram, list[Any]]:
    """The program that a PySCIPOpt model was given, and its original variables in the order of the columns.

    Raises:
        InputError: If a constraint is not linear.
    """
    variables, rows = linear_rows(model, transformed=False)
    infinity = model.infinity()
    low, high = (_infinite(np.array([row[side] for row in rows]).reshape(-1), infinity) for side in (1, 2))
    bounds = [[v.getLbOriginal() for v in variables], [v.getUbOriginal() for v in variables]]
    lower, upper = (_infinite(np.array(side).reshape(-1), infinity) for side in bounds)
    indptr = np.cumsum([0, *(len(row[0]) for row in rows)])
    indices = np.fromiter((j for row in rows for j in row[0]), np.int32, indptr[-1])
    values = np.fromiter((a for row in rows for a in row[0].values()), np.float64, indptr[-1])
    program = MixedIntegerProgram(
        sense=model.getObjectiveSense(),
        c=np.array([variable.getObj() for variable in variables], dtype=np.float64),
        A=sparse.csr_matrix((values, indices, indptr), shape=(len(rows), len(variables))),
        row_lower=low,
        row_upper=high,
        lower=lower,
        upper=upper,
        integer=np.array(
            [variable.vtype() not in ("CONTINUOUS", "IMPLINT") for variable in variables], dtype=bool
        ),
        offset=model.getObjoffset(),
        variable_names=tuple(variable.name for variable in variables),
    )
    return program, variables


def _infinite(values: NDArray, infinity: float) -> NDArray:
    """Numbers with SCIP's infinity as inf."""
    return np.where(np.abs(values) >= infinity, np.copysign(np.inf, values), values).astype(np.float64)


def _add_rows(model: Any, variables: list[Any], program: MixedIntegerProgram) -> None:
    from pyscipopt.scip import Expr, ExprCons, Term

    terms = [Term(v) for v in variables]
    A = program.A
    for i in range(program.num_rows):
        span = slice(A.indptr[i], A.indptr[i + 1])
        coefficients = zip(A.indices[span].tolist(), A.data[span].tolist(), strict=True)
        low, high = program.row_lower[i], program.row_upper[i]
        if not np.isfinite([low, high]).any():
            continue
        row = ExprCons(
            Expr({terms[j]: a for j, a in coefficients}),
            float(low) if np.isfinite(low) else None,
            float(high) if np.isfinite(high) else None,
        )
        model.addCons(row, name=program.row_name(i))
