"""Simulated annealing for the quadratic assignment problem."""

from __future__ import annotations

from co_gym.solvers.heuristics import LocalSearch
from co_gym.solvers.kernels.qap import QAPLocalSearch

ANNEALING = LocalSearch(
    {"qap"},
    "simulated annealing with reheating and 2-swap descent (Connolly 1990)",
    lambda instance, seed, start: QAPLocalSearch(instance["flows"], instance["distances"], seed=seed, start=start),
    name="simulated-annealing",
)
