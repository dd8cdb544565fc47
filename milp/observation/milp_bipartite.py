"""A program as a bipartite graph before it is solved, as Ecole 0.8's MilpBipartite has it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyscipopt import SCIP_STAGE

from co_gym.errors import SolverError
from milp.rows import Row, linear_rows
from policies.branching.format import BipartiteGraph

PROGRAM_VARIABLE_FEATURES = (
    "objective", "is_type_binary", "is_type_integer", "is_type_implicit_integer", "is_type_continuous",
    "has_lower_bound", "has_upper_bound", "lower_bound", "upper_bound",
)  # fmt: skip
PROGRAM_ROW_FEATURES = ("bias",)

TYPES = {"BINARY": 0, "INTEGER": 1, "IMPLINT": 2, "CONTINUOUS": 3}
STAGES = SCIP_STAGE.PROBLEM, SCIP_STAGE.TRANSFORMED, SCIP_STAGE.PRESOLVED
"""In which a program is read."""


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
        variables, rows = linear_rows(model, transformed)
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
