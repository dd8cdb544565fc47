"""Independent sets and vertex covers in random graphs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

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


def vertex_cover(rng: np.random.Generator, nodes: int, affinity: int) -> MixedIntegerProgram:
    """Minimum vertex cover of a Barabási-Albert graph, node weights uniform in [0, 1) (Song et al. 2020).

    Args:
        rng: Source of randomness.
        nodes: Nodes of the graph.
        affinity: Edges of each new node.
    """
    A = incidence(barabasi_albert(rng, nodes, affinity), nodes)
    return binary_program("minimize", rng.random(nodes), A, 1.0, np.inf)


def generalized_independent_set(
    rng: np.random.Generator,
    nodes: int,
    probability: float,
    removable: float = 0.75,
    revenue: float = 100.0,
    cost: float = 1.0,
) -> MixedIntegerProgram:
    """Independent set in which some edges can be removed at a price (Hochbaum and Pathria 1997).

    Columns: the nodes, then the removable edges. Rows: one for each edge of an Erdős-Rényi graph.

    Args:
        rng: Source of randomness.
        nodes: Nodes of the graph.
        probability: Probability of an edge.
        removable: Probability that an edge can be removed.
        revenue: What a chosen node brings.
        cost: What removing an edge costs.
    """
    edges = erdos_renyi(rng, nodes, probability)
    rows = np.flatnonzero(rng.random(len(edges)) < removable)
    shape = (len(edges), rows.size)
    removed = sparse.csr_matrix((np.full(rows.size, -1.0), (rows, np.arange(rows.size))), shape=shape)
    A = sparse.hstack([incidence(edges, nodes), removed], format="csr")
    c = np.concatenate([np.full(nodes, revenue), np.full(rows.size, -cost)])
    return binary_program("maximize", c, A, -np.inf, 1.0)


def incidence(edges: NDArray, nodes: int) -> sparse.csr_matrix:
    """One row of two ones for each edge [m, 2]."""
    m = len(edges)
    A = sparse.csr_matrix((np.ones(2 * m), edges.ravel(), np.arange(0, 2 * m + 1, 2)), shape=(m, nodes))
    A.sort_indices()
    return A
