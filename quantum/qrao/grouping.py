"""Which variables share a qubit: some that are not coupled, found by colouring the graph of couplings."""

from __future__ import annotations

import numpy as np

from quantum.hamiltonians import Ising

STRATEGIES = ("largest_first", "DSATUR")
"""Greedy colourings (Welsh and Powell 1967; Brélaz 1979), of which the one with the fewest qubits is taken."""


def groups(ising: Ising, per_qubit: int) -> tuple[tuple[int, ...], ...]:
    """The variables of each qubit, each variable once, no two of a qubit coupled.

    With couplings between all variables every qubit has one.

    Args:
        ising: Whose couplings are not zero where variables are coupled.
        per_qubit: How many share a qubit at most.
    """
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(range(ising.num_qubits))
    graph.add_edges_from(ising.pairs[ising.couplings != 0].tolist())
    found = (_split(networkx.greedy_color(graph, strategy), per_qubit) for strategy in STRATEGIES)
    return min(found, key=len)


def _split(colours: dict[int, int], per_qubit: int) -> tuple[tuple[int, ...], ...]:
    """Each colour's variables in their order, so many at a time."""
    made: list[tuple[int, ...]] = []
    numbers = np.array([colours[i] for i in range(len(colours))], dtype=np.int64)
    for colour in range(int(numbers.max(initial=-1)) + 1):
        members = np.flatnonzero(numbers == colour).tolist()
        made += [tuple(members[k : k + per_qubit]) for k in range(0, len(members), per_qubit)]
    return tuple(made)
