"""Compiled moves of the independent-set search: insertions, removals, swaps, undo.

The state keeps, for every vertex, the number (``tight``) and total weight (``conflict``) of its
neighbours in the solution, after Andrade, Resende, Werneck (2012) and Nogueira, Pinheiro,
Subramanian (2018). ``partner`` sums the indices of those neighbours: for a vertex with exactly one
it *is* the neighbour, so no adjacency scan is needed to find whom the vertex could replace.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import inner

SIZE, LOGGED, SWAPS, PAIRS, CLOCK, STAMP, STALE, DIRTY = range(8)
COUNTERS = 8


class MisState(NamedTuple):
    """Arrays of the search; weights, conflict and values share one dtype, int64 or float64.

    ``counters`` holds the scalars (solution size, lengths of the log and of the two work lists,
    clock, mark stamp, whether ``best`` is stale, number of ``dirty`` vertices: those whose place may
    differ between the current solution and ``best``); ``values`` the current and the best value.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    weights: NDArray[Any]
    inside: NDArray[np.bool_]
    best: NDArray[np.bool_]
    order: NDArray[np.int64]
    place: NDArray[np.int64]
    tight: NDArray[np.int64]
    partner: NDArray[np.int64]
    conflict: NDArray[Any]
    left_at: NDArray[np.int64]
    mark: NDArray[np.int64]
    log: NDArray[np.int64]
    touched: NDArray[np.int64]
    original: NDArray[np.bool_]
    dirty: NDArray[np.int64]
    is_dirty: NDArray[np.bool_]
    swaps: NDArray[np.int64]
    in_swaps: NDArray[np.bool_]
    pairs: NDArray[np.int64]
    in_pairs: NDArray[np.bool_]
    counters: NDArray[np.int64]
    values: NDArray[Any]
    rng: NDArray[np.uint64]


@inner
def push_swap(s: MisState, v: int) -> None:
    """Queue an outside vertex whose insertion may gain."""
    if not s.in_swaps[v]:
        s.in_swaps[v] = True
        s.swaps[s.counters[SWAPS]] = v
        s.counters[SWAPS] += 1


@inner
def push_pair(s: MisState, x: int) -> None:
    """Queue a solution vertex that two of its neighbours may replace."""
    if not s.in_pairs[x]:
        s.in_pairs[x] = True
        s.pairs[s.counters[PAIRS]] = x
        s.counters[PAIRS] += 1


@inner
def soil(s: MisState, v: int) -> None:
    """Note that a vertex may differ between the current solution and ``best``."""
    if not s.is_dirty[v]:
        s.is_dirty[v] = True
        s.dirty[s.counters[DIRTY]] = v
        s.counters[DIRTY] += 1


@inner
def toggle(s: MisState, v: int, margin: Any) -> None:
    """Move one vertex in or out, update its neighbours, and queue what may now gain more than margin.

    Inserting a vertex that has solution neighbours leaves a conflict the caller has to repair.
    """
    soil(s, v)
    entering = not s.inside[v]
    s.inside[v] = entering
    step = 1 if entering else -1
    weight = s.weights[v]
    size = s.counters[SIZE]
    border = size if entering else size - 1
    other = s.order[border]
    s.order[border], s.order[s.place[v]] = v, other
    s.place[other], s.place[v] = s.place[v], border
    s.counters[SIZE] = size + step
    if entering:
        s.values[0] += weight
        push_pair(s, v)
    else:
        s.values[0] -= weight
        s.left_at[v] = s.counters[CLOCK]
    for k in range(s.indptr[v], s.indptr[v + 1]):
        u = s.indices[k]
        s.tight[u] += step
        s.partner[u] += step * v
        if s.tight[u] == 0:
            s.conflict[u] = 0
        elif entering:
            s.conflict[u] += weight
        else:
            s.conflict[u] -= weight
        if not entering and not s.inside[u]:
            if s.weights[u] > s.conflict[u] + margin:
                push_swap(s, u)
            if s.tight[u] == 1:
                push_pair(s, s.partner[u])


