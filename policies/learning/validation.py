"""Instances that are validated on, with the best objectives known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from co_gym import registry
from co_gym.envs.batch import stack, unstack
from co_gym.envs.tensors import require_tensor
from co_gym.instance import Instance
from policies import testsets
from policies.learning.batches import Batch
from policies.preparation import prepare
from policies.tasks.base import Task


def fixed_sets(names: Sequence[str], count: int) -> list[list[Batch]]:
    """The first `count` instances of fixed test sets, those of each set as one batch, padded where sizes differ.

    Raises:
        InputError: If there is no set of such a name, or one is smaller, or sizes differ that cannot be padded.
    """
    found = []
    for name in names:
        chosen = testsets.load(name)
        references = torch.from_numpy(chosen.references(count)).double()
        found.append([stacked(chosen.instances(count)) | {"reference": references}])
    return found


def prepared(instance: Instance, task: Task | None, solution: NDArray | None = None) -> Batch:
    """A batch of one instance as a task expects it, with its best known objective in the same unit.

    Args:
        instance: In its own units.
        task: See `policies.preparation`; None: the instance stays as it is.
        solution: A good solution [n], if there is one.
    """
    reference = torch.nan if instance.reference is None else float(instance.reference)
    batch = stacked([instance]) if task is None else prepare(instance, task)
    if task is not None and task.symmetric:
        reference *= _unit(instance, batch)
    batch["reference"] = torch.tensor([reference], dtype=torch.float64)
    if solution is not None:
        batch["solution"] = torch.from_numpy(solution.astype(np.int64)).unsqueeze(0)
    return batch


def _unit(instance: Instance, batch: Batch) -> float:
    """What a tour's length in the instance's own unit is to be multiplied by."""
    problem = registry.problem(instance.problem)
    (scaled,) = unstack(instance.problem, batch)
    tour = np.arange(problem.size(instance))
    length = float(problem.objective(instance, tour))
    return float(problem.objective(scaled, tour)) / length if length > 0 else 1.0


def grouped(batches: Sequence[Batch]) -> list[Batch]:
    """Batches whose arrays fit together as one each, in order of first appearance; nothing is padded."""
    groups: dict[tuple, list[Batch]] = {}
    for batch in batches:
        alike = tuple((key, value.shape[1:], value.dtype) for key, value in sorted(batch.items()))
        groups.setdefault(alike, []).append(batch)
    return [{key: torch.cat([batch[key] for batch in group]) for key in group[0]} for group in groups.values()]


def stacked(instances: Sequence[Instance]) -> Batch:
    """Instances of one problem as one batch."""
    return {str(key): require_tensor(key, value) for key, value in stack(instances).items()}
