"""The environments that gymnasium knows: one entry each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.envs.base import Environment
from co_gym.envs.knapsack import KnapsackEnv, MultiKnapsackEnv
from co_gym.envs.mis import MISEnv
from co_gym.envs.observations import LARGEST, ActionMask, CurrentDistances, DataPart, FieldPart, Part
from co_gym.envs.sources import Arrays
from co_gym.envs.tsp import TSPEnv
from co_gym.envs.two_opt import TwoOptEnv
from co_gym.problems.mis import adjacency_matrix


@dataclass(frozen=True)
class Entry:
    """How a batched environment becomes a gymnasium environment.

    Attributes:
        make: Makes the batched environment; takes the keywords that `settings` names.
        problem: Name of the problem.
        size: Keyword for the number of cities, items or nodes.
        default_size: Its default.
        distribution: Default distribution of the instances.
        parts: Default observation, given whether all data of the instances lies in [0, 1].
        convert: From the arrays of instances to the environment's.
        unit: Distributions whose data lies in [0, 1].
        settings: Further keywords of `make`, with their defaults.
        options: Keywords that are parameters of the distribution, with their defaults.
        extras: Further parts that may be observed, by name.
        is_path: Whether an unfinished solution is a path through its first `steps` nodes.
    """

    make: Callable[..., Environment]
    problem: str
    size: str
    default_size: int
    distribution: str
    parts: Callable[[bool], tuple[Part, ...]]
    convert: Callable[[Mapping[str, NDArray]], Arrays]
    unit: frozenset[str] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    extras: tuple[Part, ...] = ()
    is_path: bool = False


def _tsp_arrays(data: Mapping[str, NDArray]) -> Arrays:
    arrays = {key: data[key] for key in ("coordinates", "distances") if key in data}
    if "coordinates" not in arrays:
        from co_gym.problems.tsp import embed

        arrays["coordinates"] = embed(arrays["distances"])
    return arrays


def _named(keys: tuple[str, ...], data: Mapping[str, NDArray]) -> Arrays:
    return {key: np.asarray(data[key]) for key in keys}


def _graph_arrays(data: Mapping[str, NDArray]) -> Arrays:
    weights = data["weights"]
    return {"weights": weights, "adjacency": adjacency_matrix(data["edges"], len(weights))}


def _tour_parts(unit: bool) -> tuple[Part, ...]:
    low, high = (0.0, 1.0) if unit else (-LARGEST, LARGEST)
    return (
        DataPart("coordinates", low, high),
        FieldPart("current", low=-1, index=True),
        FieldPart("current_coordinates", low, high),
        ActionMask(),
    )


def _improvement_parts(unit: bool) -> tuple[Part, ...]:
    low, high = (0.0, 1.0) if unit else (-LARGEST, LARGEST)
    return (
        DataPart("coordinates", low, high),
        FieldPart("tour", low=0, index=True),
        FieldPart("length", low=0.0),
        FieldPart("best_length", low=0.0),
        ActionMask(fixed=True),
    )


def _knapsack_parts(unit: bool) -> tuple[Part, ...]:
    high = 1.0 if unit else LARGEST
    return (
        DataPart("profits", 0.0, high),
        DataPart("weights", 0.0, high),
        FieldPart("remaining", low=-1.0),
        ActionMask(),
    )


def _graph_parts(unit: bool) -> tuple[Part, ...]:
    return DataPart("adjacency"), DataPart("weights", low=0.0), FieldPart("selected"), ActionMask()


TOURS = frozenset({"uniform", "clustered", "gaussian-mixture"})

CATALOGUE = {
    "TSP": Entry(
        TSPEnv,
        "tsp",
        "num_nodes",
        20,
        "uniform",
        _tour_parts,
        _tsp_arrays,
        TOURS,
        extras=(CurrentDistances(),),
        is_path=True,
    ),
    "TSPImprovement": Entry(
        TwoOptEnv,
        "tsp",
        "num_nodes",
        20,
        "uniform",
        _improvement_parts,
        _tsp_arrays,
        TOURS,
        settings={"max_steps": 100, "start": "nearest-neighbour"},
    ),
    "Knapsack": Entry(
        KnapsackEnv,
        "knapsack",
        "num_items",
        50,
        "unit",
        _knapsack_parts,
        partial(_named, ("profits", "weights", "capacity")),
        frozenset({"unit"}),
    ),
    "MultiKnapsack": Entry(
        MultiKnapsackEnv,
        "multiknapsack",
        "num_items",
        50,
        "unit",
        _knapsack_parts,
        partial(_named, ("profits", "weights", "capacities")),
        frozenset({"unit"}),
        options={"num_constraints": 5},
    ),
    "MIS": Entry(MISEnv, "mis", "num_nodes", 50, "erdos-renyi", _graph_parts, _graph_arrays),
}
