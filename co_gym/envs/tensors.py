"""Small operations on tensors that several environments need."""

from __future__ import annotations

import torch
from numpy.typing import NDArray
from torch import Tensor

from co_gym.errors import InputError


def require_tensor(key: object, value: object) -> Tensor:
    """`value`, if it is a tensor.

    Raises:
        InputError: If it is something else.
    """
    if not isinstance(value, Tensor):
        raise InputError(f"{key} is a {type(value).__name__}: expected a tensor")
    return value


def flat(tensor: Tensor, batch_dims: int) -> NDArray:
    """A NumPy view of a contiguous tensor with its batch dimensions merged into one."""
    return tensor.flatten(0, batch_dims - 1).numpy()


def additive(mask: Tensor) -> Tensor:
    """0 where a mask is true, else -inf, float32; as 1 - 1 / mask, twice as fast as filling by the mask."""
    return mask.view(torch.uint8).to(torch.float32).reciprocal_().neg_().add_(1.0)


def gather_rows(table: Tensor, index: Tensor) -> Tensor:
    """`table[b, index[b]]` or `table[b, index[b, s]]`: rows [..., d] of a table [B, n, d]."""
    flat_index = index.reshape(table.shape[0], -1, 1).expand(-1, -1, table.shape[-1])
    return table.gather(1, flat_index).view(*index.shape, table.shape[-1])
