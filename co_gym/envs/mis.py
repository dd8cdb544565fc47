"""Independent sets built node by node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from numpy.typing import NDArray
from torch import Tensor

from co_gym.envs.base import Data
from co_gym.envs.kernels import subset as kernels
from co_gym.envs.polish import polish_independent_sets
from co_gym.envs.subset import SubsetEnv, SubsetState, require_batch
from co_gym.envs.tensors import gather_rows
from co_gym.errors import InputError


@dataclass(slots=True, eq=False, kw_only=True)
class MISState(SubsetState):
    """State of `MISEnv`.

    Attributes:
        max_degree: Largest degree in the batch, once it was needed (by the torch path over neighbour lists).
    """

    max_degree: int = -1


class MISEnv(SubsetEnv[MISState]):
    """Builds independent sets node by node (Khalil et al. 2017).

    Instances: `weights` [B, n]; and `adjacency` bool [B, n, n], symmetric, or neighbour lists `indptr` int64
    [B, n + 1], `indices` int64 [B, E]; `node_mask` bool [B, n], optional, false for nodes that pad a graph. The
    neighbours of node i of instance b are `indices[b, indptr[b, i] : indptr[b, i + 1]]`: each edge at both its
    ends, anything behind the last.
    Action: int64 [...], a node. Mask: nodes neither chosen nor next to a chosen one, bool [..., n].
    State: `MISState`.
    Reward: total weight of the nodes chosen; step reward: weight of the node.
    Termination: when no node is left.
    """

    problem = "mis"
    state_type = MISState
    value_key = "weights"
    shapes: ClassVar[dict[str, tuple[str, ...]]] = {
        "weights": ("B", "n"),
        "adjacency": ("B", "n", "n"),
        "indptr": ("B", "n + 1"),
        "indices": ("B", "E"),
        "node_mask": ("B", "n"),
    }

    def reset_rows(self, state: MISState, rows: Tensor, data: Data) -> MISState:
        """See `Environment`."""
        state.max_degree = -1
        return super().reset_rows(state, rows, data)

    def _prepare(self, data: dict[str, Tensor]) -> dict[str, Tensor]:
        sizes = require_batch(data, self.shapes, self.problem)
        graph = data.keys() & {"adjacency", "indptr", "indices"}
        if "weights" not in data or graph not in ({"adjacency"}, {"indptr", "indices"}):
            raise InputError("a batch of mis needs weights, and either adjacency or both indptr and indices")
        if sizes.get("n + 1", sizes["n"] + 1) != sizes["n"] + 1:
            raise InputError(f"indptr has {sizes['n + 1']} entries: expected {sizes['n'] + 1}")
        if "adjacency" in data and data["adjacency"].dtype is not torch.bool:
            raise InputError(f"adjacency has dtype {data['adjacency'].dtype}: expected bool")
        wide = {key: value.long() for key, value in data.items() if key in ("indptr", "indices")}
        if not data["weights"].is_floating_point():
            wide["weights"] = data["weights"].long()
        return data | wide

    def _polish(self, data: dict[str, Tensor], solution: Tensor) -> Tensor:
        return polish_independent_sets(data, solution)

    def _begin(self, data: dict[str, Tensor], shape: torch.Size) -> MISState:
        weights = data["weights"]
        admissible = data.get("node_mask")
        if admissible is None:
            admissible = torch.ones(weights.shape, dtype=torch.bool, device=weights.device)
        return MISState(data=data, **self._common(admissible, shape))

    def _views(self, state: MISState) -> tuple[NDArray, ...]:
        keys = ("adjacency",) if "adjacency" in state.data else ("indptr", "indices")
        return (*self._common_views(state), *(state.data[key].numpy() for key in keys))

    def _advance(self, state: MISState, arrays: tuple[NDArray, ...], action: NDArray, check: bool) -> int:
        exclude = kernels.exclude_dense if "adjacency" in state.data else kernels.exclude_sparse
        return exclude(action, check, *arrays)

    def _advance_torch(self, state: MISState, action: Tensor) -> None:
        self._take_torch(state, action)
        if "adjacency" in state.data:
            state.action_mask.logical_and_(~gather_rows(state.data["adjacency"], action))
        else:
            self._exclude_neighbours(state, action)
        self._close_torch(state)

    def _exclude_neighbours(self, state: MISState, action: Tensor) -> None:
        indptr, indices = state.data["indptr"], state.data["indices"]
        if state.max_degree < 0:
            state.max_degree = int(indptr.diff(dim=1).max())
        if state.max_degree == 0:
            return
        batch = indptr.shape[0]
        nodes = action.reshape(batch, -1)
        first, last = indptr.gather(1, nodes).unsqueeze(-1), indptr.gather(1, nodes + 1).unsqueeze(-1)
        slots = torch.minimum(first + torch.arange(state.max_degree, device=action.device), last - 1).clamp_min(0)
        neighbours = indices.gather(1, slots.view(batch, -1)).view(slots.shape)
        neighbours = torch.where(last > first, neighbours, nodes.unsqueeze(-1))
        state.action_mask.scatter_(-1, neighbours.view(*action.shape, -1), False)
