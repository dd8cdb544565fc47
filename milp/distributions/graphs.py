"""Random graphs and a cover of their edges by cliques."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


def barabasi_albert(rng: np.random.Generator, nodes: int, affinity: int) -> NDArray:
    """Edges [m, 2] of a graph grown by preferential attachment: a star, then `affinity` edges a node."""
    ends = np.empty(2 * affinity * (nodes - affinity), dtype=np.int64)
    ends[: 2 * affinity] = np.column_stack([np.arange(affinity), np.full(affinity, affinity)]).ravel()
    filled = 2 * affinity
    for node in range(affinity + 1, nodes):
        chosen: dict[int, None] = {}
        while len(chosen) < affinity:
            chosen |= dict.fromkeys(ends[rng.integers(filled, size=affinity)].tolist())
        ends[filled : filled + 2 * affinity : 2] = list(chosen)[:affinity]
        ends[filled + 1 : filled + 2 * affinity : 2] = node
        filled += 2 * affinity
    return ends.reshape(-1, 2)


def erdos_renyi(rng: np.random.Generator, nodes: int, probability: float) -> NDArray:
    """Edges [m, 2] of a graph in which each pair is joined with the same probability."""
    pairs = np.column_stack(np.triu_indices(nodes, k=1))
    return pairs[rng.random(len(pairs)) < probability]


def clique_rows(edges: NDArray, nodes: int) -> sparse.csr_matrix:
    """Rows [cliques, nodes] that cover each edge once: cliques found greedily, then the edges left over."""
    cliques = clique_partition(edges, nodes)
    label = np.empty(nodes, dtype=np.int64)
    for number, clique in enumerate(cliques):
        label[clique] = number
    left = edges[label[edges[:, 0]] != label[edges[:, 1]]]
    rows = [clique for clique in cliques if len(clique) > 1] + left.tolist()
    counts = [len(row) for row in rows]
    members = np.array([node for row in rows for node in row], dtype=np.int64)
    indptr = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    A = sparse.csr_matrix((np.ones(members.size), members, indptr), shape=(len(rows), nodes))
    A.sort_indices()
    return A


def clique_partition(edges: NDArray, nodes: int) -> list[list[int]]:
    """The nodes in cliques: each grows from the node of largest degree left, by its neighbours in that order."""
    neighbours: list[set[int]] = [set() for _ in range(nodes)]
    for u, v in edges.tolist():
        neighbours[u].add(v)
        neighbours[v].add(u)
    order = sorted(range(nodes), key=lambda v: -len(neighbours[v]))
    rank = {node: i for i, node in enumerate(order)}
    left = set(order)
    cliques = []
    for centre in order:
        if centre not in left:
            continue
        clique, common = [centre], neighbours[centre] & left
        while common:
            clique.append(min(common, key=rank.__getitem__))
            common &= neighbours[clique[-1]]
        left.difference_update(clique)
        cliques.append(clique)
    return cliques
