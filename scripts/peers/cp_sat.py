"""CP-SAT (OR-Tools) on mixed-integer programs, for bench_primal.py. OR-Tools is in the extra `bench`.

CP-SAT knows integers alone. Continuous variables are put on a grid, by default of 1/1000 (`mip_var_scaling`), and
taken off it again: for the integers of each of its solutions the best continuous variables are solved for, at no
cost to its clock. Its bounds and proofs are those of the program on the grid, and therefore not passed on where
there are continuous variables.

Every parameter of CP-SAT is a setting. With one worker it runs a single strategy, whose LP has no rows that are
clauses, as those of set covers; `linearization_level=2` adds them. `interleave_search=true` takes turns among all
strategies, large neighbourhood search included.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError, SolverError
from co_gym.formulation import MixedIntegerProgram
from co_gym.relaxation import solve_relaxation
from co_gym.result import Status
from co_gym.verifier import agrees
from milp.interrupt import run_aside
from milp.reporting import settle

try:
    from google.protobuf import json_format
    from ortools.math_opt import model_pb2
    from ortools.math_opt.python import mathopt
    from ortools.sat.sat_parameters_pb2 import SatParameters
    from ortools.util.python.solve_interrupter import SolveInterrupter
except ImportError as error:
    raise InputError(f"cp-sat needs OR-Tools ({error}): expected `pip install 'co-gym-suite[bench]'`") from error

NAME = "cp-sat"
GRID = 1000.0
"""Steps of a continuous variable in a unit; with CP-SAT's own default, 1, it would be an integer."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What CP-SAT found, as the program itself values it.

    Attributes:
        status: `optimal` if the bound is that of the solution; `rejected` if no solution of CP-SAT's is feasible.
        solution: [n] float64, the best one.
        objective: Of the solution.
        bound: Proven by CP-SAT; None where there are continuous variables.
        incumbents: Seconds since the call and objective, each better than the one before.
        seconds: Of the whole call but the evaluation of solutions.
    """

    status: Status
    solution: NDArray | None
    objective: float | None
    bound: float | None
    incumbents: tuple[tuple[float, float], ...]
    seconds: float


def solve(
    program: MixedIntegerProgram, time_limit: float, seed: int = 0, settings: Mapping[str, Any] | None = None
) -> Outcome:
    """Solves a program by CP-SAT with one worker; making the model is part of the time.

    Args:
        program: The program.
        time_limit: Seconds.
        seed: Of the search.
        settings: Parameters of CP-SAT by name.

    Raises:
        InputError: If CP-SAT has no such parameter, or it does not take the value.
        SolverError: If the objective is quadratic, or CP-SAT fails.
        KeyboardInterrupt: After Ctrl-C.
    """
    begin = time.perf_counter()
    found: list[tuple[float, NDArray]] = []

    def keep(values: Mapping[Any, float]) -> None:
        seconds, x = time.perf_counter() - begin, np.zeros(program.num_variables)
        for variable, value in values.items():
            x[variable.id] = value
        found.append((seconds, x))

    def on_solution(data: mathopt.CallbackData) -> mathopt.CallbackResult:
        keep(data.solution)
        return mathopt.CallbackResult()

    def run() -> None:
        results.append(
            mathopt.solve(
                model,
                mathopt.SolverType.CP_SAT,
                params=parameters,
                callback_reg=mathopt.CallbackRegistration(events={mathopt.Event.MIP_SOLUTION}),
                cb=on_solution,
                interrupter=interrupter,
            )
        )

    parameters = mathopt.SolveParameters(
        threads=1, random_seed=seed, cp_sat=sat_parameters(program, settings or {})
    )
    model, interrupter = to_mathopt(program), SolveInterrupter()
    parameters.time_limit = timedelta(seconds=max(0.01, time_limit - (time.perf_counter() - begin)))
    results: list[mathopt.SolveResult] = []
    try:
        interrupted = run_aside(run, interrupter.interrupt, NAME)
    except Exception as error:  # OR-Tools fails to translate its own errors: the context has the first one
        raise SolverError(f"CP-SAT failed: {error.__context__ or error}") from error
    if interrupted:
        raise KeyboardInterrupt
    (result,) = results
    for solution in result.solutions:  # what its presolve solves is not called back
        keep(solution.primal_solution.variable_values)
    return outcome(program, result.termination, found, time.perf_counter() - begin)


def sat_parameters(program: MixedIntegerProgram, settings: Mapping[str, Any]) -> SatParameters:
    """Parameters of CP-SAT: what the program needs, and what is set.

    Raises:
        InputError: If CP-SAT has no such parameter, or it does not take the value.
    """
    for name in settings.keys() - SatParameters.DESCRIPTOR.fields_by_name.keys():
        raise InputError(f"method '{NAME}' has no setting '{name}'")
    # This part of the presolve of OR-Tools 9.15 cuts off good solutions, of item placement among others, whereupon
    # bounds are wrong.
    needed: dict[str, Any] = {"presolve_inclusion_work_limit": 0}
    if not program.integer.all():
        needed["mip_var_scaling"] = GRID
    try:
        return json_format.ParseDict({**needed, **settings}, SatParameters())
    except json_format.ParseError as error:
        raise InputError(f"method '{NAME}': {error}") from error


def to_mathopt(program: MixedIntegerProgram) -> mathopt.Model:
    """The program as OR-Tools has it, from arrays.

    Raises:
        SolverError: If the objective is quadratic.
    """
    if program.Q is not None:
        raise SolverError("the objective is quadratic: CP-SAT is given linear formulations only")
    A = program.A.copy()
    A.sum_duplicates()
    A.eliminate_zeros()
    entries, used = A.tocoo(), np.flatnonzero(program.c)
    proto = model_pb2.ModelProto()
    columns, rows, coefficients = proto.variables, proto.linear_constraints, proto.objective.linear_coefficients
    matrix = proto.linear_constraint_matrix
    for field, array in (
        (columns.ids, np.arange(program.num_variables)),
        (columns.lower_bounds, program.lower),
        (columns.upper_bounds, program.upper),
        (columns.integers, program.integer),
        (coefficients.ids, used),
        (coefficients.values, program.c[used]),
        (rows.ids, np.arange(program.num_rows)),
        (rows.lower_bounds, program.row_lower),
        (rows.upper_bounds, program.row_upper),
        (matrix.row_ids, entries.row),
        (matrix.column_ids, entries.col),
        (matrix.coefficients, entries.data),
    ):
        field.extend(array.tolist())
    proto.objective.maximize = program.sense == "maximize"
    proto.objective.offset = program.offset
    return mathopt.Model.from_model_proto(proto)


def outcome(
    program: MixedIntegerProgram,
    termination: mathopt.Termination,
    found: list[tuple[float, NDArray]],
    seconds: float,
) -> Outcome:
    """Judges what CP-SAT found by the program alone; solutions that are infeasible or no better do not count."""
    sign = 1.0 if program.sense == "minimize" else -1.0
    incumbents: list[tuple[float, float]] = []
    best: NDArray | None = None
    for when, values in found:
        x = completed(program, values)
        objective = program.evaluate(x)
        if (not incumbents or sign * objective < sign * incumbents[-1][1]) and program.is_feasible(x):
            best = x
            incumbents.append((when, objective))
    claimed = termination.objective_bounds.dual_bound
    bound = claimed if np.isfinite(claimed) and program.integer.all() else None
    objective = incumbents[-1][1] if incumbents else None
    status: Status = "rejected" if found else "unknown"
    if objective is not None:
        optimal = termination.reason == mathopt.TerminationReason.OPTIMAL
        status = "optimal" if optimal and bound is not None and agrees(objective, bound) else "feasible"
    elif termination.reason == mathopt.TerminationReason.INFEASIBLE and program.integer.all():
        status = "infeasible"
    return Outcome(status, best, objective, bound, tuple(incumbents), seconds)


def completed(program: MixedIntegerProgram, values: NDArray) -> NDArray:
    """Values [n] with whole integers, and the best continuous variables for these."""
    settled = settle(program, values)
    if program.integer.all():
        return settled
    fixed = replace(
        program,
        lower=np.where(program.integer, settled, program.lower),
        upper=np.where(program.integer, settled, program.upper),
    )
    best = solve_relaxation(fixed).x
    return settled if best is None else np.where(program.integer, settled, best)
