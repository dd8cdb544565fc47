"""Compiled moves of the knapsack search: add, drop, swap, and the surrogate multipliers.

A state is a solution of a 0-1 knapsack problem with m >= 1 capacities together with the room left in
each. ``core`` lists the items the search may move, most profitable per surrogate weight first.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import inner, kernel
from .rng import below, unit


class KnapsackState(NamedTuple):
    """Arrays of the search; profits, weights, room and values share one dtype, int64 or float64.

    ``rows`` holds the weights item by item, [n, m]; ``values`` the current and the best value;
    ``cycle`` the position in the current cooling and its length.
    """

    profits: NDArray[Any]
    rows: NDArray[Any]
    capacities: NDArray[Any]
    inside: NDArray[np.bool_]
    room: NDArray[Any]
    best: NDArray[np.bool_]
    core: NDArray[np.int64]
    banned: NDArray[np.bool_]
    saved: NDArray[np.bool_]
    saved_room: NDArray[Any]
    values: NDArray[Any]
    cycle: NDArray[np.int64]
    rng: NDArray[np.uint64]


@kernel
def lagrange_multipliers(profits: Any, weights: Any, capacities: Any, steps: int) -> Any:
    """Approximate the LP duals of the capacities by subgradient steps (Held, Wolfe, Crowder 1974).

    Args:
        profits: Profits, float64[n].
        weights: Weights, float64[m, n]; items that never fit have been taken out.
        capacities: Capacities, float64[m], all positive.
        steps: Number of steps.

    Returns:
        Multipliers float64[m], not all zero, of the smallest dual bound met, and that bound.
    """
    m, n = weights.shape
    current = np.zeros(m)
    kept = np.zeros(m)
    used = np.zeros(m)
    total = 0.0
    for j in range(n):
        total += profits[j]
    for i in range(m):
        current[i] = total / (capacities[i] * m)
        kept[i] = current[i]
    lowest = np.inf
    scale = 1.0
    since = 0
    for _ in range(steps):
        bound = 0.0
        for i in range(m):
            used[i] = 0.0
            bound += current[i] * capacities[i]
        gain = 0.0
        for j in range(n):
            reduced = profits[j]
            for i in range(m):
                reduced -= current[i] * weights[i, j]
            if reduced > 0.0:
                bound += reduced
                gain += profits[j]
                for i in range(m):
                    used[i] += weights[i, j]
        since += 1
        if bound < lowest:
            if bound < lowest - 1e-6 * abs(bound):
                since = 0
            lowest = bound
            for i in range(m):
                kept[i] = current[i]
        if since >= 10:
            scale *= 0.7
            since = 0
            for i in range(m):
                current[i] = kept[i]
            continue
        # Steps in units of capacity, so that rows of different magnitude move alike.
        norm = 0.0
        for i in range(m):
            norm += (used[i] / capacities[i] - 1.0) ** 2
        if norm < 1e-18:
            break
        length = scale * 0.05 * lowest / norm
        for i in range(m):
            move = length * (used[i] / capacities[i] - 1.0) / capacities[i]
            current[i] = max(0.0, current[i] + move)
    return kept, lowest


@inner
def overloaded(s: KnapsackState) -> bool:
    """Whether some room is negative."""
    short = False
    for i in range(s.room.shape[0]):
        short = short or s.room[i] < 0
    return short


@inner
def fits(s: KnapsackState, j: int) -> bool:
    """Whether the item fits into the room left."""
    i = 0
    while i < s.room.shape[0] and s.rows[j, i] <= s.room[i]:
        i += 1
    return i == s.room.shape[0]


@inner
def flip(s: KnapsackState, j: int) -> None:
    """Put an item in or take it out; the room may become negative."""
    if s.inside[j]:
        s.values[0] -= s.profits[j]
        for i in range(s.room.shape[0]):
            s.room[i] += s.rows[j, i]
    else:
        s.values[0] += s.profits[j]
        for i in range(s.room.shape[0]):
            s.room[i] -= s.rows[j, i]
    s.inside[j] = not s.inside[j]


@inner
def fill(s: KnapsackState, skip: float) -> None:
    """Add core items that fit, in order of ratio, passing over each with probability ``skip``."""
    for k in range(s.core.shape[0]):
        j = s.core[k]
        if s.inside[j] or s.banned[j] or not fits(s, j):
            continue
        if skip == 0.0 or unit(s.rng) >= skip:
            flip(s, j)


@inner
def swap_descent(s: KnapsackState, inside: Any, outside: Any) -> None:
    """Apply improving 1-1 swaps of core items, refilling after each, until none is left.

    ``inside`` and ``outside`` are work space, int64 of the core's size.
    """
    found = True
    while found:
        found = False
        insiders = 0
        outsiders = 0
        for k in range(s.core.shape[0]):
            if s.inside[s.core[k]]:
                inside[insiders] = s.core[k]
                insiders += 1
            else:
                outside[outsiders] = s.core[k]
                outsiders += 1
        for a in range(insiders - 1, -1, -1):
            i = inside[a]
            for b in range(outsiders):
                j = outside[b]
                if s.profits[j] > s.profits[i] and _exchangeable(s, i, j):
                    flip(s, i)
                    flip(s, j)
                    outside[b] = i
                    i = j
                    found = True
        if found:
            fill(s, 0.0)


@inner
def _exchangeable(s: KnapsackState, i: int, j: int) -> bool:
    r = 0
    while r < s.room.shape[0] and s.rows[j, r] - s.rows[i, r] <= s.room[r]:
        r += 1
    return r == s.room.shape[0]


@inner
def shake(s: KnapsackState, strongest: int) -> None:
    """Force one outside item in or take one to ``strongest`` items out; ban the opposite until refilled."""
    size = s.core.shape[0]
    count = 1 + below(s.rng, strongest)
    for _ in range(count):
        j = s.core[below(s.rng, size)]
        flip(s, j)
        s.banned[j] = not s.inside[j]
        k = size - 1
        tries = 0
        # Rounding may leave a room of minus nothing with all items out, hence the limit.
        while tries < 4 and overloaded(s):
            # Mostly the worst ratios go first; skipping some keeps repeated shakes apart.
            v = s.core[k]
            if s.inside[v] and (v != j or tries > 1) and (tries > 1 or unit(s.rng) < 0.3):
                flip(s, v)
                s.banned[v] = tries < 2
            k -= 1
            if k < 0:
                k = size - 1
                tries += 1
