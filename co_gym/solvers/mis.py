"""Heuristics for the maximum (weight) independent set problem."""

from __future__ import annotations

from numpy.typing import NDArray

from co_gym.instance import Instance
from co_gym.problems.mis import MIS
from co_gym.solvers.heuristics import Construction, LocalSearch
from co_gym.solvers.kernels.mis import MISLocalSearch, greedy_independent_set


def _arrays(instance: Instance) -> tuple[NDArray, NDArray, NDArray]:
    adjacency = MIS().adjacency(instance)
    return adjacency.indptr, adjacency.indices, instance["weights"]


GREEDY = Construction(
    {"mis"},
    "node of largest weight over remaining degree + 1 (Sakai, Togasaki, Yamazaki 2003)",
    lambda instance: greedy_independent_set(*_arrays(instance)),
)

LOCAL_SEARCH = LocalSearch(
    {"mis"},
    "iterated local search with (1,2)- and (ω,1)-swaps (Andrade, Resende, Werneck 2012)",
    lambda instance, seed, start: MISLocalSearch(*_arrays(instance), seed=seed, start=start),
)
