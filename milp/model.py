"""A SCIP model from a mixed-integer program."""

from __future__ import annotations

from typing import Any

import numpy as np

from co_gym.errors import SolverError
from co_gym.formulation import MixedIntegerProgram


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
