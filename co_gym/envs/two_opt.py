"""Tours improved by reversing segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor

from co_gym.envs.base import Backend, Environment
from co_gym.envs.kernels import two_opt as kernels
from co_gym.envs.state import State
from co_gym.envs.tensors import additive, flat
from co_gym.envs.tours import are_tours, leg, nearest_neighbour, path_lengths, require_cities
from co_gym.errors import InputError

Start = Literal["random", "nearest-neighbour"]


@dataclass(slots=True, eq=False, kw_only=True)
class TwoOptState(State):
    """State of `TwoOptEnv`; see there. Lengths are int64 for integral distances, else float64.

    Attributes:
        tour: int64 [..., n]; the current tours.
        best_tour: int64 [..., n]; the shortest tours so far.
        length: [...]; lengths of `tour`.
        best_length: [...]; lengths of `best_tour`.
        improvement: [...]; by how much the latest move improved the best length.
    """

    shares_mask: ClassVar[bool] = True
    tour: Tensor
    best_tour: Tensor
    length: Tensor
    best_length: Tensor
    improvement: Tensor


class TwoOptEnv(Environment[TwoOptState]):
    """Improves tours by 2-opt moves (da Costa et al. 2020).

    Instances: those of `TSPEnv`, with at least two cities; and `tour` int64 [B, n] or [B, S, n], optional, the
    tours to begin from.
    Action: int64 [...], i * n + j with i < j: reverses the positions i..j of the tour.
    Mask: i < j, the same for all rows and steps and one piece of memory for all, bool [..., n * n].
    State: `TwoOptState`.
    Reward: minus the length of the best tour; step reward: improvement of the best length.
    Termination: after `max_steps` moves.

    Args:
        max_steps: Moves of an episode.
        start: Where to begin without `tour`: a random tour, or the nearest neighbour's from city 0 (start s: from
            city s).
        seed: Of the random tours; later resets go on drawing.
        backend: As in `Environment`.
    """

    problem = "tsp"
    maximize = False
    state_type = TwoOptState

    def __init__(
        self, *, max_steps: int = 100, start: Start = "random", seed: int = 0, backend: Backend = "auto"
    ) -> None:
        super().__init__(backend=backend)
        if max_steps < 1 or start not in ("random", "nearest-neighbour"):
            raise InputError(
                f"max_steps {max_steps}, start '{start}': expected at least 1, and random or nearest-neighbour"
            )
        self.max_steps = max_steps
        self.start = start
        self.generator = torch.Generator().manual_seed(seed)

    def objective(self, state: TwoOptState) -> Tensor:
        """Lengths of the best tours [...]."""
        return path_lengths(state.data, state.best_tour, compiled=self.is_compiled(state))

    def step_reward(self, state: TwoOptState) -> Tensor:
        """See the class; the first reward is that of the tour to begin from."""
        table = state.data.get("distances", state.data.get("coordinates"))
        assert table is not None
        return state.improvement.to(table.dtype if table.is_floating_point() else torch.float64)

    def solution(self, state: TwoOptState) -> Tensor:
        """The best tours [..., n]; the state's own tensor, not a copy."""
        return state.best_tour

    def _prepare(self, data: dict[str, Tensor]) -> dict[str, Tensor]:
        cities = {key: value for key, value in data.items() if key != "tour"}
        batch, n = require_cities(cities)
        if n < 2:
            raise InputError("2-opt needs at least 2 cities")
        if "tour" in data:
            tour = data["tour"]
            if tour.shape[0] != batch or tour.shape[-1] != n or tour.ndim not in (2, 3):
                raise InputError(
                    f"tour has shape {list(tour.shape)}: expected [{batch}, {n}] or [{batch}, S, {n}]"
                )
            if tour.dtype is not torch.int64 or not bool(are_tours(tour).all()):
                raise InputError("tour is not a batch of int64 permutations of the cities")
        return data

    def _begin(self, data: dict[str, Tensor], shape: torch.Size) -> TwoOptState:
        cities = {key: value for key, value in data.items() if key != "tour"}
        table = cities.get("distances", cities.get("coordinates"))
        assert table is not None
        n, device = table.shape[1], table.device
        tour = self._first_tours(data, shape, n)
        dtype = torch.float64 if table.is_floating_point() else torch.int64
        exact = {key: value.to(dtype) for key, value in cities.items()}
        length = path_lengths(exact, tour, compiled=self.backend == "auto")
        structure = torch.ones(n, n, dtype=torch.bool, device=device).triu(1).view(-1)
        return TwoOptState(
            data=cities,
            action_mask=structure.expand(*shape, n * n),
            additive_mask=additive(structure).expand(*shape, n * n),
            current=torch.full(shape, -1, device=device),
            steps=torch.zeros(shape, dtype=torch.int64, device=device),
            done=torch.zeros(shape, dtype=torch.bool, device=device),
            active=shape.numel() if device.type == "cpu" else -1,
            tour=tour,
            best_tour=tour.clone(),
            length=length,
            best_length=length.clone(),
            improvement=torch.zeros_like(length),
        )

    def _first_tours(self, data: dict[str, Tensor], shape: torch.Size, n: int) -> Tensor:
        if "tour" in data:
            given = data["tour"]
            if given.ndim == 3 and given.shape[:2] != shape:
                raise InputError(f"tour has {given.shape[1]} starts: expected num_starts={given.shape[1]}")
            if given.ndim == 2 and len(shape) == 2:
                given = given.unsqueeze(1)
            return given.expand(*shape, n).clone(memory_format=torch.contiguous_format)
        if self.start == "random":
            device = next(iter(data.values())).device
            return torch.rand(*shape, n, generator=self.generator).argsort(-1).to(device)
        return nearest_neighbour(data, shape)

    def _first_actions(self, state: TwoOptState) -> None:
        return None

    def _views(self, state: TwoOptState) -> tuple[NDArray, ...]:
        fields = (
            state.current,
            state.steps,
            state.done,
            state.tour,
            state.best_tour,
            state.length,
            state.best_length,
            state.improvement,
        )
        table = state.data["distances" if "distances" in state.data else "coordinates"]
        return (*(flat(field, state.done.ndim) for field in fields), table.numpy())

    def _advance(self, state: TwoOptState, arrays: tuple[NDArray, ...], action: NDArray, check: bool) -> int:
        by_distance = "distances" in state.data
        advance = kernels.step_by_distances if by_distance else kernels.step_by_coordinates
        return advance(action, self.max_steps, *arrays)

    def _advance_torch(self, state: TwoOptState, action: Tensor) -> None:
        n = state.tour.shape[-1]
        moving = ~state.done
        i, j = (action // n).unsqueeze(-1), (action % n).unsqueeze(-1)
        positions = torch.arange(n, device=action.device).expand(state.tour.shape)
        inside = (positions >= i) & (positions <= j) & moving.unsqueeze(-1)
        delta = self._delta(state, i, j)
        state.tour.copy_(state.tour.gather(-1, torch.where(inside, i + j - positions, positions)))
        state.length.add_(delta * moving)
        state.improvement.copy_((state.best_length - state.length).clamp_min_(0) * moving)
        better = state.improvement > 0
        torch.where(better, state.length, state.best_length, out=state.best_length)
        torch.where(better.unsqueeze(-1), state.tour, state.best_tour, out=state.best_tour)
        state.current.copy_(action.masked_fill(state.done, -1))
        state.steps.add_(moving)
        torch.ge(state.steps, self.max_steps, out=state.done)

    def _delta(self, state: TwoOptState, i: Tensor, j: Tensor) -> Tensor:
        """Change of the length by reversing the positions i..j."""
        n = state.tour.shape[-1]
        ends = torch.cat([(i - 1) % n, i, j, (j + 1) % n], -1)
        before, first, last, after = state.tour.gather(-1, ends).unbind(-1)
        whole = (j - i).squeeze(-1) >= n - 1
        added = leg(state.data, before, last) + leg(state.data, first, after)
        return (added - leg(state.data, before, first) - leg(state.data, last, after)).masked_fill(whole, 0)
