"""Equivalent instances: points under the symmetries of the unit square."""

from __future__ import annotations

import torch
from torch import Tensor

from co_gym.envs.wrappers import SYMMETRIES, symmetry
from co_gym.errors import InputError
from policies.tasks.base import Data, Task


def require_augmentations(task: Task, augmentations: int) -> None:
    """Checks how many symmetric copies of each instance are asked for.

    Raises:
        InputError: If the number is not 1 to 8, or above 1 for a task whose instances are not points.
    """
    if not 1 <= augmentations <= SYMMETRIES:
        raise InputError(f"augmentations is {augmentations}: expected 1 to {SYMMETRIES}")
    if augmentations > 1 and not task.symmetric:
        raise InputError(f"augmentations is {augmentations}: expected 1, {type(task).__name__} has no symmetries")


def augmented(data: Data, augmentation: Tensor) -> Data:
    """Instances with the cities of the b-th under symmetry `augmentation[b]` (Kwon et al. 2020).

    Args:
        data: The instances; where none is turned it is returned as it is, else it has `coordinates` [B, n, 2].
        augmentation: int64 [B] in 0..7; 0: as it is.
    """
    if not bool(augmentation.any()):
        return data
    points = data["coordinates"]
    matrices, offsets = zip(*(symmetry(index) for index in range(SYMMETRIES)), strict=True)
    matrix, offset = (
        torch.stack([torch.from_numpy(part).to(points) for part in parts]) for parts in (matrices, offsets)
    )
    turned = points @ matrix[augmentation].transpose(1, 2) + offset[augmentation].unsqueeze(1)
    return {**data, "coordinates": turned}
