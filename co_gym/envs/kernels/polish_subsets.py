"""Local search on batches of independent sets and of knapsacks, by the moves of the solvers' searches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.solvers.kernels.compiled import inner, kernel
from co_gym.solvers.kernels.knapsack_moves import KnapsackState, fill, flip, overloaded, swap_descent
from co_gym.solvers.kernels.mis_moves import (
    CLOCK,
    COUNTERS,
    DIRTY,
    LOGGED,
    SIZE,
    MisState,
    descend,
    push_swap,
    toggle,
)


@inner
def _total(values: NDArray[Any], chosen: NDArray[np.bool_]) -> Any:
    """Sum of the chosen values in index order, as the objective is summed."""
    total = values[0] - values[0]
    for j in range(values.size):
        if chosen[j]:
            total += values[j]
    return total


@inner
def _clear(s: MisState) -> None:
    """Empties the set, the counters and the notes of changes; the work lists are empty."""
    for v in range(s.weights.size):
        s.inside[v] = False
        s.is_dirty[v] = False
        s.tight[v] = 0
        s.partner[v] = 0
        s.conflict[v] = 0
        s.order[v] = v
        s.place[v] = v
    s.counters[SIZE] = 0
    s.counters[LOGGED] = 0
    s.counters[DIRTY] = 0
    s.counters[CLOCK] += 1


@kernel
def polish_independent_sets(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int64],
    weights: NDArray[Any],
    margins: NDArray[Any],
    selected: NDArray[np.bool_],
    first: int,
    last: int,
) -> int:
    """Improves the sets first..last - 1 in place by insertions, (omega,1)-swaps and (1,2)-swaps.

    Args:
        indptr: [B, n + 1] where the neighbours of each node are in `indices`.
        indices: [E] neighbours of all instances.
        weights: [B, n] int64 or float64; nodes of weight 0 or less are not put in.
        margins: [B], of the same dtype; gains have to be larger.
        selected: [R, n], B a divisor of R.
        first: Row to begin with.
        last: Row to stop before.

    Returns:
        -1, or the first row that is no independent set; it and those behind it have not changed.
    """
    batch, n = weights.shape
    starts = selected.shape[0] // batch
    inside, best, original = np.zeros(n, np.bool_), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    is_dirty, in_swaps, in_pairs = np.zeros(n, np.bool_), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    order, place, tight, partner = (
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
    )
    left_at, mark, log, touched = (
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
    )
    dirty, swaps, pairs = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    counters, rng = np.zeros(COUNTERS, np.int64), np.ones(1, np.uint64)
    conflict, values = np.zeros_like(weights[0]), np.full(2, margins[0] - margins[0])
    for row in range(first, last):
        b = row // starts
        margin = margins[b]
        s = MisState(
            indptr[b],
            indices,
            weights[b],
            inside,
            best,
            order,
            place,
            tight,
            partner,
            conflict,
            left_at,
            mark,
            log,
            touched,
            original,
            dirty,
            is_dirty,
            swaps,
            in_swaps,
            pairs,
            in_pairs,
            counters,
            values,
            rng,
        )
        _clear(s)
        for v in range(n):
            if selected[row, v]:
                toggle(s, v, margin)
        for v in range(n):
            if inside[v] and tight[v] > 0:
                return row
            if not inside[v] and s.weights[v] > conflict[v] + margin:
                push_swap(s, v)
        descend(s, margin)
        if _total(s.weights, inside) >= _total(s.weights, selected[row]):
            selected[row] = inside
    return -1


@inner
def _refill_room(s: KnapsackState) -> None:
    """Sums the room anew, so that the rounding of the changes does not add up."""
    for i in range(s.room.size):
        s.room[i] = s.capacities[i]
        for j in range(s.inside.size):
            if s.inside[j]:
                s.room[i] -= s.rows[j, i]


@inner
def _fits_for(s: KnapsackState, a: int, b: int, c: int) -> bool:
    """Whether item a may take the place of b and c, or with the signs turned b and c that of a."""
    sign = -1 if s.inside[a] else 1
    i = 0
    while i < s.room.size and sign * (s.rows[a, i] - s.rows[b, i] - s.rows[c, i]) <= s.room[i]:
        i += 1
    return i == s.room.size


@inner
def _exchange(s: KnapsackState, one: int, candidates: NDArray[np.int64], count: int, margin: Any) -> bool:
    """Exchanges an item for the first two candidates that gain more than `margin` and fit.

    The candidates come in the order in which the gain falls.
    """
    sign = -1 if s.inside[one] else 1
    for x in range(count):
        a = candidates[x]
        for y in range(x + 1, count):
            b = candidates[y]
            if sign * (s.profits[one] - s.profits[a] - s.profits[b]) <= margin:
                break
            if _fits_for(s, one, a, b):
                flip(s, one)
                flip(s, a)
                flip(s, b)
                return True
    return False


@inner
def _may_replace(s: KnapsackState, j: int, one: int) -> bool:
    """Whether item j could be one of two that are exchanged for another item."""
    if s.inside[j]:
        return s.profits[j] < s.profits[one]
    i = 0
    while i < s.room.size and s.rows[j, i] - s.rows[one, i] <= s.room[i]:
        i += 1
    return i == s.room.size


@inner
def _exchange_for_two(
    s: KnapsackState, falling: NDArray[np.int64], candidates: NDArray[np.int64], margin: Any
) -> bool:
    """Makes the first exchange found of one item for two, either way, that gains."""
    size = falling.size
    for one in falling:
        count = 0
        for k in range(size):
            # What enters gains most from the largest profits on, what leaves from the smallest.
            j = falling[k] if s.inside[one] else falling[size - 1 - k]
            if s.inside[j] != s.inside[one] and _may_replace(s, j, one):
                candidates[count] = j
                count += 1
        if _exchange(s, one, candidates, count, margin):
            return True
    return False


@kernel
def polish_knapsacks(
    profits: NDArray[Any],
    rows: NDArray[Any],
    limits: NDArray[Any],
    margins: NDArray[Any],
    ratios: NDArray[np.int64],
    falling: NDArray[np.int64],
    sizes: NDArray[np.int64],
    selected: NDArray[np.bool_],
    first: int,
    last: int,
) -> int:
    """Improves the choices first..last - 1 in place: adds what fits, swaps 1-1, 1-2 and 2-1.

    Args:
        profits: [B, n] int64 or float64.
        rows: [B, n, m] weights by item, of the dtype of the profits.
        limits: [B, m] what may be used, of the same dtype.
        margins: [B] gains of 1-2 and 2-1 swaps have to be larger; of the same dtype.
        ratios: [B, n] items by falling ratio of profit to weight, those that may be moved first.
        falling: [B, n] items by falling profit, those that may be moved first.
        sizes: [B] number of items that may be moved.
        selected: [R, n], B a divisor of R.
        first: Row to begin with.
        last: Row to stop before.

    Returns:
        -1, or the first row that exceeds a limit; it and those behind it have not changed.
    """
    batch, n = profits.shape
    starts = selected.shape[0] // batch
    inside, best, banned, saved = (
        np.zeros(n, np.bool_),
        np.zeros(n, np.bool_),
        np.zeros(n, np.bool_),
        np.zeros(n, np.bool_),
    )
    insiders, outsiders = np.empty(n, np.int64), np.empty(n, np.int64)
    room, values = np.zeros_like(limits[0]), np.full(2, margins[0] - margins[0])
    cycle, rng = np.zeros(2, np.int64), np.ones(1, np.uint64)
    for row in range(first, last):
        b = row // starts
        size = sizes[b]
        inside[:] = selected[row]
        s = KnapsackState(
            profits[b],
            rows[b],
            limits[b],
            inside,
            room,
            best,
            ratios[b, :size],
            banned,
            saved,
            room,
            values,
            cycle,
            rng,
        )
        _refill_room(s)
        if overloaded(s):
            return row
        searching = True
        while searching:
            fill(s, 0.0)
            swap_descent(s, insiders, outsiders)
            searching = _exchange_for_two(s, falling[b, :size], insiders, margins[b])
            _refill_room(s)
        if _total(s.profits, inside) >= _total(s.profits, selected[row]):
            selected[row] = inside
    return -1
