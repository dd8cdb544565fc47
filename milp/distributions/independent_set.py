"""Maximum independent set."""

from __future__ import annotations

import numpy as np

from co_gym.formulation import MixedIntegerProgram, binary_program
from milp.distributions.graphs import barabasi_albert, clique_rows, erdos_renyi


def independent_set(rng: np.random.Generator, nodes: int, affinity: int) -> MixedIntegerProgram:
    """Maximum independent set on a Barabási-Albert graph, in the clique rows of Bergman et al. (2016).

    Args:
        rng: Source of randomness.
        nodes: Nodes of the graph.
        affinity: Edges of each new node.
    """
    A = clique_rows(barabasi_albert(rng, nodes, affinity), nodes)
    return binary_program("maximize", np.ones(nodes), A, -np.inf, 1.0)


def independent_set_erdos_renyi(rng: np.random.Generator, nodes: int, probability: float) -> MixedIntegerProgram:
    """Maximum independent set on an Erdős-Rényi graph, with clique rows.

    Args:
        rng: Source of randomness.
        nodes: Nodes of the graph.
        probability: Probability of an edge.
    """
    A = clique_rows(erdos_renyi(rng, nodes, probability), nodes)
    return binary_program("maximize", np.ones(nodes), A, -np.inf, 1.0)
