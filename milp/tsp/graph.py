"""Numba kernels on sparse undirected graphs: components, maximum flow, minimum cut tree, contraction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_FLOW_EPSILON = 1e-9


@njit(cache=True, nogil=True)
def connected_components(n: int, tails: NDArray[Any], heads: NDArray[Any]) -> NDArray[Any]:
    """Label the connected components of a graph by union-find with path halving.

    Args:
        n: Number of nodes.
        tails: First end node of every edge, int64 [m].
        heads: Second end node of every edge, int64 [m].

    Returns:
        Component labels 0..k-1 in order of first appearance, int64 [n].
    """
    root = np.arange(n)
    for e in range(tails.shape[0]):
        a = tails[e]
        while root[a] != a:
            root[a] = root[root[a]]
            a = root[a]
        b = heads[e]
        while root[b] != b:
            root[b] = root[root[b]]
            b = root[b]
        root[max(a, b)] = min(a, b)
    labels = np.empty(n, np.int64)
    count = 0
    for v in range(n):  # the root of a component is its smallest node, labelled before the others
        a = v
        while root[a] != a:
            a = root[a]
        if a == v:
            labels[v] = count
            count += 1
        else:
            labels[v] = labels[a]
    return labels


@njit(cache=True, nogil=True)
def adjacency(n: int, tails: NDArray[Any], heads: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Arc lists of an undirected graph; edge e becomes arc 2e (tail to head) and arc 2e + 1 (back).

    Args:
        n: Number of nodes.
        tails: First end node of every edge, int64 [m].
        heads: Second end node of every edge, int64 [m].

    Returns:
        start int64 [n + 1], arcs int64 [2m] (the arcs leaving v are arcs[start[v]:start[v + 1]]),
        target int64 [2m] (the end node of every arc).
    """
    m = tails.shape[0]
    start = np.zeros(n + 1, np.int64)
    for e in range(m):
        start[tails[e] + 1] += 1
        start[heads[e] + 1] += 1
    for v in range(n):
        start[v + 1] += start[v]
    position = start[:-1].copy()
    arcs = np.empty(2 * m, np.int64)
    target = np.empty(2 * m, np.int64)
    for e in range(m):
        arcs[position[tails[e]]] = 2 * e
        position[tails[e]] += 1
        arcs[position[heads[e]]] = 2 * e + 1
        position[heads[e]] += 1
        target[2 * e] = heads[e]
        target[2 * e + 1] = tails[e]
    return start, arcs, target


@njit(cache=True, nogil=True)
def _levels(start, arcs, target, residual, source, sink, level, queue):  # type: ignore[no-untyped-def]
    """Breadth-first levels in the residual graph; stops once the sink is reached."""
    level[:] = -1
    level[source] = 0
    queue[0] = source
    head = 0
    size = 1
    while head < size:
        v = queue[head]
        head += 1
        for k in range(start[v], start[v + 1]):
            a = arcs[k]
            w = target[a]
            if residual[a] > _FLOW_EPSILON and level[w] < 0:
                level[w] = level[v] + 1
                if w == sink:
                    return True
                queue[size] = w
                size += 1
    return False


@njit(cache=True, nogil=True)
def _blocking_flow(start, arcs, target, residual, source, sink, level, pointer, path):  # type: ignore[no-untyped-def]
    """Augment along shortest paths until none is left; returns the flow added."""
    pointer[:] = start[:-1]
    total = 0.0
    length = 0
    v = source
    while True:
        if v == sink:
            amount = np.inf
            for i in range(length):
                amount = min(amount, residual[path[i]])
            cut_at = length
            for i in range(length - 1, -1, -1):
                residual[path[i]] -= amount
                residual[path[i] ^ 1] += amount
                if residual[path[i]] <= _FLOW_EPSILON:
                    cut_at = i
            total += amount
            length = cut_at
            v = target[path[length] ^ 1]
            continue
        advanced = False
        while pointer[v] < start[v + 1]:
            a = arcs[pointer[v]]
            if residual[a] > _FLOW_EPSILON and level[target[a]] == level[v] + 1:
                path[length] = a
                length += 1
                v = target[a]
                advanced = True
                break
            pointer[v] += 1
        if advanced:
            continue
        if v == source:
            return total
        length -= 1
        v = target[path[length] ^ 1]
        pointer[v] += 1


