"""Simulated annealing of binary choices and what follows from them (see `milp.dependents`)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from co_gym.solvers.kernels.compiled import bare_inner, bare_kernel
from co_gym.solvers.kernels.rng import below, unit

HARD = -1
TOLERANCE = 1e-9
"""By which a row, scaled so that its largest coefficient is 1, may be violated."""
CHANCE_OF_EXCHANGE = 0.5
BETTER = 1e-9
"""Relative improvement that counts."""
OBJECTIVE, PENALTY, BROKEN, BEST, TARGET = range(5)
"""Places in `State.totals`; `BROKEN` counts violated rows, `TARGET` is what is better than the best."""
ACTIVITIES, VALUES, DIRTY = range(3)
"""Places in `State.sizes`."""


class Layout(NamedTuple):
    """A program to minimize: binary variables 0..b-1, dependents b..v-1; each array is read only.

    Attributes:
        num_binary: b.
        cost: [v] float64.
        starts: [v + 1] int64, CSC of the entries, without those of dependents in the rows they own.
        rows: [e] int64.
        entries: [e] float64.
        owner: [m] int64, the dependent that has to be at least `low - activity`; `HARD`: low <= activity <= high.
        low: [m] float64.
        high: [m] float64.
        least: [v] float64, lower bounds of dependents.
        whole: [v] bool, whether a dependent is rounded up.
        level: [v] int64, dependents of smaller level are known earlier.
        held_starts: [v + 1] int64, CSR of the rows that a dependent owns.
        held: [k] int64.
        group_starts: [g + 1] int64, CSR of groups, of whose variables a fixed number is 1.
        members: [l] int64.
        ones: [g] int64, this number.
        loose: [f] int64, binary variables in no group.
    """

    num_binary: int
    cost: NDArray[np.float64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    entries: NDArray[np.float64]
    owner: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    least: NDArray[np.float64]
    whole: NDArray[np.bool_]
    level: NDArray[np.int64]
    held_starts: NDArray[np.int64]
    held: NDArray[np.int64]
    group_starts: NDArray[np.int64]
    members: NDArray[np.int64]
    ones: NDArray[np.int64]
    loose: NDArray[np.int64]


class State(NamedTuple):
    """Where an annealing stands.

    Attributes:
        values: [v] float64, of all variables.
        activity: [m] float64, of the rows, owners left out.
        weight: [m] float64, cost of a violation by 1.
        members: [l] int64, of each group, those that are 1 first.
        place: [b] int64, where a variable stands among them.
        totals: [5] float64, see `OBJECTIVE` and those beside it.
        best: [v] float64, the best feasible values.
        old_rows: Rows whose activity has changed in this move, and `old_activities` before each change.
        old_activities: See `old_rows`.
        old_variables: Variables that have changed in this move, and `old_values` before each change.
        old_values: See `old_variables`.
        dirty: Dependents that may have to change.
        is_dirty: [v] bool.
        sizes: [3] int64, how many entries of these lists are in use.
        move: [4] int64, variables to flip.
        rng: [1] uint64.
    """

    values: NDArray[np.float64]
    activity: NDArray[np.float64]
    weight: NDArray[np.float64]
    members: NDArray[np.int64]
    place: NDArray[np.int64]
    totals: NDArray[np.float64]
    best: NDArray[np.float64]
    old_rows: NDArray[np.int64]
    old_activities: NDArray[np.float64]
    old_variables: NDArray[np.int64]
    old_values: NDArray[np.float64]
    dirty: NDArray[np.int64]
    is_dirty: NDArray[np.bool_]
    sizes: NDArray[np.int64]
    move: NDArray[np.int64]
    rng: NDArray[np.uint64]


@bare_inner
def _violation(layout: Any, row: int, activity: float) -> float:
    excess = max(layout.low[row] - activity, activity - layout.high[row])
    return excess if excess > TOLERANCE else 0.0


@bare_inner
def _change(layout: Any, state: Any, variable: int, value: float) -> None:
    """Sets a variable and what its rows see of it; dependents that may have to follow are marked."""
    totals, sizes = state.totals, state.sizes
    before = state.values[variable]
    state.old_variables[sizes[VALUES]], state.old_values[sizes[VALUES]] = variable, before
    sizes[VALUES] += 1
    state.values[variable] = value
    totals[OBJECTIVE] += layout.cost[variable] * (value - before)
    for t in range(layout.starts[variable], layout.starts[variable + 1]):
        row = layout.rows[t]
        old = state.activity[row]
        new = old + layout.entries[t] * (value - before)
        state.old_rows[sizes[ACTIVITIES]], state.old_activities[sizes[ACTIVITIES]] = row, old
        sizes[ACTIVITIES] += 1
        state.activity[row] = new
        owner = layout.owner[row]
        if owner == HARD:
            was, now = _violation(layout, row, old), _violation(layout, row, new)
            totals[PENALTY] += state.weight[row] * (now - was)
            totals[BROKEN] += (now > 0.0) - (was > 0.0)
        elif not state.is_dirty[owner]:
            state.is_dirty[owner] = True
            state.dirty[sizes[DIRTY]] = owner
            sizes[DIRTY] += 1


@bare_inner
def _needed(layout: Any, state: Any, dependent: int) -> float:
    """The least value that the rows of a dependent permit."""
    value = layout.least[dependent]
    for t in range(layout.held_starts[dependent], layout.held_starts[dependent + 1]):
        row = layout.held[t]
        value = max(value, layout.low[row] - state.activity[row])
    return math.ceil(value - 1e-6) if layout.whole[dependent] else value


@bare_inner
def _follow(layout: Any, state: Any) -> None:
    """Brings dependents up to date, level by level."""
    sizes, done, level = state.sizes, 0, 0
    while done < sizes[DIRTY]:
        k = 0
        while k < sizes[DIRTY]:  # the list grows, by higher levels
            dependent = state.dirty[k]
            k += 1
            if layout.level[dependent] == level:
                done += 1
                value = _needed(layout, state, dependent)
                if value != state.values[dependent]:
                    _change(layout, state, dependent, value)
        level += 1
    for k in range(sizes[DIRTY]):
        state.is_dirty[state.dirty[k]] = False
    sizes[DIRTY] = 0


@bare_inner
def _undo(state: Any, objective: float, penalty: float, broken: float) -> None:
    for k in range(state.sizes[VALUES] - 1, -1, -1):
        state.values[state.old_variables[k]] = state.old_values[k]
    for k in range(state.sizes[ACTIVITIES] - 1, -1, -1):
        state.activity[state.old_rows[k]] = state.old_activities[k]
    state.totals[OBJECTIVE], state.totals[PENALTY], state.totals[BROKEN] = objective, penalty, broken


@bare_inner
def _swap_places(state: Any, one: int, other: int) -> None:
    i, j = state.place[one], state.place[other]
    state.members[i], state.members[j] = other, one
    state.place[one], state.place[other] = j, i


@bare_inner
def _random_row(layout: Any, state: Any, variable: int) -> int:
    """A random row of a variable, or -1."""
    first, last = layout.starts[variable], layout.starts[variable + 1]
    return layout.rows[first + below(state.rng, last - first)] if last > first else -1


@bare_inner
def _that_is_zero(layout: Any, state: Any, group: int, row: int) -> int:
    """A variable of a group that is 0 and has an entry in a row, or -1."""
    first, last = layout.group_starts[group] + layout.ones[group], layout.group_starts[group + 1]
    offset = below(state.rng, last - first)
    for k in range(last - first):
        i = first + offset + k
        variable = state.members[i if i < last else i - (last - first)]
        for t in range(layout.starts[variable], layout.starts[variable + 1]):
            if layout.rows[t] == row:
                return variable
    return -1


@bare_inner
def _propose(layout: Any, state: Any) -> int:
    """Draws a move, variables to flip, and returns how many there are.

    One that is in no group; or two of a group; or, in an exchange, two of one group and two of another, so that
    each takes the other's place in a row.
    """
    rng, move, groups = state.rng, state.move, layout.ones.size
    free = below(rng, groups + layout.loose.size)
    if free >= groups:
        move[0] = layout.loose[free - groups]
        return 1
    first, middle = layout.group_starts[free], layout.group_starts[free] + layout.ones[free]
    move[0] = state.members[first + below(rng, layout.ones[free])]
    other = below(rng, groups)
    if other == free or unit(rng) >= CHANCE_OF_EXCHANGE:
        move[1] = state.members[middle + below(rng, layout.group_starts[free + 1] - middle)]
        return 2
    move[2] = state.members[layout.group_starts[other] + below(rng, layout.ones[other])]
    left, entered = _random_row(layout, state, move[0]), _random_row(layout, state, move[2])
    if left < 0 or entered < 0:
        return 0
    move[1], move[3] = _that_is_zero(layout, state, free, entered), _that_is_zero(layout, state, other, left)
    return 4 if move[1] >= 0 and move[3] >= 0 else 0


@bare_inner
def _start(layout: Any, state: Any) -> None:
    """Computes from the binary values all that follows from them, without what rounding has left."""
    for i in range(BEST):
        state.totals[i] = 0.0
    for i in range(state.activity.size):
        state.activity[i] = 0.0
    for i in range(3):
        state.sizes[i] = 0
    for i in range(state.is_dirty.size):
        state.is_dirty[i] = False
    b = layout.num_binary
    for variable in range(b):
        value = state.values[variable]
        state.totals[OBJECTIVE] += layout.cost[variable] * value
        if value != 0.0:
            for t in range(layout.starts[variable], layout.starts[variable + 1]):
                state.activity[layout.rows[t]] += layout.entries[t] * value
    for variable in range(b, layout.cost.size):
        state.values[variable] = 0.0
        state.dirty[variable - b] = variable
        state.is_dirty[variable] = True
    state.sizes[DIRTY] = layout.cost.size - b
    _follow(layout, state)
    state.totals[PENALTY] = 0.0
    state.totals[BROKEN] = 0.0
    for row in range(layout.owner.size):
        if layout.owner[row] == HARD:
            violation = _violation(layout, row, state.activity[row])
            state.totals[PENALTY] += state.weight[row] * violation
            state.totals[BROKEN] += violation > 0.0


@bare_inner
def _try(layout: Any, state: Any) -> int:
    """Makes a move and all that follows, so that it can be undone; returns how many variables it flips."""
    state.sizes[ACTIVITIES] = 0
    state.sizes[VALUES] = 0
    count = _propose(layout, state)
    for k in range(count):
        variable = state.move[k]
        _change(layout, state, variable, 1.0 - state.values[variable])
    _follow(layout, state)
    return count


@bare_kernel
def anneal(layout: Any, state: Any, steps: int, hot: float, cold: float) -> None:
    """Metropolis moves while the temperature falls geometrically.

    Args:
        layout: The program.
        state: From where; holds the end and the best afterwards. `totals[BEST]` is its objective.
        steps: Moves to try.
        hot: Temperature of the first move, positive.
        cold: Of the last.
    """
    _start(layout, state)
    totals, move = state.totals, state.move
    cooling = math.log(cold / hot) / max(1, steps)
    temperature = hot
    for step in range(steps):
        if step % 64 == 0:
            temperature = hot * math.exp(cooling * step)
        objective, penalty, broken = totals[OBJECTIVE], totals[PENALTY], totals[BROKEN]
        count = _try(layout, state)
        if count == 0:
            continue
        rise = totals[OBJECTIVE] + totals[PENALTY] - objective - penalty
        if rise > 0.0 and unit(state.rng) >= math.exp(-rise / temperature):
            _undo(state, objective, penalty, broken)
            continue
        for k in range(0, count - 1, 2):
            _swap_places(state, move[k], move[k + 1])
        if totals[BROKEN] == 0.0 and totals[OBJECTIVE] < totals[TARGET]:
            totals[BEST] = totals[OBJECTIVE]
            totals[TARGET] = totals[BEST] - BETTER * max(1.0, abs(totals[BEST]))
            for i in range(state.best.size):
                state.best[i] = state.values[i]


@bare_kernel
def probe(layout: Any, state: Any, rises: NDArray, shifts: NDArray) -> None:
    """Tries moves and takes them back: how much they change.

    Args:
        layout: The program.
        state: Around which.
        rises: [k] float64, filled with changes of the objective; 0 for moves that there are not.
        shifts: [k] float64, filled with the largest changes of activities of rows that have no owner.
    """
    _start(layout, state)
    totals = state.totals
    for i in range(rises.size):
        objective, penalty, broken = totals[OBJECTIVE], totals[PENALTY], totals[BROKEN]
        _try(layout, state)
        rises[i] = totals[OBJECTIVE] - objective
        shifts[i] = 0.0
        for k in range(state.sizes[ACTIVITIES]):
            row = state.old_rows[k]
            if layout.owner[row] == HARD:
                shifts[i] = max(shifts[i], abs(state.activity[row] - state.old_activities[k]))
        _undo(state, objective, penalty, broken)
