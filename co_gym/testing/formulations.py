"""Checks that a formulation says the same as its problem."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from co_gym.exact import Number
from co_gym.formulation import Formulation, MixedIntegerProgram
from co_gym.instance import Instance
from co_gym.problems.base import Problem
from co_gym.relaxation import solve_relaxation, to_highs
from co_gym.testing.common import no_better, require
from co_gym.verifier import agrees, verify

MOST_ROUND_TRIPS = 60
"""Feasible members that are taken to each formulation and back."""

MOST_BINARIES = 16
"""Variables up to which a quadratic formulation is solved by enumeration."""


def check_formulation(
    problem: Problem, instance: Instance, form: str, formulation: Formulation, best: tuple[NDArray, Number] | None
) -> None:
    """The optimum of a formulation is that of the problem, and no LP bound is better."""
    who = f"formulation {form!r} of {instance.name}"
    program = formulation.program
    sense = problem.sense_of(instance)
    require(program.sense == sense, f"{who}: it is to {program.sense}, the problem to {sense}")
    solved = program.Q is None or program.num_variables <= MOST_BINARIES
    if best is None:
        require(not solved or _optimum(program) is None, f"{who}: it has a solution, the problem has none")
        return
    if solved:
        found = _optimum(program)
        require(
            found is not None and agrees(found, best[1]),
            f"{who}: its optimum is {found}, enumeration finds {best[1]}",
        )
    if program.Q is None:
        bound = solve_relaxation(program).bound
        require(bound is not None, f"{who}: its LP relaxation has no optimum")
        assert bound is not None
        require(no_better(bound, best[1], sense), f"{who}: its LP bound {bound} cuts off the optimum {best[1]}")


def check_round_trip(
    problem: Problem, instance: Instance, form: str, formulation: Formulation, member: NDArray
) -> None:
    """Requires that a feasible member survives the way to the formulation and back."""
    who = f"formulation {form!r} of {instance.name}"
    value = problem.objective(instance, member)
    x = formulation.encode(member)
    require(x.shape == (formulation.program.num_variables,), f"{who}: encode gives the shape {x.shape}")
    require(
        formulation.program.is_feasible(x), f"{who}: the feasible solution {member} is encoded as an infeasible"
    )
    there = formulation.program.evaluate(x)
    require(agrees(there, value), f"{who}: {member} has the objective {value}, encoded it has {there}")
    back = formulation.decode(x)
    check = verify(instance, back, claimed=value, problem=problem)
    require(check.ok, f"{who}: {member} comes back as {back}: {check}")


def _optimum(program: MixedIntegerProgram) -> Number | None:
    return _solved_by_highs(program) if program.Q is None else _solved_by_enumeration(program)


def _solved_by_highs(program: MixedIntegerProgram) -> Number | None:
    """Optimum of a linear program with integers, None if it is infeasible."""
    import highspy

    from co_gym.highs import quiet_highs

    highs = quiet_highs()
    for gap in ("mip_rel_gap", "mip_abs_gap"):
        highs.setOptionValue(gap, 0.0)
    kinds = highspy.HighsVarType
    model = to_highs(program)
    model.integrality_ = [kinds.kInteger if integer else kinds.kContinuous for integer in program.integer]
    highs.passModel(model)
    highs.run()
    status = highs.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    if status == highspy.HighsModelStatus.kModelEmpty:
        return program.offset
    require(
        status == highspy.HighsModelStatus.kOptimal,
        f"{program.name}: HiGHS ends with {highs.modelStatusToString(status)}",
    )
    return float(highs.getInfo().objective_function_value)


def _solved_by_enumeration(program: MixedIntegerProgram) -> Number | None:
    """Optimum of a program in few binary variables, None if it is infeasible."""
    points = [np.array(x, dtype=np.float64) for x in itertools.product((0, 1), repeat=program.num_variables)]
    stacked = np.array(points).reshape(len(points), program.num_variables)
    activity = (program.A @ stacked.T).T
    inside = ((activity >= program.row_lower - 1e-9) & (activity <= program.row_upper + 1e-9)).all(axis=1)
    values = [program.evaluate(stacked[i]) for i in np.flatnonzero(inside)]
    if not values:
        return None
    return min(values) if program.sense == "minimize" else max(values)