@inner
def logged_toggle(s: MisState, v: int, margin: Any) -> None:
    """Toggle a vertex and remember, once per clock tick, where it was for :func:`undo`."""
    if s.touched[v] != s.counters[CLOCK]:
        s.touched[v] = s.counters[CLOCK]
        s.original[v] = s.inside[v]
        s.log[s.counters[LOGGED]] = v
        s.counters[LOGGED] += 1
    toggle(s, v, margin)


@inner
def force(s: MisState, v: int, margin: Any) -> None:
    """Insert a vertex after removing its neighbours from the solution."""
    if s.tight[v] == 1:
        logged_toggle(s, s.partner[v], margin)
    elif s.tight[v] > 1:
        for k in range(s.indptr[v], s.indptr[v + 1]):
            if s.inside[s.indices[k]]:
                logged_toggle(s, s.indices[k], margin)
    logged_toggle(s, v, margin)


@inner
def replace_by_two(s: MisState, x: int, margin: Any) -> bool:
    """(1,2)-swap: replace x by two of its neighbours that have no other solution neighbour, if that gains."""
    for k in range(s.indptr[x], s.indptr[x + 1]):
        u = s.indices[k]
        if s.tight[u] != 1:
            continue
        s.counters[STAMP] += 1
        stamp = s.counters[STAMP]
        s.mark[u] = stamp
        for q in range(s.indptr[u], s.indptr[u + 1]):
            s.mark[s.indices[q]] = stamp
        for q in range(k + 1, s.indptr[x + 1]):
            v = s.indices[q]
            if s.tight[v] != 1 or s.mark[v] == stamp:
                continue
            if s.weights[u] + s.weights[v] > s.weights[x] + margin:
                logged_toggle(s, x, margin)
                logged_toggle(s, u, margin)
                logged_toggle(s, v, margin)
                return True
    return False


@inner
def descend(s: MisState, margin: Any) -> None:
    """Apply (omega,1)-swaps and (1,2)-swaps until neither list offers a gain."""
    while True:
        if s.counters[SWAPS] > 0:
            s.counters[SWAPS] -= 1
            v = s.swaps[s.counters[SWAPS]]
            s.in_swaps[v] = False
            if not s.inside[v] and s.weights[v] > s.conflict[v] + margin:
                force(s, v, margin)
        elif s.counters[PAIRS] > 0:
            s.counters[PAIRS] -= 1
            x = s.pairs[s.counters[PAIRS]]
            s.in_pairs[x] = False
            if s.inside[x]:
                replace_by_two(s, x, margin)
        else:
            return


@inner
def undo(s: MisState, margin: Any) -> None:
    """Put the logged vertices back where they were and empty the work lists."""
    for k in range(s.counters[LOGGED]):
        v = s.log[k]
        if s.inside[v] != s.original[v]:
            toggle(s, v, margin)
    for k in range(s.counters[SWAPS]):
        s.in_swaps[s.swaps[k]] = False
    for k in range(s.counters[PAIRS]):
        s.in_pairs[s.pairs[k]] = False
    s.counters[SWAPS] = 0
    s.counters[PAIRS] = 0


@inner
def save_best(s: MisState) -> None:
    """Bring ``best`` to the solution of before the logged toggles, in time of the changes only."""
    for k in range(s.counters[DIRTY]):
        v = s.dirty[k]
        s.best[v] = s.inside[v]
        s.is_dirty[v] = False
    s.counters[DIRTY] = 0
    for k in range(s.counters[LOGGED]):
        v = s.log[k]
        s.best[v] = s.original[v]
        soil(s, v)
    s.counters[STALE] = 0


@inner
def resum(s: MisState) -> None:
    """Sum both values anew in index order, dropping the rounding of the increments."""
    zero = s.values[0] - s.values[0]
    s.values[0] = zero
    s.values[1] = zero
    for v in range(s.best.shape[0]):
        if s.inside[v]:
            s.values[0] += s.weights[v]
        if s.best[v]:
            s.values[1] += s.weights[v]
