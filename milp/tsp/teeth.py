"""Best comb on a given handle when every tooth is a stretch of a reference tour, by dynamic programming.

With d(S) = x(delta(S)), the comb (H; T_1..T_k) is violated by 1 - d(H) + sum_i (3 - d(T_i)). For a fixed
handle this asks for an odd number of disjoint crossing teeth of largest total gain 3 - d(T). Where the
candidate teeth are intervals of a node order, that is a dynamic program over the order. (Applegate, Bixby,
Chvatal and Cook, 1998, call the search for teeth to a given handle "teething".) All arrays here are indexed
by position in the order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_MIN_GAIN = 1e-4


@njit(cache=True, nogil=True)
def candidate_teeth(start, neighbours, weights, longest):  # type: ignore[no-untyped-def]
    """Intervals of positions with boundary value below 3, sorted by last position.

    Args:
        start: Adjacency offsets, int64 [n + 1].
        neighbours: Neighbour positions, int64 [2m].
        weights: Edge values, float64 [2m].
        longest: Largest number of positions in an interval.

    Returns:
        offset int64 [n + 1], first int64 [c], gain float64 [c]: the intervals that end at position p are
        first[c]..p for c in offset[p]:offset[p + 1].
    """
    n = start.shape[0] - 1
    offset = np.zeros(n + 1, np.int64)
    first = np.empty(n * longest, np.int64)
    gain = np.empty(n * longest, np.float64)
    count = 0
    for last in range(n):
        boundary = 0.0
        for low in range(last, max(-1, last - longest), -1):
            for k in range(start[low], start[low + 1]):
                w = neighbours[k]
                if low < w <= last:
                    boundary -= weights[k]
                else:
                    boundary += weights[k]
            if low < last and 3.0 - boundary > _MIN_GAIN:
                first[count] = low
                gain[count] = 3.0 - boundary
                count += 1
        offset[last + 1] = count
    return offset, first[:count].copy(), gain[:count].copy()


@njit(cache=True, nogil=True)
def _fill(inside, offset, first, gain, best, inside_before):  # type: ignore[no-untyped-def]
    """best[p, q]: largest total gain of teeth within the first p positions, their number of parity q."""
    n = inside.shape[0]
    inside_before[0] = 0
    best[0, 0] = 0.0
    best[0, 1] = -np.inf
    for last in range(n):
        inside_before[last + 1] = inside_before[last] + inside[last]
        even = best[last, 0]
        odd = best[last, 1]
        for c in range(offset[last], offset[last + 1]):
            low = first[c]
            common = inside_before[last + 1] - inside_before[low]
            if 0 < common < last + 1 - low:
                even = max(even, best[low, 1] + gain[c])
                odd = max(odd, best[low, 0] + gain[c])
        best[last + 1, 0] = even
        best[last + 1, 1] = odd
    return best[n, 1]


@njit(cache=True, nogil=True)
def _boundary(inside, start, neighbours, weights):  # type: ignore[no-untyped-def]
    """Value of the edges that leave a node set."""
    total = 0.0
    for v in range(inside.shape[0]):
        if inside[v]:
            for k in range(start[v], start[v + 1]):
                if not inside[neighbours[k]]:
                    total += weights[k]
    return total


@njit(cache=True, nogil=True)
def handle_violations(handles, start, neighbours, weights, offset, first, gain):  # type: ignore[no-untyped-def]
    """Violation of the best comb on every handle.

    Args:
        handles: bool [h, n].
        start: Adjacency offsets, int64 [n + 1].
        neighbours: Neighbour positions, int64 [2m].
        weights: Edge values, float64 [2m].
        offset: From `candidate_teeth`.
        first: From `candidate_teeth`.
        gain: From `candidate_teeth`.

    Returns:
        float64 [h]; -inf where no odd number of teeth exists.
    """
    n = handles.shape[1]
    best = np.empty((n + 1, 2), np.float64)
    inside_before = np.empty(n + 1, np.int64)
    result = np.empty(handles.shape[0], np.float64)
    for i in range(handles.shape[0]):
        total = _fill(handles[i], offset, first, gain, best, inside_before)
        result[i] = 1.0 + total - _boundary(handles[i], start, neighbours, weights)
    return result


@njit(cache=True, nogil=True)
def improve_handle(inside, sweeps, start, neighbours, weights, offset, first, gain):  # type: ignore[no-untyped-def]
    """Local search on a handle: move single nodes across its boundary while the violation grows.

    Args:
        inside: The handle, bool [n]; changed in place.
        sweeps: Largest number of sweeps over the nodes.
        start: Adjacency offsets, int64 [n + 1].
        neighbours: Neighbour positions, int64 [2m].
        weights: Edge values, float64 [2m].
        offset: From `candidate_teeth`.
        first: From `candidate_teeth`.
        gain: From `candidate_teeth`.

    Returns:
        Violation of the best comb on the final handle.
    """
    n = inside.shape[0]
    best = np.empty((n + 1, 2), np.float64)
    inside_before = np.empty(n + 1, np.int64)
    boundary = _boundary(inside, start, neighbours, weights)
    value = _fill(inside, offset, first, gain, best, inside_before) - boundary
    for _ in range(sweeps):
        improved = False
        for v in range(n):
            change = 0.0
            across = False
            for k in range(start[v], start[v + 1]):
                if inside[neighbours[k]] == inside[v]:
                    change += weights[k]
                else:
                    change -= weights[k]
                    across = True
            if not across or change > 1.0 + 1e-6:
                continue
            inside[v] = not inside[v]
            trial = _fill(inside, offset, first, gain, best, inside_before) - boundary - change
            if trial > value + 1e-6:
                value = trial
                boundary += change
                improved = True
            else:
                inside[v] = not inside[v]
        if not improved:
            break
    return 1.0 + value


@njit(cache=True, nogil=True)
def best_teeth(inside, offset, first, gain):  # type: ignore[no-untyped-def]
    """The teeth of the best comb on a handle.

    Args:
        inside: The handle, bool [n].
        offset: From `candidate_teeth`.
        first: From `candidate_teeth`.
        gain: From `candidate_teeth`.

    Returns:
        First and last position of every tooth, int64 [k, 2]; empty if there is none.
    """
    n = inside.shape[0]
    best = np.empty((n + 1, 2), np.float64)
    inside_before = np.empty(n + 1, np.int64)
    teeth = np.empty((n, 2), np.int64)
    count = 0
    if _fill(inside, offset, first, gain, best, inside_before) == -np.inf:
        return teeth[:0]
    end = n
    parity = 1
    while end > 0:
        if best[end, parity] == best[end - 1, parity]:
            end -= 1
            continue
        for c in range(offset[end - 1], offset[end]):
            low = first[c]
            common = inside_before[end] - inside_before[low]
            if 0 < common < end - low and best[low, 1 - parity] + gain[c] == best[end, parity]:
                teeth[count, 0] = low
                teeth[count, 1] = end - 1
                count += 1
                end = low
                parity = 1 - parity
                break
    return teeth[:count]


def position_graph(
    position: NDArray[Any], tails: NDArray[Any], heads: NDArray[Any], values: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Adjacency of a weighted graph with nodes renamed to their positions.

    Args:
        position: Position of every node, int64 [n].
        tails: First end node of every edge, int64 [m].
        heads: Second end node of every edge, int64 [m].
        values: Edge values, float64 [m].

    Returns:
        start int64 [n + 1], neighbours int64 [2m], weights float64 [2m].
    """
    a = np.concatenate([position[tails], position[heads]])
    b = np.concatenate([position[heads], position[tails]])
    order = np.argsort(a, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(a, minlength=len(position)))])
    return start.astype(np.int64), b[order], np.concatenate([values, values])[order]
