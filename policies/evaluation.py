"""How good a policy is: gaps and times of its decodings on given instances, and of other methods beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from co_gym import registry
from co_gym.errors import InputError, SolverError, unknown_name
from co_gym.instance import Instance
from co_gym.result import relative_gap
from co_gym.runner import solve
from co_gym.solvers.base import Options
from co_gym.verifier import verify
from policies.decoding import (
    ActiveSearch,
    BeamSearch,
    MultiStart,
    Sampling,
    Search,
    SimulationGuidedBeamSearch,
)
from policies.policy import ConstructivePolicy
from policies.preparation import prepare, tensors_of
from policies.tasks.base import Data, Task

DECODINGS: Mapping[str, Callable[[int], Search]] = {
    "greedy": lambda seed: MultiStart(num_starts=1),
    "multi-start": lambda seed: MultiStart(),
    "x8": lambda seed: MultiStart(augmentations=8),
    "sampling": lambda seed: MultiStart(Sampling(seed=seed), samples=10),
    "beam": lambda seed: BeamSearch(),
    "sgbs": lambda seed: SimulationGuidedBeamSearch(),
    "eas": lambda seed: ActiveSearch(seed=seed),
}
"""Decodings by name, each made from a seed; with `+polish` every solution is polished by the environment."""
POLISH = "+polish"
LEAST_SECONDS = 1e-3
"""Other methods get this at least."""


@dataclass(frozen=True)
class Outcome:
    """What a method reached.

    Attributes:
        method: Its name.
        gap: Mean gap to the references in percent.
        optimal: Share of the instances whose reference was reached to within 1e-6.
        seconds: Mean wall-clock time for an instance.
    """

    method: str
    gap: float
    optimal: float
    seconds: float


def decoding(name: str, policy: ConstructivePolicy, seed: int = 0) -> Search:
    """The decoding of a given name.

    Raises:
        InputError: If there is none of that name, or the policy's task has no symmetric copies for it.
    """
    plain = name.removesuffix(POLISH)
    if plain not in DECODINGS:
        raise unknown_name("decoding", plain, list(DECODINGS))
    made = DECODINGS[plain](seed)
    if made.augmentations > 1 and not policy.task.symmetric:
        raise InputError(f"decoding '{name}' needs symmetric copies, which {type(policy.task).__name__} has not")
    if name != plain:
        made.polish = policy.environment.polish
    return made


def batches(instances: Sequence[Instance], task: Task, size: int) -> list[tuple[list[Instance], Data]]:
    """Instances in batches of at most a size, with their data as the task expects it.

    Raises:
        InputError: If instances cannot share a batch; a size of 1 is always possible.
    """
    parts = [list(instances[i : i + size]) for i in range(0, len(instances), size)]
    return [(part, _data(part, task)) for part in parts]


def _data(instances: list[Instance], task: Task) -> Data:
    if not task.symmetric:
        return tensors_of(instances)
    single = [prepare(instance, task) for instance in instances]
    if len({tuple((key, value.shape) for key, value in data.items()) for data in single}) > 1:
        raise InputError("instances of different sizes or kinds in a batch: expected a batch size of 1")
    return {key: torch.cat([data[key] for data in single]) for key in single[0]}


def evaluate(
    policy: ConstructivePolicy,
    instances: Sequence[Instance],
    name: str,
    *,
    seed: int = 0,
    batch: int = 100,
    advance: Callable[[int], None] | None = None,
) -> Outcome:
    """What a decoding reaches, by the verifier's objectives.

    Args:
        policy: The policy.
        instances: With their references.
        name: Of the decoding.
        seed: For decodings that draw.
        batch: Instances solved at once.
        advance: Called with the number of instances that were just solved.

    Raises:
        InputError: If there is no such decoding, or an instance has no reference.
        SolverError: If a solution is infeasible.
    """
    search, seconds, gaps = decoding(name, policy, seed), 0.0, list[float]()
    problem = registry.problem(policy.environment.problem)
    search(policy, batches(instances[:1], policy.task, 1)[0][1])  # compiles the kernels
    for part, data in batches(instances, policy.task, batch):
        began = time.perf_counter()
        solutions = search(policy, data).solution.numpy()
        seconds += time.perf_counter() - began
        for instance, solution in zip(part, solutions, strict=True):
            check = verify(instance, solution[: problem.size(instance)])  # without what pads it
            if not check.feasible or check.objective is None:
                raise SolverError(f"{instance.name}: {name} gave an infeasible solution: {check.violations[:1]}")
            gaps.append(_gap(instance, check.objective))
        if advance is not None:
            advance(len(part))
    return _outcome(name, gaps, seconds)


def compare(
    method: str, instances: Sequence[Instance], seconds: float, *, advance: Callable[[int], None] | None = None
) -> Outcome:
    """What another method reaches within a time for each instance.

    Args:
        method: As for `co_gym.solve`.
        instances: With their references.
        seconds: Time limit for an instance.
        advance: Called with 1 after each instance.

    Raises:
        InputError: If the method does not take the problem, or an instance has no reference.
        SolverError: If it finds no feasible solution.
    """
    options, gaps, spent = Options(time_limit=max(seconds, LEAST_SECONDS)), list[float](), 0.0
    solve(instances[0], method, options=options)  # compiles the kernels
    for instance in instances:
        result = solve(instance, method, options=options)
        if not result.feasible or result.objective is None:
            raise SolverError(f"{instance.name}: {method} found no feasible solution")
        gaps.append(_gap(instance, result.objective))
        spent += result.runtime
        if advance is not None:
            advance(1)
    return _outcome(method, gaps, spent)


def _gap(instance: Instance, objective: int | float) -> float:
    if instance.reference is None:
        raise InputError(f"{instance.name} has no reference objective to compare with")
    return relative_gap(objective, instance.reference)


def _outcome(method: str, gaps: list[float], seconds: float) -> Outcome:
    count = len(gaps)
    optimal = sum(gap < 1e-6 for gap in gaps) / count
    return Outcome(method, 100 * sum(gaps) / count, optimal, seconds / count)
