"""From an instance in the user's own units to the batch that a policy expects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from co_gym import registry
from co_gym.envs.batch import stack
from co_gym.envs.tensors import require_tensor
from co_gym.instance import Instance
from co_gym.problems.tsp import embed
from policies.tasks.base import Data, Task


def prepare(instance: Instance, task: Task) -> Data:
    """A batch of one instance as a task expects it.

    For tasks on points in the unit square the points are moved into it with one factor for both axes, unless they
    are in it and fill it; an instance without points gets those that keep its distances best (Torgerson 1952).
    Distances, as float64, are scaled so that their mean is that of the points, whatever their unit and their kind
    (rounded, geographical, explicit). All other data stays as it is.

    Raises:
        InputError: If the instance is of a problem without an environment.
    """
    if not task.symmetric:
        return tensors_of([instance])
    if "distances" not in instance:
        return {"coordinates": _batched(unit_square(instance["coordinates"])).float()}
    distances = instance["distances"].astype(np.float64)
    points = unit_square(instance["coordinates"] if "coordinates" in instance else embed(distances))
    return {
        "coordinates": _batched(points).float(),
        "distances": _batched(distances * scale(points, distances)),
    }


def tensors_of(instances: Sequence[Instance]) -> Data:
    """A batch of instances as they are, padded where they differ in size; see `co_gym.envs.batch.stack`."""
    return {str(key): require_tensor(key, value) for key, value in stack(instances).items()}


def sizes(instance: Instance, task: Task, data: Data) -> tuple[int, int]:
    """The size of an instance, and how many constraints over its nodes the task sees; 0 if it looks at none."""
    size = registry.problem(instance.problem).size(instance)
    if not task.features.constraints:
        return size, 0
    constraints = task.graph(data).constraints
    return size, 0 if constraints is None else constraints.shape[1]


def unit_square(points: NDArray) -> NDArray:
    """Points [n, 2] moved into the unit square, one side filled, in the middle along the other.

    Points that are in it and extend over more than half of a side are left as they are.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    extent = (high - low).max()
    if low.min() >= 0 and high.max() <= 1 and extent > 0.5:
        return points
    moved = (points - (low + high) / 2) / (extent if extent > 0 else 1.0) + 0.5
    return np.clip(moved, 0.0, 1.0)  # rounding


def scale(points: NDArray, distances: NDArray) -> float:
    """The factor that gives distances [n, n] the mean of the Euclidean ones of points [n, 2]; 1 if all are 0."""
    total = distances.sum()
    euclidean = sum(np.hypot(*(points - point).T).sum() for point in points)
    return float(euclidean / total) if total > 0 else 1.0


def _batched(array: NDArray) -> torch.Tensor:
    return torch.tensor(array).unsqueeze(0)
