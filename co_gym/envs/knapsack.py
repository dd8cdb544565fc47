"""Knapsacks packed item by item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from numpy.typing import NDArray
from torch import Tensor

from co_gym.envs.kernels import subset as kernels
from co_gym.envs.polish import polish_knapsacks
from co_gym.envs.subset import SubsetEnv, SubsetState, require_batch, spread
from co_gym.envs.tensors import flat
from co_gym.errors import InputError

TOLERANCE = 9.9e-10
"""By how much float weights may exceed a capacity, relative to max(1, capacity): a hundredth below the verifier's
tolerance, so that rounding in the sum never makes a choice infeasible."""


@dataclass(slots=True, eq=False, kw_only=True)
class KnapsackState(SubsetState):
    """State of the knapsacks.

    Attributes:
        remaining: int64 or float64 [..., m]; what is left of each capacity, m = 1 for the 0-1 knapsack.
    """

    remaining: Tensor


class MultiKnapsackEnv(SubsetEnv[KnapsackState]):
    """Packs items one by one within several capacities.

    Instances: `profits` [B, n], `weights` [B, m, n], `capacities` [B, m], non-negative; `item_mask` bool [B, n],
    optional, false for items that pad an instance. Integral weights are int64 and exact; float weights are used
    in float64, to within the verifier's tolerance, which the state's data holds as `slack` [B, m]
    (beside `heaviest` [B, m], the largest weights).
    Action: int64 [...], an item. Mask: items not chosen that fit, bool [..., n].
    State: `KnapsackState`.
    Reward: total profit of the items chosen; step reward: profit of the item.
    Termination: when no further item fits.
    """

    problem = "multiknapsack"
    state_type = KnapsackState
    value_key = "profits"
    shapes: ClassVar[dict[str, tuple[str, ...]]] = {
        "profits": ("B", "n"),
        "weights": ("B", "m", "n"),
        "capacities": ("B", "m"),
        "item_mask": ("B", "n"),
        "slack": ("B", "m"),
        "heaviest": ("B", "m"),
    }
    capacity_key: ClassVar[str] = "capacities"

    def _prepare(self, data: dict[str, Tensor]) -> dict[str, Tensor]:
        require_batch(data, self.shapes, self.problem)
        missing = [key for key in ("profits", "weights", self.capacity_key) if key not in data]
        if missing:
            raise InputError(f"a batch of {self.problem} needs {', '.join(missing)}")
        weights, capacity = data["weights"], data[self.capacity_key]
        if weights.is_floating_point():
            capacity = capacity.double()
            slack = TOLERANCE * capacity.clamp_min(1.0)
        else:
            capacity = (
                capacity.floor().clamp_max(2.0**62).to(torch.int64)
                if capacity.is_floating_point()
                else capacity.long()
            )
            slack = torch.zeros_like(capacity)
        exact = {"weights": weights.to(capacity.dtype), self.capacity_key: capacity, "slack": slack}
        exact["heaviest"] = exact["weights"].amax(-1)
        profits = data["profits"]
        exact["profits"] = profits if profits.is_floating_point() else profits.long()
        return data | exact

    def _polish(self, data: dict[str, Tensor], solution: Tensor) -> Tensor:
        weights, capacity, slack, _ = self._rows(data)
        return polish_knapsacks(data["profits"], weights, capacity + slack, solution, data.get("item_mask"))

    def _begin(self, data: dict[str, Tensor], shape: torch.Size) -> KnapsackState:
        weights, capacity, slack, _ = self._rows(data)
        admissible = (weights <= (capacity + slack).unsqueeze(-1)).all(1)
        if "item_mask" in data:
            admissible &= data["item_mask"]
        return KnapsackState(
            data=data,
            remaining=spread(capacity, shape),
            **self._common(admissible, shape),
        )

    def _rows(self, data: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Weights [B, m, n], capacities, slack and heaviest weights [B, m]."""
        return data["weights"], data["capacities"], data["slack"], data["heaviest"]

    def _views(self, state: KnapsackState) -> tuple[NDArray, ...]:
        weights, _, slack, heaviest = self._rows(state.data)
        remaining = flat(state.remaining, state.done.ndim)
        return (*self._common_views(state), remaining, weights.numpy(), slack.numpy(), heaviest.numpy())

    def _advance(self, state: KnapsackState, arrays: tuple[NDArray, ...], action: NDArray, check: bool) -> int:
        return kernels.pack(action, check, *arrays)

    def _advance_torch(self, state: KnapsackState, action: Tensor) -> None:
        weights, _, slack, _ = self._rows(state.data)
        moving = self._take_torch(state, action)
        batch, m, _ = weights.shape
        index = action.reshape(batch, 1, -1).expand(-1, m, -1)
        used = weights.gather(2, index).transpose(1, 2).reshape(*action.shape, m)
        state.remaining.sub_(used * moving.unsqueeze(-1))
        if action.ndim == 2:
            weights, slack = weights.unsqueeze(1), slack.unsqueeze(1)
        limit = state.remaining + slack
        for i in range(m):
            state.action_mask.logical_and_(weights[..., i, :] <= limit[..., i, None])
        self._close_torch(state)


class KnapsackEnv(MultiKnapsackEnv):
    """Packs items one by one into one knapsack (Bello et al. 2017, Kwon et al. 2020).

    Instances: `profits` [B, n], `weights` [B, n], `capacity` [B]; all else as in `MultiKnapsackEnv` with m = 1.
    """

    problem = "knapsack"
    shapes = {
        "profits": ("B", "n"),
        "weights": ("B", "n"),
        "capacity": ("B",),
        "item_mask": ("B", "n"),
        "slack": ("B",),
        "heaviest": ("B",),
    }
    capacity_key = "capacity"

    def _rows(self, data: dict[str, Tensor]) -> tuple[Tensor, ...]:
        rows = (data[key].unsqueeze(1) for key in ("weights", "capacity", "slack", "heaviest"))
        return tuple(rows)
