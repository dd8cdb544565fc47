"""The independence number of a small graph, exactly: branch and bound on bit sets with colour bounds.

A maximum independent set is a maximum clique of the complement, and a colouring there is a partition into cliques
here (Tomita and Seki 2003; in bit sets San Segundo, Rodríguez-Losada and Jiménez 2011).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.solvers.kernels.compiled import inner, kernel

DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
POSITION = np.zeros(64, np.int64)
POSITION[[((1 << i) * int(DE_BRUIJN) % 2**64) >> 58 for i in range(64)]] = np.arange(64)


def independence_number(adjacency: NDArray, at_least: int = 0, node_limit: int = 10_000_000) -> tuple[int, bool]:
    """The size of a largest independent set.

    Args:
        adjacency: Symmetric bool [n, n] with a False diagonal.
        at_least: Size of an independent set that is known.
        node_limit: Most nodes of the search tree.

    Returns:
        The largest size found or known, and whether it is proven.
    """
    order = np.argsort(adjacency.sum(axis=0), kind="stable")
    ordered = adjacency[np.ix_(order, order)]
    words = -(-len(order) // 64)
    padded = np.zeros((len(order), 64 * words), np.uint8)
    padded[:, : len(order)] = ordered
    rows = np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    best, proven = _search(rows.reshape(len(order), words), at_least, node_limit)
    return int(best), bool(proven)


@inner
def _cliques(candidates: NDArray, adjacency: NDArray, order: NDArray, colour: NDArray, work: NDArray) -> int:
    """Partitions the candidates into cliques, numbered from 1; returns how many candidates there are."""
    words = candidates.shape[0]
    left, clique = work[0], work[1]
    left[:] = candidates
    count, number, found = 0, 0, True
    while found:
        found = False
        number += 1
        clique[:] = left
        for word in range(words):
            while clique[word]:
                lowest = clique[word] & (~clique[word] + np.uint64(1))
                node = 64 * word + POSITION[(lowest * DE_BRUIJN) >> np.uint64(58)]
                left[word] ^= lowest
                for other in range(word, words):
                    clique[other] &= adjacency[node, other]  # no loops: drops the node itself too
                order[count], colour[count] = node, number
                count += 1
                found = True
    return count


@kernel
def _search(adjacency: NDArray, best: int, node_limit: int) -> tuple[int, bool]:
    """Depth first; a node at depth d has d nodes chosen and branches on the last clique's members first."""
    n, words = adjacency.shape
    candidates = np.zeros((n + 1, words), np.uint64)
    for node in range(n):
        candidates[0, node // 64] |= np.uint64(1) << np.uint64(node % 64)
    order, colour = np.zeros((n + 1, n), np.int64), np.zeros((n + 1, n), np.int64)
    left, work = np.zeros(n + 1, np.int64), np.zeros((2, words), np.uint64)
    left[0] = _cliques(candidates[0], adjacency, order[0], colour[0], work)
    depth, visited = 0, 0
    while depth >= 0:
        best = max(best, depth)
        last = left[depth] - 1
        if last < 0 or depth + colour[depth, last] <= best:
            depth -= 1
            continue
        visited += 1
        if visited > node_limit:
            return best, False
        node, left[depth] = order[depth, last], last
        candidates[depth, node // 64] ^= np.uint64(1) << np.uint64(node % 64)
        for word in range(words):
            candidates[depth + 1, word] = candidates[depth, word] & ~adjacency[node, word]
        depth += 1
        left[depth] = _cliques(candidates[depth], adjacency, order[depth], colour[depth], work)
    return best, True
