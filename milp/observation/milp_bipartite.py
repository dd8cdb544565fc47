"""A program as a bipartite graph before it is solved, as Ecole 0.8's MilpBipartite has it."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyscipopt import SCIP_STAGE

from co_gym.errors import InputError, SolverError
from milp import native
from policies.branching.format import BipartiteGraph

PROGRAM_VARIABLE_FEATURES = (
    "objective", "is_type_binary", "is_type_integer", "is_type_implicit_integer", "is_type_continuous",
    "has_lower_bound", "has_upper_bound", "lower_bound", "upper_bound",
)  # fmt: skip
PROGRAM_ROW_FEATURES = ("bias",)

TYPES = {"BINARY": 0, "INTEGER": 1, "IMPLINT": 2, "CONTINUOUS": 3}
STAGES = SCIP_STAGE.PROBLEM, SCIP_STAGE.TRANSFORMED, SCIP_STAGE.PRESOLVED
"""In which a program is read."""

Row = tuple[dict[int, float], float, float]
"""Coefficients by column, and the sides."""


class MilpBipartite:
    """Variables with 9 features and sides of linear constraints with one, joined by the coefficients.

    A graph like that of `NodeBipartite`, with features `PROGRAM_VARIABLE_FEATURES` and `PROGRAM_ROW_FEATURES`: the
    objective as SCIP minimizes it, and bounds 0 where there are none. A constraint stands there once for each of
    its finite sides, first the left one, which is negated: coefficients . x <= bias.

    Args:
        normalize: Divide the objective by its norm, and each row with its bias by its norm.
    """

    def __init__(self, normalize: bool = False) -> None:
        self.normalize = normalize

    def reset(self, model: Any) -> None:
        """See `Observation`."""

    def extract(self, model: Any) -> BipartiteGraph:
        """The graph of a PySCIPOpt model: as it was given, or after presolving.

        Raises:
            InputError: If a constraint is not linear.
            SolverError: If the solve has begun, or presolving has merged variables and SCIP's C functions, which
                say how, cannot be called.
        """
        if model.getStage() not in STAGES:
            raise SolverError(f"a program is observed before it is solved, not in stage {model.getStageName()}")
        transformed = model.getStage() != SCIP_STAGE.PROBLEM
        variables = model.getVars(transformed)
        columns = {variable.ptr(): j for j, variable in enumerate(variables)}
        rows = [linear_row(model, constraint, columns) for constraint in model.getConss(transformed)]
        return self._graph(_variable_features(model, variables, self.normalize), rows, model.infinity())

    def _graph(self, variables: NDArray, rows: list[Row], infinity: float) -> BipartiteGraph:
        coefficients: list[NDArray] = []
        indices: list[NDArray] = []
        biases: list[float] = []
        for entries, low, high in rows:
            row = np.fromiter(entries.values(), float, len(entries))
            norm = (float(np.linalg.norm(row)) or 1.0) if self.normalize else 1.0
            for sign, side in ((-1.0, low), (1.0, high)):
                if abs(side) < infinity:
                    coefficients.append(sign * row / norm)
                    indices.append(np.fromiter(entries, np.int32, len(entries)))
                    biases.append(sign * side / norm)
        sizes = [0, *map(len, indices)]
        return BipartiteGraph(
            variables,
            np.array(biases, dtype=np.float32).reshape(-1, 1),
            np.cumsum(sizes, dtype=np.int32),
            np.concatenate([np.empty(0, np.int32), *indices]),
            np.concatenate([np.empty(0), *coefficients]).astype(np.float32),
        )


def _variable_features(model: Any, variables: list[Any], normalize: bool) -> NDArray:
    """The 9 features, float32 [n, 9]."""
    # SCIP negates the objective of a maximization when it transforms the problem
    negated = model.getStage() == SCIP_STAGE.PROBLEM and model.getObjectiveSense() == "maximize"
    objective = np.array([variable.getObj() for variable in variables]) * (-1.0 if negated else 1.0)
    norm = (float(np.linalg.norm(objective)) or 1.0) if normalize else 1.0
    types = [2 if v.vtype() != "BINARY" and v.isImpliedIntegral() else TYPES[v.vtype()] for v in variables]
    bounds = np.array([(v.getLbGlobal(), v.getUbGlobal()) for v in variables]).reshape(-1, 2)
    finite = np.abs(bounds) < model.infinity()
    shown = np.where(finite, bounds, 0.0)
    return np.column_stack([objective / norm, np.eye(4)[types], finite, shown]).astype(np.float32)


def linear_row(model: Any, constraint: Any, columns: dict[int, int]) -> Row:
    """A constraint in the variables that are columns: its coefficients and sides.

    Raises:
        InputError: If it is not linear.
    """
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
