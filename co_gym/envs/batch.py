"""From a list of instances to one batch of tensors, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict, TensorDictBase
from torch import Tensor

from co_gym import registry
from co_gym.envs.tensors import require_tensor
from co_gym.errors import InputError, unknown_name
from co_gym.instance import Instance
from co_gym.problems.mis import MIS, adjacency_matrix

DENSE_NODES = 512
"""Graphs of up to this many nodes are stacked as adjacency matrices unless told otherwise."""

Arrays = dict[str, NDArray]
Row = Mapping[str, Tensor]


def stack(
    instances: Sequence[Instance],
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
    sparse: bool | None = None,
) -> TensorDict:
    """A batch [B] of instances of one problem, for the environment of that problem.

    Integral data is int64 as ever. Knapsacks and graphs of different sizes are padded: `item_mask` or `node_mask`
    is false at what pads them.

    Args:
        instances: At least one; all of one problem.
        device: Where to put the tensors.
        dtype: Of coordinates, float distances and float node weights. Float data of knapsacks stays float64, since
            a rounded weight could overfill a knapsack.
        sparse: Whether graphs are neighbour lists instead of adjacency matrices; None: those above 512 nodes.

    Raises:
        InputError: If the instances cannot share a batch.
    """
    if not instances:
        raise InputError("nothing to stack: expected at least one instance")
    problem = instances[0].problem
    if any(instance.problem != problem for instance in instances):
        raise InputError(f"a batch holds one problem: found {', '.join(sorted({i.problem for i in instances}))}")
    if problem not in _STACK:
        raise unknown_name("problem with an environment", problem, sorted(_STACK))
    arrays = _stack_graphs(instances, sparse) if problem == "mis" else _STACK[problem](instances)
    tensors = {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in arrays.items()}
    if problem in ("tsp", "mis"):
        tensors = {key: v.to(dtype) if v.is_floating_point() else v for key, v in tensors.items()}
    return TensorDict({key: v.to(device) for key, v in tensors.items()}, batch_size=[len(instances)])


def unstack(problem: str, data: TensorDictBase | Mapping[str, Tensor]) -> list[Instance]:
    """The instances of a batch, without what pads them.

    Args:
        problem: Name of the problem.
        data: The batch, as `stack` or the environment's class describes it.
    """
    if problem not in _UNSTACK:
        raise unknown_name("problem with an environment", problem, sorted(_UNSTACK))
    tensors = {str(key): require_tensor(key, value).detach().cpu() for key, value in data.items()}
    count = next(iter(tensors.values())).shape[0]
    rows = ({key: value[i] for key, value in tensors.items()} for i in range(count))
    definition = registry.problem(problem)
    return [
        definition.instance({key: _array(value) for key, value in _UNSTACK[problem](row).items()}) for row in rows
    ]


def _array(value: Tensor | NDArray) -> NDArray:
    return value.numpy() if isinstance(value, Tensor) else value


def _stack_tours(instances: Sequence[Instance]) -> Arrays:
    keys = set.intersection(*(set(instance.data) for instance in instances))
    if not keys:
        raise InputError("some instances of tsp have only coordinates, others only distances: expected one kind")
    if any(set(instance.data) != keys and "distances" in instance for instance in instances):
        keys &= {"distances"}
    sizes = sorted({instance[next(iter(keys))].shape[0] for instance in instances})
    if len(sizes) > 1:
        raise InputError(f"instances of tsp with {sizes[0]} to {sizes[-1]} cities: expected one size in a batch")
    return {key: np.stack([instance[key] for instance in instances]) for key in sorted(keys)}


def _stack_knapsacks(instances: Sequence[Instance]) -> Arrays:
    if len({instance["weights"].dtype for instance in instances}) > 1:
        raise InputError("some knapsacks have integral weights, others not: expected one kind in a batch")
    if len({instance["weights"].shape[:-1] for instance in instances}) > 1:
        raise InputError("instances of multiknapsack with different numbers of capacities in a batch")
    capacity = "capacity" if "capacity" in instances[0] else "capacities"
    sizes = [instance["profits"].shape[0] for instance in instances]
    arrays = {
        "profits": _padded([instance["profits"] for instance in instances]),
        "weights": _padded([instance["weights"] for instance in instances]),
        capacity: np.stack([instance[capacity] for instance in instances]),
    }
    return arrays | _mask("item_mask", sizes)


def _stack_graphs(instances: Sequence[Instance], sparse: bool | None = None) -> Arrays:
    sizes = [instance["weights"].shape[0] for instance in instances]
    n = max(sizes)
    arrays = {"weights": _padded([instance["weights"] for instance in instances])} | _mask("node_mask", sizes)
    if not (n > DENSE_NODES if sparse is None else sparse):
        adjacency = np.stack([adjacency_matrix(instance["edges"], n) for instance in instances])
        return arrays | {"adjacency": adjacency}
    lists = [MIS().adjacency(instance) for instance in instances]
    starts = [np.pad(graph.indptr, (0, n + 1 - len(graph.indptr)), mode="edge") for graph in lists]
    indices = _padded([graph.indices for graph in lists])
    return arrays | {"indptr": np.stack(starts).astype(np.int64), "indices": indices.astype(np.int64)}


def _padded(arrays: list[NDArray]) -> NDArray:
    """The arrays stacked, with zeros behind the shorter ones along the last axis."""
    longest = max(array.shape[-1] for array in arrays)
    return np.stack([np.pad(a, [(0, 0)] * (a.ndim - 1) + [(0, longest - a.shape[-1])]) for a in arrays])


def _mask(name: str, sizes: list[int]) -> Arrays:
    if len(set(sizes)) == 1:
        return {}
    return {name: np.arange(max(sizes)) < np.array(sizes)[:, None]}


def _tour_data(row: Row) -> dict[str, Any]:
    return dict(row)


def _knapsack_data(row: Row) -> dict[str, Any]:
    keep = row.get("item_mask", torch.ones_like(row["profits"], dtype=torch.bool))
    capacity = "capacity" if "capacity" in row else "capacities"
    return {"profits": row["profits"][keep], "weights": row["weights"][..., keep], capacity: row[capacity]}


def _graph_data(row: Row) -> dict[str, Any]:
    weights = row["weights"]
    keep = row.get("node_mask", torch.ones_like(weights, dtype=torch.bool))
    if "adjacency" in row:
        edges = row["adjacency"].triu(1).nonzero()
    else:
        degrees = row["indptr"].diff()
        u = torch.repeat_interleave(torch.arange(degrees.numel()), degrees)
        edges = torch.stack([u, row["indices"][: u.numel()]], 1)
        edges = edges[edges[:, 0] < edges[:, 1]]
    label = keep.cumsum(0) - 1
    return {"weights": weights[keep], "edges": label[edges[keep[edges].all(1)]]}


_STACK: dict[str, Callable[[Sequence[Instance]], Arrays]] = {
    "tsp": _stack_tours,
    "knapsack": _stack_knapsacks,
    "multiknapsack": _stack_knapsacks,
    "mis": _stack_graphs,
}
_UNSTACK: dict[str, Callable[[Row], dict[str, Any]]] = {
    "tsp": _tour_data,
    "knapsack": _knapsack_data,
    "multiknapsack": _knapsack_data,
    "mis": _graph_data,
}
