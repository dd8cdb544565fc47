"""Heuristics for the 0-1 and the multidimensional knapsack problem."""

from __future__ import annotations

from numpy.typing import NDArray

from co_gym import registry
from co_gym.instance import Instance
from co_gym.problems.knapsack import MultiKnapsack
from co_gym.solvers.heuristics import Construction, LocalSearch
from co_gym.solvers.kernels.knapsack import KnapsackLocalSearch, greedy_knapsack

PROBLEMS = {"knapsack", "multiknapsack"}


def _arrays(instance: Instance) -> tuple[NDArray, NDArray, NDArray]:
    problem = registry.problem(instance.problem)
    assert isinstance(problem, MultiKnapsack)
    return instance["profits"], *problem.rows(instance)


GREEDY = Construction(
    PROBLEMS,
    "items by profit over surrogate weight (Pirkul 1987)",
    lambda instance: greedy_knapsack(*_arrays(instance)),
)

LOCAL_SEARCH = LocalSearch(
    PROBLEMS,
    "iterated greedy with swaps on the core of the problem (Ruiz and Stützle 2007)",
    lambda instance, seed, start: KnapsackLocalSearch(*_arrays(instance), seed=seed, start=start),
)
