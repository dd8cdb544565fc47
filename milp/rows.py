"""The linear constraints of a PySCIPOpt model."""

from __future__ import annotations

import ctypes
from typing import Any

from co_gym.errors import InputError, SolverError
from milp import native

Row = tuple[dict[int, float], float, float]
"""Coefficients by column, and the sides."""


def linear_rows(model: Any, transformed: bool) -> tuple[list[Any], list[Row]]:
    """The variables of a model, which are the columns, and its constraints in these.

    Args:
        model: The model.
        transformed: Whether those that SCIP works with; else the original ones.

    Raises:
        InputError: If a constraint is not linear.
        SolverError: If presolving has merged variables and SCIP's C functions, which say how, cannot be called.
    """
    variables = model.getVars(transformed)
    columns = {variable.ptr(): j for j, variable in enumerate(variables)}
    return variables, [_row(model, constraint, columns) for constraint in model.getConss(transformed)]


def _row(model: Any, constraint: Any, columns: dict[int, int]) -> Row:
    """A constraint in the variables that are columns."""
    if not constraint.isLinearType():
        raise InputError(f"constraint {constraint.name!r} is {constraint.getConshdlrName()}: expected linear ones")
    low, high = model.getLhs(constraint), model.getRhs(constraint)
    pointers = [variable.ptr() for variable in model.getConsVars(constraint)]
    values, constant = model.getConsVals(constraint), 0.0
    if not all(pointer in columns for pointer in pointers):
        pointers, values, constant = _resolved(model, pointers, values)
    entries: dict[int, float] = {}
    for pointer, value in zip(pointers, values, strict=True):
        entries[columns[pointer]] = entries.get(columns[pointer], 0.0) + value
    infinity = model.infinity()
    low, high = (side - constant if abs(side) < infinity else side for side in (low, high))
    return {j: value for j, value in entries.items() if value != 0.0}, low, high


def _resolved(model: Any, pointers: list[int], values: list[float]) -> tuple[list[int], list[float], float]:
    """A sum over variables that presolving has negated, fixed or merged in those that are left, and a constant."""
    library, ref = _library(), ctypes.byref
    size, required, constant, room = ctypes.c_int(), ctypes.c_int(len(pointers)), ctypes.c_double(), 0
    while required.value > room:
        room, size.value, constant.value = required.value, len(pointers), 0.0
        variables, scalars = (ctypes.c_void_p * room)(*pointers), (ctypes.c_double * room)(*values)
        # the last argument (merge equal ones) is read by older versions of SCIP only
        code = library.SCIPgetProbvarLinearSum(
            native.pointer(model), variables, scalars, ref(size), room, ref(constant), ref(required), True
        )
        native.check(code, "the variables of a constraint")
    return [int(v or 0) for v in variables[: size.value]], list(scalars[: size.value]), constant.value


def _library() -> native.Library:
    try:
        return native.library()
    except native.MissingSymbols as error:
        raise SolverError(f"presolving has merged variables, and {error}") from error
