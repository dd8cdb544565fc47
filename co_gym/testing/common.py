"""What the checks of problems and of solvers share."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from co_gym.exact import Number
from co_gym.instance import Instance
from co_gym.problems.base import Problem
from co_gym.verifier import agrees

LARGEST_DOMAIN = 500_000
"""Members above which `brute_force` refuses."""

SIZES = (1, 2, 3, 4, 5, 6)
"""Sizes of the generated instances that are compared with enumeration."""

MOST_MEMBERS = 1_000
"""Members up to which an instance is small enough to be compared with enumeration."""


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


def require(condition: bool, message: str) -> None:
    """Raises an `AssertionError` with the message unless the condition holds."""
    if not condition:
        raise AssertionError(message)


def require_json(what: str, value: Any) -> None:
    """Requires that a value can be written as strict JSON."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{what} is no plain JSON: {error}") from error


def refuses(what: str, attempt: Any, *args: Any, **kwargs: Any) -> None:
    """Requires that a call raises `InputError` and nothing else."""
    try:
        attempt(*args, **kwargs)
    except InputError as error:
        require(bool(error.message), f"{what} is refused without a message")
    except Exception as error:
        raise AssertionError(f"{what} raises {error!r}: expected an InputError") from error
    else:
        raise AssertionError(f"{what} is accepted: expected an InputError")


def members_of(problem: Problem, instance: Instance) -> list[NDArray] | None:
    """All members of a small domain; None if there are too many or they cannot be listed."""
    try:
        members = list(itertools.islice(problem.domain(instance).members(), MOST_MEMBERS + 1))
    except ValueError:
        return None
    return members if len(members) <= MOST_MEMBERS else None


def generated(problem: Problem, seed: int) -> list[Instance]:
    """Small instances of each size in `SIZES` from every distribution."""
    return [
        instance
        for label in problem.distributions
        for size in SIZES
        for instance in problem.generate(size, distribution=label, seed=seed)
    ]


def no_better(bound: Number, optimum: Number, sense: str) -> bool:
    """Whether a bound is no better than the optimum that it bounds."""
    return agrees(bound, optimum) or (bound < optimum if sense == "minimize" else bound > optimum)


def assert_same(a: Any, b: Any, where: str = "") -> None:
    """The same nested structure of dictionaries, tuples and object arrays, with the same arrays in it."""
    if isinstance(a, dict):
        require(isinstance(b, dict) and a.keys() == b.keys(), f"{where}: {set(a)} and {b}")
        for key in a:
            assert_same(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, tuple) or (isinstance(a, np.ndarray) and a.dtype == object):
        require(len(a) == len(b), f"{where}: {len(a)} and {len(b)} parts")
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{where}[{i}]")
    else:
        np.testing.assert_array_equal(a, b, err_msg=where)
