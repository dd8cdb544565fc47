"""`assert_problem`: what a problem must satisfy."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.domains import Box
from co_gym.exact import Number
from co_gym.instance import Instance, Key
from co_gym.problems.base import Problem
from co_gym.testing.common import (
    brute_force,
    generated,
    members_of,
    refuses,
    require,
    require_json,
)
from co_gym.testing.formulations import MOST_ROUND_TRIPS, check_formulation, check_round_trip
from co_gym.verifier import verify


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
    small = generated(problem, seed) if instances is None else list(instances)
    require(bool(small), f"{problem.name} has no distributions: give assert_problem some instances")
    _check_refusals(problem, small[-1])
    for instance in small:
        _check_instance(problem, instance)
        members = members_of(problem, instance)
        if members is not None:
            _check_against_enumeration(problem, instance, members, np.random.default_rng(seed))


def _check_metadata(problem: Problem) -> None:
    require(isinstance(problem, Problem), f"{problem!r} is no instance of co_gym.problems.base.Problem")
    who = f"problem {problem.name!r}"
    require(isinstance(problem.name, str) and bool(problem.name), f"{who}: expected a name")
    require(problem.sense in ("minimize", "maximize"), f"{who}: sense is {problem.sense!r}")
    require(all(isinstance(key, Key) for key in problem.keys), f"{who}: keys must be Key objects")
    names = [key.name for key in problem.keys]
    require(len(set(names)) == len(names) > 0, f"{who}: expected keys of different names, got {names}")
    require(all(key.doc for key in problem.keys), f"{who}: each key needs a doc")
    require(isinstance(problem.forms, tuple) and len(problem.forms) > 0, f"{who}: expected a tuple of forms")
    require(isinstance(problem.distributions, Mapping), f"{who}: distributions must be a mapping")


def _same(a: Instance, b: Instance) -> bool:
    return a.data.keys() == b.data.keys() and all(np.array_equal(a[k], b[k]) for k in a.data)


def _check_distribution(problem: Problem, label: str, seed: int) -> None:
    who = f"distribution {label!r} of {problem.name}"

    def draw(count: int, seed: int) -> list[Instance]:
        return problem.generate(24, count=count, distribution=label, seed=seed)

    made = draw(6, seed)
    require(len(made) == 6, f"{who}: asked for 6 instances, got {len(made)}")
    require(all(problem.size(one) == 24 for one in made), f"{who}: asked for size 24, got {problem.size(made[0])}")
    again, fewer, other = draw(6, seed), draw(2, seed), draw(6, seed + 1)
    require(all(map(_same, made, again)), f"{who}: the same seed gives different data")
    require(all(map(_same, made[:2], fewer)), f"{who}: an instance depends on how many are asked for")
    require(not all(map(_same, made, other)), f"{who}: different seeds give the same data")
    require(not all(_same(made[0], one) for one in made[1:]), f"{who}: all instances of a seed are the same")
    _check_batches(problem, label, seed)
    refuses(f"{who}: size 0", problem.generate, 0, distribution=label)
    refuses(f"{who}: an unknown option", problem.generate, 5, distribution=label, no_such_option=1)


def _check_batches(problem: Problem, label: str, seed: int) -> None:
    """A distribution with a keyword `count` draws arrays with a leading axis; each slice is an instance."""
    draw = problem.distributions[label]
    if "count" not in inspect.signature(draw).parameters:
        return
    drawn = draw(np.random.default_rng(seed), 24, count=3)
    for index in range(3):
        require(
            all(len(array) == 3 for array in drawn.values()),
            f"distribution {label!r} of {problem.name}: count=3 draws shapes {[a.shape for a in drawn.values()]}",
        )
        problem.instance({name: array[index] for name, array in drawn.items()})


def _check_refusals(problem: Problem, instance: Instance) -> None:
    """Bad data and unknown names must be refused as bad input, not accepted and not with another error."""
    data = dict(instance.data)
    who = problem.name
    refuses(f"{who}: an unknown distribution", problem.generate, 5, distribution="no such distribution")
    refuses(f"{who}: an unknown formulation", problem.formulate, instance, "no such formulation")
    refuses(f"{who}: an unknown key", problem.instance, data | {"no such key": np.zeros(1)})
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
                refuses(f"{who}: {key.name} {what}", problem.instance, data | {key.name: array})
        if not key.optional:
            rest = {name: array for name, array in data.items() if name != key.name}
            refuses(f"{who}: data without {key.name}", problem.instance, rest)


def _check_instance(problem: Problem, instance: Instance) -> None:
    who = instance.name
    require(instance.problem == problem.name, f"{who}: its problem is {instance.problem!r}, not {problem.name!r}")
    require(isinstance(problem.size(instance), int), f"{who}: size is no int")
    for name, array in instance.data.items():
        require(not array.flags.writeable, f"{who}: {name} can be written to")
    again = problem.instance(instance.data, name=instance.name)
    require(_same(instance, again), f"{who}: its own data makes another instance")


def _check_against_enumeration(
    problem: Problem, instance: Instance, members: list[NDArray], rng: np.random.Generator
) -> None:
    best = brute_force(problem, instance)
    checks = [verify(instance, member, problem=problem) for member in members]
    for member, check in zip(members, checks, strict=True):
        require(check.objective is not None, f"{instance.name}: a member of the domain is refused: {member}")
        require(
            check.feasible != bool(check.violations), f"{instance.name}: infeasible without a reason: {member}"
        )
        require(all(isinstance(v, str) and v for v in check.violations), f"{instance.name}: a reason is empty")
    feasible = [member for member, check in zip(members, checks, strict=True) if check.feasible]
    if best is not None:
        _check_solution(problem, instance, *best)
    for form in problem.forms:
        formulation = problem.formulate(instance, form)
        check_formulation(problem, instance, form, formulation, best)
        sample = rng.permutation(len(feasible))[:MOST_ROUND_TRIPS]
        for member in [feasible[i] for i in sample]:
            check_round_trip(problem, instance, form, formulation, member)


def _check_solution(problem: Problem, instance: Instance, solution: NDArray, objective: Number) -> None:
    """The verifier accepts the optimum, and refuses what is made of it by damage or with a false claim."""
    who = instance.name
    worse = 1 if problem.sense_of(instance) == "minimize" else -1
    check = verify(instance, solution, claimed=objective, bound=objective, problem=problem)
    require(check.ok, f"{who}: its optimum is refused: {check}")
    for claim in ({"claimed": objective + 1}, {"claimed": objective - 1}, {"bound": objective + worse}):
        check = verify(instance, solution, problem=problem, **claim)
        require(check.claim_error is not None, f"{who}: the false claim {claim} is believed")
    for what, damaged in _damaged(problem, instance, solution).items():
        check = verify(instance, damaged, problem=problem)
        require(not check.feasible, f"{who}: a solution {what} is accepted")
        require(all(check.violations) and bool(check.violations), f"{who}: {what}: no reason is given")
    require_json(f"{who}: solution_to_json", problem.solution_to_json(instance, solution))
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
    require(bool(axes.has_data()), f"{instance.name}: draw puts nothing on the axes")
