"""Local search on tours: 2-opt and Or-opt over near cities, and kicks with local repair.

A tour is an array with the position of each city; a path is reversed on its shorter side. Cities wait in a queue
while something near them may improve, which is what don't-look bits do (Bentley 1992).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from co_gym.envs.kernels.metric import distance, instance
from co_gym.solvers.kernels.compiled import kernel
from co_gym.solvers.kernels.rng import below

_compile: Any = njit
_options = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
bare: Any = _compile(**_options, no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""For parts that allocate nothing: without reference counts, which would take most of the time here."""
bare_inlined: Any = _compile(**_options, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)

HEAD, WAITING, LOGGED = range(3)
TWO_OPT, TWO_OPT_BACKWARD, MOVE = range(3)
LONGEST_MOVED = 3
"""Cities in the segments that Or-opt moves."""
LONGEST_KICKED = 30
"""Cities in the segments that a kick exchanges: few, so that the repair stays near."""
LOG = 1024
"""Reversals that can be undone; a descent pauses when there are more."""
RELATIVE_GAIN = 1e-9
"""Gains of float data count from this share of the tour's length on: rounding must not pass for a gain."""


class TourState(NamedTuple):
    """Arrays of the search on one tour of n cities.

    Attributes:
        table: Coordinates or distances, see `metric.Table`.
        near: [n, K] near cities of each city, nearest first.
        reach: [n, K] their distances.
        tour: [n] cities by position.
        position: [n] positions by city.
        queue: [n] ring of the waiting cities.
        queued: [n] whether a city waits.
        log: [LOG, 2] reversals made: first position, number of positions.
        counters: Head and length of the queue, length of the log.
        move: The best move found.
    """

    table: Any
    near: NDArray[np.int32]
    reach: NDArray[Any]
    tour: NDArray[np.int32]
    position: NDArray[np.int32]
    queue: NDArray[np.int32]
    queued: NDArray[np.bool_]
    log: NDArray[np.int32]
    counters: NDArray[np.int64]
    move: NDArray[np.int64]


@bare_inlined
def _push(s: TourState, city: int) -> None:
    if not s.queued[city]:
        s.queued[city] = True
        last = s.counters[HEAD] + s.counters[WAITING]
        s.queue[last if last < s.queue.size else last - s.queue.size] = city
        s.counters[WAITING] += 1


@bare_inlined
def _pop(s: TourState) -> int:
    head = s.counters[HEAD]
    city = s.queue[head]
    s.queued[city] = False
    s.counters[HEAD] = head + 1 if head + 1 < s.queue.size else 0
    s.counters[WAITING] -= 1
    return city


@bare_inlined
def _step(s: TourState, city: int, backward: bool) -> int:
    """The next city in a direction."""
    i, n = s.position[city], s.tour.size
    if backward:
        return s.tour[i - 1 if i > 0 else n - 1]
    return s.tour[i + 1 if i + 1 < n else 0]


