"""Tours built city by city."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from numpy.typing import NDArray
from torch import Tensor

from co_gym.envs.base import Environment
from co_gym.envs.kernels import tsp as kernels
from co_gym.envs.polish import polish_tours
from co_gym.envs.state import State
from co_gym.envs.tensors import additive, flat, gather_rows
from co_gym.envs.tours import leg, path_lengths, require_cities


@dataclass(slots=True, eq=False, kw_only=True)
class TSPState(State):
    """State of `TSPEnv`; see there.

    Attributes:
        tour: int64 [..., n]; the cities so far, 0 behind them.
        current_coordinates: dtype of the coordinates, [..., 2]; position of the latest city, 0 before the first.
            Without coordinates it stays 0 (float32).
    """

    tour: Tensor
    current_coordinates: Tensor


class TSPEnv(Environment[TSPState]):
    """Builds tours city by city (Bello et al. 2017, Kool et al. 2019).

    Instances: `coordinates` float32 or float64 [B, n, 2]; or `distances` int64, float32 or float64 [B, n, n],
    symmetric with zero diagonal; or both (then the distances count).
    Action: int64 [...], the next city, any city first. Mask: cities not visited, bool [..., n].
    State: `TSPState`.
    Reward: minus the length of the closed tour; step reward: minus the distance from the last city, in the last
    step also minus the way back to the first.
    Termination: after n steps.
    """

    problem = "tsp"
    state_type = TSPState
    maximize = False

    def objective(self, state: TSPState) -> Tensor:
        """Lengths of the tours [...]; of an unfinished one the length of its path so far."""
        return path_lengths(state.data, state.tour, state.steps, compiled=self.is_compiled(state))

    def step_reward(self, state: TSPState) -> Tensor:
        """See the class; 0 for the first city."""
        last = (state.steps - 1).clamp_min(0)
        here = state.tour.gather(-1, last.unsqueeze(-1)).squeeze(-1)
        previous = state.tour.gather(-1, (last - 1).clamp_min(0).unsqueeze(-1)).squeeze(-1)
        way_back = leg(state.data, here, state.tour[..., 0]) * state.done
        cost = (leg(state.data, previous, here) + way_back) * (state.current >= 0)
        return -cost.to(state.current_coordinates.dtype if cost.is_floating_point() else torch.float64)

    def solution(self, state: TSPState) -> Tensor:
        """The tours [..., n]; the state's own tensor, not a copy."""
        return state.tour

    def _prepare(self, data: dict[str, Tensor]) -> dict[str, Tensor]:
        require_cities(data)
        return data

    def _polish(self, data: dict[str, Tensor], solution: Tensor) -> Tensor:
        return polish_tours(data, solution)

    def _begin(self, data: dict[str, Tensor], shape: torch.Size) -> TSPState:
        reference = next(iter(data.values()))
        n, device = reference.shape[1], reference.device
        dtype = data["coordinates"].dtype if "coordinates" in data else torch.float32
        return TSPState(
            data=data,
            action_mask=torch.ones(*shape, n, dtype=torch.bool, device=device),
            additive_mask=torch.zeros(*shape, n, dtype=torch.float32, device=device),
            current=torch.full(shape, -1, device=device),
            steps=torch.zeros(shape, dtype=torch.int64, device=device),
            done=torch.zeros(shape, dtype=torch.bool, device=device),
            active=shape.numel() if device.type == "cpu" else -1,
            tour=torch.zeros(*shape, n, dtype=torch.int64, device=device),
            current_coordinates=torch.zeros(*shape, 2, dtype=dtype, device=device),
        )

    def _first_actions(self, state: TSPState) -> Tensor:
        n, starts = state.tour.shape[-1], state.tour.shape[1]
        return (torch.arange(starts, device=state.device) % n).expand(state.done.shape)

    def _views(self, state: TSPState) -> tuple[NDArray, ...]:
        fields = (
            state.action_mask,
            state.additive_mask,
            state.current,
            state.steps,
            state.done,
            state.tour,
            state.current_coordinates,
        )
        points = state.data.get("coordinates")
        if points is None:
            points = torch.empty(0, 1, 2)
        return (*(flat(field, state.done.ndim) for field in fields), points.numpy())

    def _advance(self, state: TSPState, arrays: tuple[NDArray, ...], action: NDArray, check: bool) -> int:
        return kernels.step(action, check, *arrays)

    def _advance_torch(self, state: TSPState, action: Tensor) -> None:
        n, moving = state.tour.shape[-1], ~state.done
        city = action.unsqueeze(-1)
        state.action_mask.scatter_(-1, city, False)
        position = state.steps.clamp_max(n - 1).unsqueeze(-1)
        chosen = torch.where(state.done, state.tour[..., -1], action)
        state.tour.scatter_(-1, position, chosen.unsqueeze(-1))
        state.current.copy_(action.masked_fill(state.done, -1))
        state.steps.add_(moving)
        torch.eq(state.steps, n, out=state.done)
        state.action_mask[..., 0].logical_or_(state.done)
        state.additive_mask.copy_(additive(state.action_mask))
        if "coordinates" in state.data:
            places = gather_rows(state.data["coordinates"], chosen)
            state.current_coordinates.copy_(places)
