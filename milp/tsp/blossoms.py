"""Exact separation of blossom (2-matching) inequalities, also on contracted graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from milp.tsp.cuts import Cut, comb_cut
from milp.tsp.graph import connected_components, minimum_cut_tree, subtree_members
from milp.tsp.support import Support

_NEAR = 0.3


@njit(cache=True, nogil=True)
def odd_cut_values(
    sides: NDArray[Any], tails: NDArray[Any], heads: NDArray[Any], values: NDArray[Any]
) -> NDArray[Any]:
    """Smallest x(delta(H) - F) + |F| - x(F) over odd subsets F of the boundary, for every node set H.

    Args:
        sides: Node sets, bool [h, n].
        tails: First end node of every edge, int64 [m].
        heads: Second end node of every edge, int64 [m].
        values: Edge values, float64 [m].

    Returns:
        float64 [h]; infinite for an empty boundary, below 1 where a blossom inequality is violated.
    """
    result = np.empty(sides.shape[0], np.float64)
    for i in range(sides.shape[0]):
        cost = 0.0
        odd = False
        swap = np.inf
        for e in range(tails.shape[0]):
            if sides[i, tails[e]] != sides[i, heads[e]]:
                cost += min(values[e], abs(1 - values[e]))
                odd ^= values[e] > 0.5
                swap = min(swap, abs(2 * values[e] - 1))
        result[i] = cost if odd else cost + swap
    return result


def _odd_teeth(graph: Support, side: NDArray[Any]) -> NDArray[Any]:
    """The odd set F of boundary edges that attains the value of `odd_cut_values`."""
    crossing = np.flatnonzero(side[graph.tails] != side[graph.heads])
    values = graph.values[crossing]
    chosen = values > 0.5
    if chosen.sum() % 2 == 0:
        swap = int(np.argmin(np.abs(2 * values - 1)))
        chosen[swap] = not chosen[swap]
    return crossing[chosen]


def _disjoint(
    graph: Support, side: NDArray[Any], teeth: NDArray[Any]
) -> tuple[NDArray[Any], list[tuple[int, int]]]:
    """Move every node shared by two teeth across the handle's boundary and drop both teeth.

    By the degree equations the inequality gets no weaker; the number of teeth stays odd. Where a third
    tooth at the node no longer crosses the boundary afterwards, no teeth are returned.
    """
    side = side.copy()
    at: dict[int, tuple[int, int]] = {}
    for e in teeth:
        edge = (int(graph.tails[e]), int(graph.heads[e]))
        shared = next((v for v in edge if v in at), None)
        if shared is None:
            at[edge[0]] = at[edge[1]] = edge
            continue
        for v in at[shared]:
            del at[v]
        side[shared] = not side[shared]
    edges = sorted(set(at.values()))
    return side, edges if all(side[a] != side[b] for a, b in edges) else []


def blossom_cuts(support: Support, labels: NDArray[Any], graph: Support) -> tuple[list[Cut], list[NDArray[Any]]]:
    """Combs of the given point that are blossoms of a contraction of its support graph.

    Exact on the uncontracted graph (Letchford, Reinelt and Theis, 2008): in one minimum cut tree with
    capacities min(x, 1 - x), some tree cut with its best odd set of teeth is a most violated blossom
    inequality. On a contracted graph handles and teeth expand to node sets (Padberg and Rinaldi, 1990). The
    components of the graph of fractional edges are tried as handles as well (Padberg and Hong, 1980).

    Args:
        support: The point to separate.
        labels: Super node of every node, int64 [n].
        graph: The contracted support graph.

    Returns:
        Cuts (to be checked for violation by the caller) and all near-violated handles, bool [n] each.
    """
    capacities = np.clip(np.minimum(graph.values, 1 - graph.values), 0, None)
    fractional = capacities > 1e-6
    parent, _ = minimum_cut_tree(graph.n, graph.tails[fractional], graph.heads[fractional], capacities[fractional])
    parts = connected_components(graph.n, graph.tails[fractional], graph.heads[fractional])
    components = parts == np.arange(int(parts.max()) + 1)[:, None]
    sides = np.vstack([subtree_members(parent)[1:], components])
    costs = odd_cut_values(sides, graph.tails, graph.heads, graph.values)
    cuts: dict[tuple[bytes, tuple[tuple[int, int], ...]], Cut] = {}
    handles: list[NDArray[Any]] = []
    for i in np.flatnonzero(costs <= 1 + _NEAR):
        side, edges = _disjoint(graph, sides[i], _odd_teeth(graph, sides[i]))
        handles.append(side[labels])
        key = (side.tobytes(), tuple(edges))
        if len(edges) >= 3 and costs[i] < 1 and key not in cuts:
            fingers = [np.flatnonzero((labels == a) | (labels == b)) for a, b in edges]
            cuts[key] = comb_cut(support.n, np.flatnonzero(side[labels]), fingers)
    return list(cuts.values()), handles