@bare_inlined
def _flip(s: TourState, first: int, count: int) -> None:
    """Reverses `count` positions from `first` on, cyclically."""
    n = s.tour.size
    i, j = first, first + count - 1
    if j >= n:
        j -= n
    for _ in range(count // 2):
        a, b = s.tour[i], s.tour[j]
        s.tour[i], s.position[b] = b, i
        s.tour[j], s.position[a] = a, j
        i = i + 1 if i + 1 < n else 0
        j = j - 1 if j > 0 else n - 1


@bare_inlined
def _logged_flip(s: TourState, first: int, count: int) -> None:
    if count > 1:
        _flip(s, first, count)
        s.log[s.counters[LOGGED], 0] = first
        s.log[s.counters[LOGGED], 1] = count
        s.counters[LOGGED] += 1


@bare_inlined
def _ahead(s: TourState, start: int, end: int, backward: bool) -> int:
    """Number of steps from one city to another in a direction."""
    steps = s.position[end] - s.position[start]
    if backward:
        steps = -steps
    return steps if steps >= 0 else steps + s.tour.size


@bare
def _reverse(s: TourState, start: int, end: int, backward: bool) -> bool:
    """Reverses the path from `start` to `end`, read in a direction.

    Returns:
        The direction in which the new tour is to be read so that all but this path is as before: where the rest
        is the shorter side, it is reversed instead.
    """
    count = _ahead(s, start, end, backward) + 1
    if 2 * count <= s.tour.size:
        _logged_flip(s, s.position[end if backward else start], count)
        return backward
    after = _step(s, start if backward else end, False)
    _logged_flip(s, s.position[after], s.tour.size - count)
    return not backward


@bare
def _move_segment(s: TourState, e: int, a: int, c: int, f: int) -> None:
    """Moves the segment e..a, read forward, in between the neighbours c and f, a next to c."""
    backward = False
    turned = _step(s, c, backward) == f
    last, beyond = (c, f) if turned else (f, c)
    # Read p [e..a] [b..last] beyond: the segment passes over the shorter way round.
    if 2 * _ahead(s, a, last, backward) > s.tour.size:
        e, a, last, backward = a, e, beyond, not backward
    b = _step(s, a, backward)
    backward = _reverse(s, e, last, backward)
    backward = _reverse(s, last, b, backward)
    if not turned:
        _reverse(s, a, e, backward)


@bare_inlined
def _keep(s: TourState, e: int, a: int, c: int, f: int, kind: int) -> None:
    """Notes the best move so far: the ends of the path or segment, and the edge that it goes to."""
    s.move[0], s.move[1], s.move[2], s.move[3], s.move[4] = e, a, c, f, kind


@bare_inlined
def _insert(s: TourState, best: Any, left: Any, e: int, a: int, c: int, f: int, kind: int) -> Any:
    """Notes the move of the segment e..a in between c and f if it gains more than `best`; returns the best gain.

    `left` is its gain but for the edge it replaces and the one that joins e to f.
    """
    gain = left + distance(s.table, c, f)
    if gain > best:
        gain -= distance(s.table, e, f)
        if gain > best:
            best = gain
            _keep(s, e, a, c, f, kind)
    return best


@bare_inlined
def _two_opt(s: TourState, best: Any, left: Any, a: int, b: int, c: int, backward: bool) -> Any:
    """As `_insert`, for the edges from a to b and from c on replaced by (a, c) and the other two ends."""
    d = _step(s, c, backward)
    gain = left + distance(s.table, c, d) - distance(s.table, b, d)
    if gain > best:
        best = gain
        _keep(s, a, b, c, d, TWO_OPT_BACKWARD if backward else TWO_OPT)
    return best


@bare_inlined
def _carry(s: TourState, best: Any, near: Any, a: int, b: int, c: int) -> Any:
    """Segments that end with a, b behind, to c at distance `near`, on either side of it."""
    e = a
    ahead, behind = _step(s, c, False), _step(s, c, True)
    for _ in range(min(LONGEST_MOVED, s.tour.size - 2)):
        if e == c:
            break
        p = _step(s, e, True)
        left = distance(s.table, p, e) + distance(s.table, a, b) - distance(s.table, p, b) - near
        if ahead != e:
            best = _insert(s, best, left, e, a, c, ahead, MOVE)
        best = _insert(s, best, left, e, a, c, behind, MOVE)
        e = p
    return best


@bare_inlined
def _fetch(s: TourState, best: Any, near: Any, c: int, f: int, e: int) -> Any:
    """Segments that begin with e, at distance `near` of f, in between f and c."""
    p = _step(s, e, True)
    left, a = distance(s.table, p, e) + distance(s.table, c, f) - near, e
    for _ in range(min(LONGEST_MOVED, s.tour.size - 2)):
        if a in (c, f):
            break
        b = _step(s, a, False)
        gain = left + distance(s.table, a, b) - distance(s.table, a, c)
        if gain > best:
            gain -= distance(s.table, p, b)
            if gain > best:
                best = gain
                _keep(s, e, a, c, f, MOVE)
        a = b
    return best


@bare_inlined
def _release(s: TourState, best: Any, p: int, e: int) -> Any:
    """Segments that begin with e, p before, to wherever less is lost than closing the gap gains."""
    a, middle = e, e
    first = distance(s.table, p, e)
    for _ in range(min(LONGEST_MOVED, s.tour.size - 2)):
        b = _step(s, a, False)
        gap = first + distance(s.table, a, b) - distance(s.table, p, b)
        for k in range(s.near.shape[1]):
            near = s.reach[a, k]
            if near >= gap:
                break
            c = s.near[a, k]
            if c != e and c != middle:
                for side in range(2):
                    f = _step(s, c, side == 1)
                    if f != e and f != a:
                        best = _insert(s, best, gap - near, e, a, c, f, MOVE)
        middle, a = a, b
    return best


@bare_inlined
def _find(s: TourState, city: int, best: Any) -> Any:
    """Notes the best move around a city that gains more than `best`; returns its gain, or `best`.

    Every improving move, as a sequential exchange, has a city from which its partial gains are all positive (Lin
    and Kernighan 1973); the kinds of moves here begin at each city in turn that it could be.
    """
    for side in range(2):
        backward = side == 1
        following = _step(s, city, backward)
        length = distance(s.table, city, following)
        for k in range(s.near.shape[1]):
            near, other = s.reach[city, k], s.near[city, k]
            if near >= length:
                break
            best = _two_opt(s, best, length - near, city, following, other, backward)
            if not backward:
                best = _carry(s, best, near, city, following, other)
            best = _fetch(s, best, near, following, city, other)
    return _release(s, best, city, _step(s, city, False))


@bare
def _apply(s: TourState) -> None:
    """Makes the move that was noted, and has the cities at its ends wait."""
    e, a, c, f, kind = s.move[0], s.move[1], s.move[2], s.move[3], s.move[4]
    if kind == MOVE:
        _push(s, _step(s, e, True))
        _push(s, _step(s, a, False))
        _move_segment(s, e, a, c, f)
    else:
        _reverse(s, a, c, kind == TWO_OPT_BACKWARD)
    for k in range(4):
        _push(s, s.move[k])


@bare
def _descend(s: TourState, margin: Any) -> Any:
    """Improves around the waiting cities until none waits or the log is full; returns the gain."""
    gained = margin - margin
    while s.counters[WAITING] > 0 and s.counters[LOGGED] < LOG - 8:
        gain = _find(s, _pop(s), margin)
        if gain > margin:
            gained += gain
            _apply(s)
    return gained


@bare
def _kick(s: TourState, rng: NDArray[np.uint64]) -> Any:
    """Reverses the order of three short neighbouring segments, each kept as it is: a double bridge.

    Returns:
        The gain, mostly negative.
    """
    n, t = s.tour.size, s.table
    longest = min(LONGEST_KICKED, (n - 1) // 3)
    start = below(rng, n)
    x, y, z = 1 + below(rng, longest), 1 + below(rng, longest), 1 + below(rng, longest)
    p, b, last_b = s.tour[start], s.tour[(start + 1) % n], s.tour[(start + x) % n]
    c, last_c = s.tour[(start + x + 1) % n], s.tour[(start + x + y) % n]
    d, last_d = s.tour[(start + x + y + 1) % n], s.tour[(start + x + y + z) % n]
    q = s.tour[(start + x + y + z + 1) % n]
    first = (start + 1) % n
    _logged_flip(s, first, x + y + z)
    _logged_flip(s, first, z)
    _logged_flip(s, (first + z) % n, y)
    _logged_flip(s, (first + z + y) % n, x)
    for city in (p, b, last_b, c, last_c, d, last_d, q):
        _push(s, city)
    gain = distance(t, p, b) + distance(t, last_b, c) + distance(t, last_c, d) + distance(t, last_d, q)
    gain -= distance(t, p, d) + distance(t, last_d, c) + distance(t, last_c, b) + distance(t, last_b, q)
    return gain


@bare
def _undo(s: TourState) -> None:
    """Takes back the logged reversals and empties the queue."""
    while s.counters[LOGGED] > 0:
        s.counters[LOGGED] -= 1
        _flip(s, s.log[s.counters[LOGGED], 0], s.log[s.counters[LOGGED], 1])
    while s.counters[WAITING] > 0:
        _pop(s)


@bare
def _length(table: Any, tour: NDArray[np.int64]) -> float:
    length = 0.0
    for i in range(tour.size):
        length += distance(table, tour[i - 1], tour[i])
    return length


@bare
def _search(
    s: TourState, row: NDArray[np.int64], fresh: bool, kicks: int, rng: NDArray[np.uint64], margin: Any
) -> None:
    """Improves one tour [n] in place; see `polish`."""
    n = row.size
    for i in range(n):
        s.tour[i] = row[i]
        s.position[row[i]] = i
    if fresh:
        for i in range(n):
            _push(s, s.tour[i])
        while s.counters[WAITING] > 0:
            s.counters[LOGGED] = 0
            _descend(s, margin)
    for _ in range(kicks if n > 4 else 0):
        s.counters[LOGGED] = 0
        gain = _kick(s, rng)
        gain += _descend(s, margin)
        # Of equal tours the new one is taken, where equality can be told.
        if gain < margin:
            _undo(s)
    while s.counters[WAITING] > 0:
        _pop(s)
    for i in range(n):
        row[i] = s.tour[i]


@kernel
def polish(
    tables: Any,
    near: NDArray[np.int32],
    tours: NDArray[np.int64],
    first: int,
    last: int,
    fresh: bool,
    kicks: int,
    rngs: NDArray[np.uint64],
    exact: bool,
) -> None:
    """Improves the tours first..last - 1 of a batch in place.

    Args:
        tables: Coordinates or distances of B instances, see `metric.Table`.
        near: [B, n, K] near cities, n at least 4, K at least 1.
        tours: [R, n], B a divisor of R.
        first: Row to begin with.
        last: Row to stop before.
        fresh: Whether the tours may not be local optima yet.
        kicks: Kicks of each tour after that.
        rngs: [R, 1] states of the random numbers.
        exact: Whether distances are integers.
    """
    n, width = near.shape[1], near.shape[2]
    starts = tours.shape[0] // near.shape[0]
    zero = distance(instance(tables, 0), 0, 0)
    lengths, margin = np.full((n, width), zero), np.full(1, zero)
    tour, position, queue = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    queued, log, counters = np.zeros(n, np.bool_), np.empty((LOG, 2), np.int32), np.zeros(3, np.int64)
    move = np.zeros(5, np.int64)
    filled = -1
    for row in range(first, last):
        b = row // starts
        table = instance(tables, b)
        if b != filled:
            filled = b
            for i in range(n):
                for k in range(width):
                    lengths[i, k] = distance(table, i, near[b, i, k])
        s = TourState(table, near[b], lengths, tour, position, queue, queued, log, counters, move)
        margin[0] = 0 if exact else RELATIVE_GAIN * _length(table, tours[row])
        _search(s, tours[row], fresh, kicks, rngs[row], margin[0])
