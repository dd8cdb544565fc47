"""Checks for the tests of a new problem or solver: `assert_problem`, `assert_solver` and `brute_force`.

Each check fails with an `AssertionError` that says what is wrong. A package with a problem of its own needs no more
than `assert_problem(MyProblem())` in its tests.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from co_gym import registry
from co_gym.domains import Box
from co_gym.errors import InputError
from co_gym.exact import Number
from co_gym.formulation import Formulation, MixedIntegerProgram
from co_gym.instance import Instance, Key
from co_gym.problems.base import Problem
from co_gym.relaxation import solve_relaxation, to_highs
from co_gym.solvers.base import Answer, Claim, Event, Monitor, Options, Role, Solver
from co_gym.verifier import agrees, verify

LARGEST_DOMAIN = 500_000
"""Members above which `brute_force` refuses."""

SIZES = (1, 2, 3, 4, 5, 6)
"""Sizes of the generated instances that are compared with enumeration."""

MOST_MEMBERS = 1_000
"""Members up to which an instance is small enough to be compared with enumeration."""

MOST_ROUND_TRIPS = 60
"""Feasible members that are taken to each formulation and back."""

MOST_BINARIES = 16
"""Variables up to which a quadratic formulation is solved by enumeration."""

COMPILE_SECONDS = 10.0
"""What a solver may take beyond its time limit, the first time it compiles included."""


def brute_force(problem: Problem, instance: Instance) -> tuple[NDArray, Number] | None:
    """The best feasible member of the domain and its objective, by trying them all; None if none is feasible.

    Raises:
        ValueError: If the domain has more than `LARGEST_DOMAIN` members, or cannot be enumerated.
    """
    minimize = problem.sense_of(instance) == "minimize"
    best: tuple[NDArray, Number] | None = None
    for count, member in enumerate(problem.domain(instance).members()):
        if count >= LARGEST_DOMAIN:
            raise ValueError(
                f"{instance.name} has more than {LARGEST_DOMAIN} candidates: too many for brute force"
            )
        if problem.violations(instance, member):
            continue
        value = problem.objective(instance, member)
        if best is None or (value < best[1] if minimize else value > best[1]):
            best = member, value
    return best


def assert_problem(problem: Problem, instances: Iterable[Instance] | None = None, *, seed: int = 0) -> None:
    """Checks a problem end to end: metadata, generators, refusals, and formulations against enumeration.

    Args:
        problem: The problem; it need not be registered.
        instances: Small instances to compare with enumeration; generated ones of sizes 1 to 6 by default.
        seed: Seed of the generated instances and of what is sampled.

    Raises:
        AssertionError: If something is wrong.
    """
    _check_metadata(problem)
    for label in problem.distributions:
        _check_distribution(problem, label, seed)
    small = _generated(problem, seed) if instances is None else list(instances)
    _require(bool(small), f"{problem.name} has no distributions: give assert_problem some instances")
    _check_refusals(problem, small[-1])
    for instance in small:
        _check_instance(problem, instance)
        members = _members(problem, instance)
        if members is not None:
            _check_against_enumeration(problem, instance, members, np.random.default_rng(seed))


def assert_solver(solver: Solver, instances: Iterable[Instance] | None = None, *, time_limit: float = 2.0) -> None:
    """Checks a solver on small instances: answers, bounds, history, start solutions and time limits.

    A heuristic must return a feasible solution, an exact solver the optimum with its proof. No bound may be better
    than the optimum that enumeration finds, and an optimal start must not be lost.

    Args:
        solver: The solver; it need not be registered, the problems it takes must be.
        instances: What to solve; two generated instances of each problem that the solver takes by default.
        time_limit: Seconds for each solve.

    Raises:
        AssertionError: If something is wrong.
    """
    _check_solver_metadata(solver)
    for instance in _instances_for(solver) if instances is None else instances:
        problem = registry.problem(instance.problem)
        enumerated = _members(problem, instance) is not None
        optimum = brute_force(problem, instance) if enumerated else None
        answer = _check_run(solver, instance, time_limit, None)
        if enumerated:
            _check_optimum(solver, instance, answer, optimum)
        if optimum is not None:
            for seconds in (time_limit, 0.01):
                answer = _check_run(solver, instance, seconds, optimum[0])
                found = None if answer.solution is None else problem.objective(instance, answer.solution)
                _require(
                    found is not None and agrees(found, optimum[1]),
                    f"{_run_name(solver, instance)}: an optimal start of {optimum[1]} became {found}",
                )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _require_json(what: str, value: Any) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{what} is no plain JSON: {error}") from error


def _refuses(what: str, attempt: Any, *args: Any, **kwargs: Any) -> None:
    """Requires that a call raises `InputError` and nothing else."""
    try:
        attempt(*args, **kwargs)
    except InputError as error:
        _require(bool(error.message), f"{what} is refused without a message")
    except Exception as error:
        raise AssertionError(f"{what} raises {error!r}: expected an InputError") from error
    else:
        raise AssertionError(f"{what} is accepted: expected an InputError")


def _members(problem: Problem, instance: Instance) -> list[NDArray] | None:
    """All members of a small domain; None if there are too many or they cannot be listed."""
    try:
        members = list(itertools.islice(problem.domain(instance).members(), MOST_MEMBERS + 1))
    except ValueError:
        return None
    return members if len(members) <= MOST_MEMBERS else None


def _generated(problem: Problem, seed: int) -> list[Instance]:
    return [
        instance
        for label in problem.distributions
        for size in SIZES
        for instance in problem.generate(size, distribution=label, seed=seed)
    ]


def _check_metadata(problem: Problem) -> None:
    _require(isinstance(problem, Problem), f"{problem!r} is no instance of co_gym.problems.base.Problem")
    who = f"problem {problem.name!r}"
    _require(isinstance(problem.name, str) and bool(problem.name), f"{who}: expected a name")
    _require(problem.sense in ("minimize", "maximize"), f"{who}: sense is {problem.sense!r}")
    _require(all(isinstance(key, Key) for key in problem.keys), f"{who}: keys must be Key objects")
    names = [key.name for key in problem.keys]
    _require(len(set(names)) == len(names) > 0, f"{who}: expected keys of different names, got {names}")
    _require(all(key.doc for key in problem.keys), f"{who}: each key needs a doc")
    _require(isinstance(problem.forms, tuple) and len(problem.forms) > 0, f"{who}: expected a tuple of forms")
    _require(isinstance(problem.distributions, Mapping), f"{who}: distributions must be a mapping")


def _same(a: Instance, b: Instance) -> bool:
    return a.data.keys() == b.data.keys() and all(np.array_equal(a[k], b[k]) for k in a.data)


def _check_distribution(problem: Problem, label: str, seed: int) -> None:
    who = f"distribution {label!r} of {problem.name}"

    def draw(count: int, seed: int) -> list[Instance]:
        return problem.generate(24, count=count, distribution=label, seed=seed)

    made = draw(6, seed)
    _require(len(made) == 6, f"{who}: asked for 6 instances, got {len(made)}")
    _require(
        all(problem.size(one) == 24 for one in made), f"{who}: asked for size 24, got {problem.size(made[0])}"
    )
    again, fewer, other = draw(6, seed), draw(2, seed), draw(6, seed + 1)
    _require(all(map(_same, made, again)), f"{who}: the same seed gives different data")
    _require(all(map(_same, made[:2], fewer)), f"{who}: an instance depends on how many are asked for")
    _require(not all(map(_same, made, other)), f"{who}: different seeds give the same data")
    _require(not all(_same(made[0], one) for one in made[1:]), f"{who}: all instances of a seed are the same")
    _refuses(f"{who}: size 0", problem.generate, 0, distribution=label)
    _refuses(f"{who}: an unknown option", problem.generate, 5, distribution=label, no_such_option=1)


def _check_refusals(problem: Problem, instance: Instance) -> None:
    """Bad data and unknown names must be refused as bad input, not accepted and not with another error."""
    data = dict(instance.data)
    who = problem.name
    _refuses(f"{who}: an unknown distribution", problem.generate, 5, distribution="no such distribution")
    _refuses(f"{who}: an unknown formulation", problem.formulate, instance, "no such formulation")
    _refuses(f"{who}: an unknown key", problem.instance, data | {"no such key": np.zeros(1)})
    for key in problem.keys:
        if key.name not in data:
            continue
        bad: dict[str, Any] = {"of too many dimensions": data[key.name][None]}
        if key.kind != "text":
            bad["made of text"] = np.full(data[key.name].shape, "text")
            bad["that is ragged"] = [[1, 2], [3]]
        if key.kind not in ("text", "bool"):
            bad["made of NaN"] = np.full(data[key.name].shape, np.nan)
        for what, array in bad.items():
            if np.size(data[key.name]) > 0:
                _refuses(f"{who}: {key.name} {what}", problem.instance, data | {key.name: array})
        if not key.optional:
            rest = {name: array for name, array in data.items() if name != key.name}
            _refuses(f"{who}: data without {key.name}", problem.instance, rest)


def _check_instance(problem: Problem, instance: Instance) -> None:
    who = instance.name
    _require(instance.problem == problem.name, f"{who}: its problem is {instance.problem!r}, not {problem.name!r}")
    _require(isinstance(problem.size(instance), int), f"{who}: size is no int")
    for name, array in instance.data.items():
        _require(not array.flags.writeable, f"{who}: {name} can be written to")
    again = problem.instance(instance.data, name=instance.name)
    _require(_same(instance, again), f"{who}: its own data makes another instance")


def _check_against_enumeration(
    problem: Problem, instance: Instance, members: list[NDArray], rng: np.random.Generator
) -> None:
    best = brute_force(problem, instance)
    checks = [verify(instance, member, problem=problem) for member in members]
    for member, check in zip(members, checks, strict=True):
        _require(check.objective is not None, f"{instance.name}: a member of the domain is refused: {member}")
        _require(
            check.feasible != bool(check.violations), f"{instance.name}: infeasible without a reason: {member}"
        )
        _require(all(isinstance(v, str) and v for v in check.violations), f"{instance.name}: a reason is empty")
    feasible = [member for member, check in zip(members, checks, strict=True) if check.feasible]
    if best is not None:
        _check_solution(problem, instance, *best)
    for form in problem.forms:
        formulation = problem.formulate(instance, form)
        _check_formulation(problem, instance, form, formulation, best)
        sample = rng.permutation(len(feasible))[:MOST_ROUND_TRIPS]
        for member in [feasible[i] for i in sample]:
            _check_round_trip(problem, instance, form, formulation, member)


def _check_solution(problem: Problem, instance: Instance, solution: NDArray, objective: Number) -> None:
    """The verifier accepts the optimum, and refuses what is made of it by damage or with a false claim."""
    who = instance.name
    worse = 1 if problem.sense_of(instance) == "minimize" else -1
    check = verify(instance, solution, claimed=objective, bound=objective, problem=problem)
    _require(check.ok, f"{who}: its optimum is refused: {check}")
    for claim in ({"claimed": objective + 1}, {"claimed": objective - 1}, {"bound": objective + worse}):
        check = verify(instance, solution, problem=problem, **claim)
        _require(check.claim_error is not None, f"{who}: the false claim {claim} is believed")
    for what, damaged in _damaged(problem, instance, solution).items():
        check = verify(instance, damaged, problem=problem)
        _require(not check.feasible, f"{who}: a solution {what} is accepted")
        _require(all(check.violations) and bool(check.violations), f"{who}: {what}: no reason is given")
    _require_json(f"{who}: solution_to_json", problem.solution_to_json(instance, solution))
    _check_drawing(problem, instance, solution)


def _damaged(problem: Problem, instance: Instance, solution: NDArray) -> dict[str, NDArray]:
    damaged = {
        "that is too long": np.append(solution, 0),
        "that is too short": solution[:-1],
        "of two dimensions": solution[None],
        "made of text": solution.astype(np.str_),
        "with NaN": np.where(np.arange(solution.size) == 0, np.nan, solution),
        "with an infinite entry": np.where(np.arange(solution.size) == 0, np.inf, solution),
    }
    domain = problem.domain(instance)
    if not isinstance(domain, Box) or domain.integer[0]:
        damaged["with a fraction"] = np.where(np.arange(solution.size) == 0, solution + 0.5, solution)
    return damaged


def _check_drawing(problem: Problem, instance: Instance, solution: NDArray) -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    problem.draw(instance, solution, axes)
    _require(bool(axes.has_data()), f"{instance.name}: draw puts nothing on the axes")


def _check_formulation(
    problem: Problem, instance: Instance, form: str, formulation: Formulation, best: tuple[NDArray, Number] | None
) -> None:
    """The optimum of a formulation is that of the problem, and no LP bound is better."""
    who = f"formulation {form!r} of {instance.name}"
    program = formulation.program
    sense = problem.sense_of(instance)
    _require(program.sense == sense, f"{who}: it is to {program.sense}, the problem to {sense}")
    solved = program.Q is None or program.num_variables <= MOST_BINARIES
    if best is None:
        _require(not solved or _optimum(program) is None, f"{who}: it has a solution, the problem has none")
        return
    if solved:
        found = _optimum(program)
        _require(
            found is not None and agrees(found, best[1]),
            f"{who}: its optimum is {found}, enumeration finds {best[1]}",
        )
    if program.Q is None:
        bound = solve_relaxation(program).bound
        _require(bound is not None, f"{who}: its LP relaxation has no optimum")
        assert bound is not None
        _require(_no_better(bound, best[1], sense), f"{who}: its LP bound {bound} cuts off the optimum {best[1]}")


def _check_round_trip(
    problem: Problem, instance: Instance, form: str, formulation: Formulation, member: NDArray
) -> None:
    who = f"formulation {form!r} of {instance.name}"
    value = problem.objective(instance, member)
    x = formulation.encode(member)
    _require(x.shape == (formulation.program.num_variables,), f"{who}: encode gives the shape {x.shape}")
    _require(
        formulation.program.is_feasible(x), f"{who}: the feasible solution {member} is encoded as an infeasible"
    )
    there = formulation.program.evaluate(x)
    _require(agrees(there, value), f"{who}: {member} has the objective {value}, encoded it has {there}")
    back = formulation.decode(x)
    check = verify(instance, back, claimed=value, problem=problem)
    _require(check.ok, f"{who}: {member} comes back as {back}: {check}")


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
    known = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty)
    _require(status in known, f"{program.name}: HiGHS ends with {highs.modelStatusToString(status)}")
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


def _no_better(bound: Number, optimum: Number, sense: str) -> bool:
    return agrees(bound, optimum) or (bound < optimum if sense == "minimize" else bound > optimum)


def _run_name(solver: Solver, instance: Instance) -> str:
    return f"solver {solver.name!r} on {instance.name}"


def _instances_for(solver: Solver) -> list[Instance]:
    problems = registry.problems()
    taken = [one for name, one in problems.items() if solver.problems is None or name in solver.problems]
    return [
        instance
        for one in taken
        if one.distributions
        for size in (1, 6)
        for instance in one.generate(size, seed=7)
    ]


def _check_solver_metadata(solver: Solver) -> None:
    who = f"solver {solver.name!r}"
    _require(isinstance(solver.name, str) and bool(solver.name), f"{who}: expected a name")
    _require(
        "+" not in solver.name or solver.role == "portfolio", f"{who}: '+' joins methods and cannot be in a name"
    )
    _require(solver.role in get_args(Role), f"{who}: role is {solver.role!r}, expected one of {get_args(Role)}")
    _require(bool(solver.summary) and "\n" not in solver.summary, f"{who}: expected a summary of one line")
    _require(solver.problems is None or isinstance(solver.problems, frozenset), f"{who}: problems is no frozenset")


def _check_run(solver: Solver, instance: Instance, time_limit: float, start: NDArray | None) -> Answer:
    """One solve, and everything about its answer that holds whatever the optimum is."""
    who = _run_name(solver, instance)
    problem = registry.problem(instance.problem)
    sense = problem.sense_of(instance)
    monitor = Monitor(minimize=sense == "minimize", time_limit=time_limit)
    began = time.perf_counter()
    given = None if start is None else start.copy()
    answer = solver.solve(instance, options=Options(time_limit=time_limit), monitor=monitor, start=given)
    seconds = time.perf_counter() - began
    _require(seconds <= time_limit + COMPILE_SECONDS, f"{who}: {seconds:.1f} s with a limit of {time_limit} s")
    _require(start is None or np.array_equal(start, given), f"{who}: it writes to the start solution")
    _require(answer.status in get_args(Claim), f"{who}: its status is {answer.status!r}")
    _check_history(who, sense, monitor.history)
    _require_json(f"{who}: details", dict(answer.details))
    if answer.solution is not None:
        check = verify(instance, answer.solution, claimed=answer.objective, bound=answer.bound)
        _require(check.ok, f"{who}: its answer is refused: {check}")
    if answer.status == "optimal":
        proven = (
            answer.objective is not None and answer.bound is not None and agrees(answer.objective, answer.bound)
        )
        _require(proven, f"{who}: claims an optimum of {answer.objective} with the bound {answer.bound}")
    return answer


def _check_history(who: str, sense: str, history: list[Event]) -> None:
    """Time goes on, objectives improve, bounds tighten."""
    sign = 1 if sense == "minimize" else -1
    for before, after in itertools.pairwise(history):
        _require(before.time <= after.time, f"{who}: an event at {after.time} follows one at {before.time}")
        if before.objective is not None:
            better = after.objective is not None and sign * after.objective <= sign * before.objective
            _require(better, f"{who}: the incumbent {before.objective} became {after.objective}")
        if before.bound is not None:
            tighter = after.bound is not None and sign * after.bound >= sign * before.bound
            _require(tighter, f"{who}: the bound {before.bound} became {after.bound}")


def _check_optimum(
    solver: Solver, instance: Instance, answer: Answer, best: tuple[NDArray, Number] | None
) -> None:
    """The answer against what enumeration found."""
    who = _run_name(solver, instance)
    problem = registry.problem(instance.problem)
    if best is None:
        expected = ("infeasible",) if solver.role == "exact" else ("infeasible", "unknown")
        _require(answer.solution is None, f"{who}: it finds a solution of an infeasible instance")
        _require(answer.status in expected, f"{who}: the instance is infeasible, the solver says {answer.status}")
        return
    _require(answer.solution is not None, f"{who}: it finds no solution ({answer.status})")
    assert answer.solution is not None
    found, sense = problem.objective(instance, answer.solution), problem.sense_of(instance)
    if answer.bound is not None:
        _require(
            _no_better(answer.bound, best[1], sense),
            f"{who}: its bound {answer.bound} excludes the optimum {best[1]}",
        )
    if solver.role == "exact":
        _require(agrees(found, best[1]), f"{who}: it finds {found}, the optimum is {best[1]}")
        _require(answer.status == "optimal", f"{who}: it ends with {answer.status}, expected a proof")
