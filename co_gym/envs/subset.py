"""Subsets built element by element: what knapsacks and independent sets share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor

from co_gym.envs.base import Environment
from co_gym.envs.kernels import subset as kernels
from co_gym.envs.state import State
from co_gym.envs.tensors import additive, flat
from co_gym.errors import InputError


@dataclass(slots=True, eq=False, kw_only=True)
class SubsetState(State):
    """State of a `SubsetEnv`.

    Attributes:
        selected: bool [..., n]; the elements chosen so far.
        available: int64 [...]; number of admissible elements, 0 when done.
    """

    selected: Tensor
    available: Tensor


S = TypeVar("S", bound=SubsetState)


class SubsetEnv(Environment[S]):
    """Chooses elements one by one until no more is admissible; the objective is the sum of their values.

    Attributes:
        value_key: The key [B, n] of the elements' values.
    """

    maximize = True
    value_key: ClassVar[str]

    def objective(self, state: S) -> Tensor:
        """Total value [...] of the chosen elements."""
        values = state.data[self.value_key]
        if not self.is_compiled(state):
            table = values if state.num_starts is None else values.unsqueeze(1)
            wide = table.double() if table.is_floating_point() else table
            return (wide * state.selected).sum(-1).to(values.dtype)
        out = torch.empty(state.done.shape, dtype=torch.float64 if values.is_floating_point() else values.dtype)
        kernels.totals(flat(state.selected, state.done.ndim), values.numpy(), out.view(-1).numpy())
        return out.to(values.dtype)

    def step_reward(self, state: S) -> Tensor:
        """Value of the latest element [...]."""
        values = state.data[self.value_key]
        chosen = state.current.clamp_min(0).reshape(values.shape[0], -1)
        reward = values.gather(1, chosen).view(state.done.shape) * (state.current >= 0)
        return reward if reward.is_floating_point() else reward.to(torch.float64)

    def solution(self, state: S) -> Tensor:
        """The chosen elements as a 0/1 vector, int64 [..., n]."""
        return state.selected.to(torch.int64)

    def _common(self, admissible: Tensor, shape: torch.Size) -> dict[str, Any]:
        """The fields of `SubsetState` before the first action, from the mask [B, n] of each instance."""
        n, device = admissible.shape[-1], admissible.device
        begin = _begin_compiled if self.backend == "auto" and admissible.is_cpu else _begin_torch
        return begin(admissible, shape) | {
            "current": torch.full(shape, -1, device=device),
            "steps": torch.zeros(shape, dtype=torch.int64, device=device),
            "selected": torch.zeros(*shape, n, dtype=torch.bool, device=device),
        }

    def _common_views(self, state: S) -> tuple[NDArray, ...]:
        fields = (
            state.action_mask,
            state.additive_mask,
            state.current,
            state.steps,
            state.done,
            state.selected,
            state.available,
        )
        return tuple(flat(field, state.done.ndim) for field in fields)

    def _take_torch(self, state: S, action: Tensor) -> Tensor:
        """Selects the elements of the active rows; returns which rows these are, bool [...]."""
        moving = ~state.done
        index = action.unsqueeze(-1)
        state.selected.scatter_(-1, index, state.selected.gather(-1, index) | moving.unsqueeze(-1))
        state.current.copy_(action.masked_fill(state.done, -1))
        state.steps.add_(moving)
        state.action_mask.scatter_(-1, index, False)
        return moving

    def _close_torch(self, state: S) -> None:
        """Counts what is left; marks the rows where that is nothing, and those done before, as done."""
        torch.sum(state.action_mask, -1, out=state.available)
        state.available.masked_fill_(state.done, 0)
        torch.eq(state.available, 0, out=state.done)
        state.action_mask[..., 0].logical_or_(state.done)
        state.additive_mask.copy_(additive(state.action_mask))


def _begin_compiled(admissible: Tensor, shape: torch.Size) -> dict[str, Any]:
    size = (*shape, admissible.shape[-1])
    fields: dict[str, Any] = {
        "action_mask": torch.empty(size, dtype=torch.bool),
        "additive_mask": torch.empty(size, dtype=torch.float32),
        "done": torch.empty(shape, dtype=torch.bool),
        "available": torch.empty(shape, dtype=torch.int64),
    }
    rows = (flat(field, len(shape)) for field in fields.values())
    return fields | {"active": kernels.begin(admissible.contiguous().numpy(), *rows)}


def _begin_torch(admissible: Tensor, shape: torch.Size) -> dict[str, Any]:
    count = admissible.sum(-1)
    done = count == 0
    mask = admissible.clone()
    mask[:, 0] |= done
    return {
        "action_mask": spread(mask, shape),
        "additive_mask": spread(additive(mask), shape),
        "done": spread(done, shape),
        "available": spread(count, shape),
    }


def spread(values: Tensor, shape: torch.Size) -> Tensor:
    """A copy of values [B, ...] for each start: [B, ...] or [B, S, ...]."""
    if len(shape) == 2:
        values = values.unsqueeze(1).expand(*shape, *values.shape[1:])
    return values.clone(memory_format=torch.contiguous_format)


def require_batch(data: dict[str, Tensor], shapes: dict[str, tuple[str, ...]], problem: str) -> dict[str, int]:
    """The sizes that the shapes name, bound by the tensors that are there.

    Raises:
        InputError: If a key is unknown, or a tensor's shape contradicts another's.
    """
    sizes: dict[str, int] = {}
    for key, value in data.items():
        if key not in shapes:
            raise InputError(f"unknown key '{key}' of {problem}: expected {', '.join(shapes)}")
        names = shapes[key]
        fits = len(names) == value.ndim and all(
            sizes.setdefault(name, size) == size for name, size in zip(names, value.shape, strict=True)
        )
        if not fits:
            raise InputError(f"{key} has shape {list(value.shape)}: expected [{', '.join(names)}]")
    return sizes
