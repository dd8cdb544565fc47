"""The LP relaxation of a mixed-integer program, solved by HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import SolverError
from co_gym.formulation import MixedIntegerProgram
from co_gym.highs import quiet_highs


@dataclass(frozen=True, eq=False)
class Relaxation:
    """Optimum of an LP relaxation.

    Attributes:
        status: Whether there is an optimum.
        bound: Its objective in the program's own sense; the bound that it proves. None without an optimum.
        x: [n] float64, primal values.
        duals: [m] float64, dual values of the rows: change of the objective per unit of the side that is tight.
        reduced_costs: [n] float64, c - A'duals.
    """

    status: Literal["optimal", "infeasible", "unbounded"]
    bound: float | None = None
    x: NDArray | None = None
    duals: NDArray | None = None
    reduced_costs: NDArray | None = None


def solve_relaxation(program: MixedIntegerProgram, *, time_limit: float = 60.0) -> Relaxation:
    """Drops integrality and solves the linear program.

    Args:
        program: A program without a quadratic objective.
        time_limit: Seconds.

    Raises:
        SolverError: If the objective is quadratic, or HiGHS does not finish in time.
    """
    import highspy

    if program.Q is not None:
        raise SolverError("the objective is quadratic: the LP relaxation needs a linear formulation")
    highs = quiet_highs()
    highs.setOptionValue("time_limit", float(time_limit))
    highs.passModel(to_highs(program))
    highs.run()
    status = highs.getModelStatus()
    kinds = highspy.HighsModelStatus
    if status == kinds.kInfeasible:
        return Relaxation("infeasible")
    if status in (kinds.kUnbounded, kinds.kUnboundedOrInfeasible):
        return Relaxation(_tell_apart(highs, program))
    if status not in (kinds.kOptimal, kinds.kModelEmpty):
        raise SolverError(f"the LP relaxation was not solved: {highs.modelStatusToString(status)}")
    solution = highs.getSolution()
    empty = status == kinds.kModelEmpty  # then HiGHS leaves the offset out
    return Relaxation(
        "optimal",
        bound=program.offset if empty else float(highs.getInfo().objective_function_value),
        x=np.array(solution.col_value),
        duals=np.array(solution.row_dual),
        reduced_costs=np.array(solution.col_dual),
    )


def _tell_apart(highs: Any, program: MixedIntegerProgram) -> Literal["infeasible", "unbounded"]:
    """Whether an LP that presolve found 'unbounded or infeasible' has a feasible point."""
    import highspy

    n = program.num_variables
    highs.changeColsCost(n, np.arange(n, dtype=np.int32), np.zeros(n))
    highs.run()
    return "unbounded" if highs.getModelStatus() == highspy.HighsModelStatus.kOptimal else "infeasible"


def to_highs(program: MixedIntegerProgram) -> Any:
    """The linear part of a program as a HiGHS model, without integrality."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = program.num_variables, program.num_rows
    lp.col_cost_, lp.offset_ = program.c, program.offset
    lp.sense_ = highspy.ObjSense.kMinimize if program.sense == "minimize" else highspy.ObjSense.kMaximize
    lp.col_lower_, lp.col_upper_ = program.lower, program.upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = program.A.indptr.astype(np.int32)
    lp.a_matrix_.index_ = program.A.indices.astype(np.int32)
    lp.a_matrix_.value_ = program.A.data
    return lp