@njit(cache=True, nogil=True)
def minimum_cut_tree(
    n: int, tails: NDArray[Any], heads: NDArray[Any], capacities: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Gomory-Hu cut tree by n - 1 maximum flows without contraction (Gusfield, 1990; flows: Dinic, 1970).

    Args:
        n: Number of nodes, at least 1.
        tails: First end node of every edge, int64 [m].
        heads: Second end node of every edge, int64 [m].
        capacities: Nonnegative edge capacities, float64 [m].

    Returns:
        parent int64 [n] (parent[0] = 0 is the root) and value float64 [n]: for v > 0 the subtree of v is one
        side of a minimum cut between v and parent[v], of capacity value[v].
    """
    start, arcs, target = adjacency(n, tails, heads)
    parent = np.zeros(n, np.int64)
    value = np.zeros(n, np.float64)
    level = np.empty(n, np.int64)
    queue = np.empty(n, np.int64)
    pointer = np.empty(n, np.int64)
    path = np.empty(n + 1, np.int64)
    residual = np.empty(2 * tails.shape[0], np.float64)
    for s in range(1, n):
        t = parent[s]
        for e in range(tails.shape[0]):
            residual[2 * e] = capacities[e]
            residual[2 * e + 1] = capacities[e]
        flow = 0.0
        while _levels(start, arcs, target, residual, s, t, level, queue):
            flow += _blocking_flow(start, arcs, target, residual, s, t, level, pointer, path)
        value[s] = flow  # the nodes with a level are now the side of s
        for v in range(n):
            if v != s and level[v] >= 0 and parent[v] == t:
                parent[v] = s
        if level[parent[t]] >= 0:
            parent[s] = parent[t]
            parent[t] = s
            value[s] = value[t]
            value[t] = flow
    return parent, value


@njit(cache=True, nogil=True)
def subtree_members(parent: NDArray[Any]) -> NDArray[Any]:
    """Node sets of all subtrees of a tree rooted at node 0.

    Args:
        parent: Parent of every node, int64 [n], parent[0] = 0.

    Returns:
        bool [n, n]; row v marks the descendants of v, v included.
    """
    n = parent.shape[0]
    members = np.zeros((n, n), np.bool_)
    for v in range(n):
        w = v
        members[w, v] = True
        while w != 0:
            w = parent[w]
            members[w, v] = True
    return members


def contract(
    labels: NDArray[Any], tails: NDArray[Any], heads: NDArray[Any], weights: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Merge nodes with equal labels; parallel edges are added up and loops dropped.

    Args:
        labels: New node of every node, int64 [n].
        tails: First end node of every edge, int64 [m].
        heads: Second end node of every edge, int64 [m].
        weights: Edge weights, float64 [m].

    Returns:
        tails, heads and weights of the contracted simple graph.
    """
    a, b = labels[tails], labels[heads]
    low, high = np.minimum(a, b), np.maximum(a, b)
    keep = low != high
    base = int(labels.max()) + 1
    keys, inverse = np.unique(low[keep] * base + high[keep], return_inverse=True)
    sums = np.bincount(inverse, weights=weights[keep], minlength=len(keys))
    return keys // base, keys % base, sums


def shrink_heavy_edges(
    n: int,
    tails: NDArray[Any],
    heads: NDArray[Any],
    weights: NDArray[Any],
    *,
    threshold: float = 1 - 1e-7,
    passes: int = 1000,
) -> NDArray[Any]:
    """Contract edges of weight at least `threshold` until none is left (Padberg and Rinaldi, 1990).

    Where every node has degree weight 2 and the threshold is 1, some minimum cut below 2 survives unless it
    is the boundary of a contracted node.

    Args:
        n: Number of nodes.
        tails: First end node of every edge, int64 [m].
        heads: Second end node of every edge, int64 [m].
        weights: Edge weights, float64 [m].
        threshold: Smallest weight that is contracted.
        passes: Largest number of contraction passes over the (ever smaller) graph.

    Returns:
        Label of the super node of every node, int64 [n], numbered from 0.
    """
    labels = np.arange(n)
    size = n
    for _ in range(passes):
        heavy = weights >= threshold
        if not heavy.any():
            break
        merged = connected_components(size, tails[heavy], heads[heavy])
        size = int(merged.max()) + 1
        labels = merged[labels]
        tails, heads, weights = contract(merged, tails, heads, weights)
    return labels
