"""0-1 and multidimensional knapsack: surrogate-ratio greedy and iterated local search."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .compiled import inner, kernel
from .knapsack_moves import KnapsackState, fill, lagrange_multipliers, overloaded, shake, swap_descent
from .numeric import as_numeric, common_dtype, magnitude, require_representable
from .rng import seed_state, unit

CORE_SIZE = 300
MULTIPLIER_STEPS = 300
STRONGEST_SHAKE = 3
SKIP = 0.05
HOT = 30.0
COLD = 3.0
FIRST_CYCLE = 100
ROUNDING = 1e-9


def surrogate_ratios(
    profits: ArrayLike, weights: ArrayLike, capacities: ArrayLike, multipliers: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Profit of each item per unit of surrogate weight (Pirkul 1987).

    Args:
        profits: Profits, [n].
        weights: Weights, [m, n].
        capacities: Capacities, [m].
        multipliers: Weight of each row in the surrogate, [m]; by default 1 / capacity.

    Returns:
        Ratios, float64[n]; infinite for items of surrogate weight zero.
    """
    gains = np.asarray(profits, dtype=np.float64)
    if multipliers is None:
        room = np.asarray(capacities, dtype=np.float64)
        # A row without capacity keeps out what weighs anything; it ranks nothing.
        duals = np.divide(1.0, room, out=np.zeros_like(room), where=room > 0)
    else:
        duals = np.asarray(multipliers, dtype=np.float64)
    surrogate = duals @ np.asarray(weights, dtype=np.float64).reshape(duals.size, gains.size)
    return np.divide(gains, surrogate, out=np.full_like(gains, np.inf), where=surrogate > 0)


def greedy_knapsack(
    profits: ArrayLike, weights: ArrayLike, capacities: ArrayLike, multipliers: ArrayLike | None = None
) -> NDArray[np.bool_]:
    """Take items in order of surrogate ratio as long as they fit.

    Args:
        profits: Profits, int64[n] or float64[n], all >= 0.
        weights: Weights, int64[m, n] or float64[m, n], all >= 0.
        capacities: Capacities, int64[m] or float64[m], all >= 0.
        multipliers: Surrogate multipliers, float64[m], such as LP duals; by default 1 / capacity.

    Returns:
        Indicator of a feasible set of items, bool[n].

    Raises:
        ValueError: If shapes do not agree, an entry is negative, or sums do not fit the dtype.
    """
    gains, loads, limits = _problem(profits, weights, capacities)
    ratios = surrogate_ratios(gains, loads, limits, multipliers)
    chosen = np.zeros(gains.size, dtype=np.bool_)
    used = np.zeros_like(limits)
    for j in np.argsort(-ratios, kind="stable"):
        after = used + loads[:, j]
        if (after <= limits).all():
            used = after
            chosen[j] = True
    return _trim(chosen, loads, limits, ratios)


def _trim(chosen: Any, loads: Any, limits: Any, ratios: Any) -> NDArray[np.bool_]:
    """Take out worst ratios while the loads, summed in index order, exceed a capacity by rounding."""
    kept = np.array(chosen, dtype=np.bool_)
    for j in np.argsort(ratios, kind="stable"):
        # cumsum, unlike sum, adds in index order, as the kernels do.
        if not kept.any() or (np.cumsum(loads[:, kept], axis=1)[:, -1] <= limits).all():
            break
        if kept[j] and loads[:, j].any():
            kept[j] = False
    return kept


def _problem(profits: ArrayLike, weights: ArrayLike, capacities: ArrayLike) -> tuple[Any, Any, Any]:
    gains, loads, limits = common_dtype(
        [
            as_numeric("profits", profits, 1),
            as_numeric("weights", weights, 2),
            as_numeric("capacities", capacities, 1),
        ]
    )
    if loads.shape != (limits.size, gains.size):
        raise ValueError(f"weights must have shape ({limits.size}, {gains.size}), got {loads.shape}")
    for name, array in (("profits", gains), ("weights", loads), ("capacities", limits)):
        if array.size and array.min() < 0:
            raise ValueError(f"{name} must not be negative")
    require_representable("the sum of profits", magnitude(gains))
    for i in range(limits.size):
        require_representable(f"the load of row {i}", magnitude(loads[i]) + magnitude(limits[i : i + 1]))
    return gains, loads, limits


@kernel
def _recompute(s: KnapsackState) -> bool:
    """Sum value and room anew in index order, dropping incremental rounding; True when feasible."""
    s.values[0] = 0
    for i in range(s.room.shape[0]):
        used = s.capacities[i] - s.capacities[i]
        for j in range(s.inside.shape[0]):
            if s.inside[j]:
                used += s.rows[j, i]
        s.room[i] = s.capacities[i] - used
    for j in range(s.inside.shape[0]):
        if s.inside[j]:
            s.values[0] += s.profits[j]
    return not overloaded(s)


@inner
def _copy_core(s: KnapsackState, source: Any, target: Any) -> None:
    for k in range(s.core.shape[0]):
        target[s.core[k]] = source[s.core[k]]


@inner
def _save_if_best(s: KnapsackState) -> bool:
    if s.values[0] <= s.values[1] or not _recompute(s) or s.values[0] <= s.values[1]:
        return False
    s.values[1] = s.values[0]
    _copy_core(s, s.inside, s.best)
    return True


@kernel
def _iterate(s: KnapsackState, iterations: int, strongest: int, skip: float, hot: float, cold: float) -> bool:
    size = s.core.shape[0]
    inside = np.empty(size, dtype=np.int64)
    outside = np.empty(size, dtype=np.int64)
    improved = False
    for _ in range(iterations):
        s.cycle[0] += 1
        if s.cycle[0] >= s.cycle[1]:
            s.cycle[0] = 0
            s.cycle[1] += s.cycle[1] // 2
        temperature = hot * (cold / hot) ** (s.cycle[0] / s.cycle[1])
        before = s.values[0]
        _copy_core(s, s.inside, s.saved)
        for i in range(s.room.shape[0]):
            s.saved_room[i] = s.room[i]
        shake(s, strongest)
        fill(s, skip)
        for k in range(size):
            s.banned[s.core[k]] = False
        fill(s, 0.0)
        swap_descent(s, inside, outside)
        if _save_if_best(s):
            improved = True
        elif s.values[0] < before and unit(s.rng) >= np.exp((s.values[0] - before) / temperature):
            _copy_core(s, s.saved, s.inside)
            for i in range(s.room.shape[0]):
                s.room[i] = s.saved_room[i]
            s.values[0] = before
    return improved


class KnapsackLocalSearch:
    """Iterated local search for the (multidimensional) 0-1 knapsack problem.

    Each iteration forces random items in or out, repairs by dropping the worst surrogate ratios,
    refills by ratio and descends by 1-1 swaps; a loss is accepted with the probability of simulated
    annealing. Iterated greedy after Ruiz, Stuetzle (2007); the ranking by dual multipliers follows
    Pirkul (1987) and the restriction to a core of items that are neither clearly in nor clearly out
    follows Balas, Zemel (1980) and Puchinger, Raidl, Pferschy (2010).

    With float data, loads are summed in index order for each incumbent, and the incumbent respects
    the capacities in that order of summation.

    Attributes:
        multipliers: The surrogate multipliers in use, float64[m].
    """

    maximize = True

    def __init__(
        self,
        profits: ArrayLike,
        weights: ArrayLike,
        capacities: ArrayLike,
        seed: int,
        start: ArrayLike | None = None,
        multipliers: ArrayLike | None = None,
    ) -> None:
        """Build the state from the start solution.

        Args:
            profits: Profits, int64[n] or float64[n], all >= 0.
            weights: Weights, int64[m, n] or float64[m, n], all >= 0.
            capacities: Capacities, int64[m] or float64[m], all >= 0.
            seed: Seed of the search.
            start: Indicator of a feasible set of items, bool[n]; the greedy solution by default. With
                float data an excess of 1e-9 of a capacity is mended by dropping items.
            multipliers: Surrogate multipliers, float64[m], such as LP duals; by default approximate
                Lagrange multipliers.

        Raises:
            ValueError: If shapes do not agree, an entry is negative, sums do not fit the dtype, or
                the start is infeasible.
        """
        gains, loads, limits = _problem(profits, weights, capacities)
        if multipliers is None:
            self.multipliers = _multipliers(gains, loads, limits)
        else:
            self.multipliers = np.asarray(multipliers, dtype=np.float64)
            if self.multipliers.shape != limits.shape:
                raise ValueError(f"multipliers must have shape {limits.shape}")
        if start is None:
            first = greedy_knapsack(gains, loads, limits, self.multipliers)
        else:
            first = np.array(start, dtype=np.bool_)
            if first.shape != gains.shape:
                raise ValueError(f"start must have shape {gains.shape}, got {first.shape}")
            slack = 0 if limits.dtype == np.int64 else ROUNDING * limits
            if (loads[:, first].sum(axis=1) > limits + slack).any():
                raise ValueError("start exceeds a capacity")
            first = _trim(first, loads, limits, surrogate_ratios(gains, loads, limits, self.multipliers))
        self._never = (loads > limits[:, None]).any(axis=0)
        core = _core(gains, loads, limits, self.multipliers, first, self._never)
        self._state = KnapsackState(
            profits=gains,
            rows=np.ascontiguousarray(loads.T),
            capacities=limits,
            inside=first,
            room=limits.copy(),
            best=first.copy(),
            core=core,
            banned=np.zeros(gains.size, dtype=np.bool_),
            saved=first.copy(),
            saved_room=limits.copy(),
            values=np.zeros(2, dtype=gains.dtype),
            cycle=np.array([0, FIRST_CYCLE], dtype=np.int64),
            rng=seed_state(seed),
        )
        _recompute(self._state)
        self._state.values[1] = self._state.values[0]
        # The differences between neighbouring solutions shrink as the items get denser.
        self._spread = max(float(gains[core].std()), 1e-12) / gains.size if core.size else 1.0

    @property
    def best(self) -> NDArray[np.bool_]:
        """Indicator of the incumbent, bool[n] (a copy)."""
        return self._state.best.copy()

    @property
    def best_value(self) -> int | float:
        """Profit of the incumbent."""
        return self._state.values[1].item()

    @property
    def complete(self) -> bool:
        """Whether the incumbent holds every item of positive profit that fits on its own."""
        s = self._state
        return bool((s.best | self._never | (s.profits == 0)).all())

    def run(self, iterations: int) -> bool:
        """Shake, refill and descend a number of times.

        Args:
            iterations: Iterations to make.

        Returns:
            Whether the incumbent improved.
        """
        if self.complete or not self._state.core.size:
            return False
        hot, cold = HOT * self._spread, COLD * self._spread
        return bool(_iterate(self._state, iterations, STRONGEST_SHAKE, SKIP, hot, cold))


def _multipliers(gains: Any, loads: Any, limits: Any) -> NDArray[np.float64]:
    """Lagrange multipliers over the rows and items that matter; zero for rows without capacity."""
    duals = np.zeros(limits.size)
    rows = np.flatnonzero(limits > 0)
    items = np.flatnonzero(~(loads > limits[:, None]).any(axis=0) & (gains > 0))
    if rows.size and items.size:
        kept, _ = lagrange_multipliers(
            gains[items].astype(np.float64),
            np.ascontiguousarray(loads[np.ix_(rows, items)], dtype=np.float64),
            limits[rows].astype(np.float64),
            MULTIPLIER_STEPS,
        )
        duals[rows] = kept
    return duals


def _core(gains: Any, loads: Any, limits: Any, duals: Any, first: Any, never: Any) -> NDArray[np.int64]:
    """The CORE_SIZE movable items of smallest reduced profit, in order of ratio.

    Items whose state contradicts the sign of their reduced profit count as undecided.
    """
    reduced = gains - duals @ loads
    doubt = np.where(first == (reduced > 0), np.abs(reduced), 0.0)
    movable = np.flatnonzero(~never & (gains > 0) & ((loads > 0).any(axis=0) | ~first))
    nearest = movable[np.argsort(doubt[movable], kind="stable")[:CORE_SIZE]]
    ratios = surrogate_ratios(gains, loads, limits, duals)
    return nearest[np.argsort(-ratios[nearest], kind="stable")].astype(np.int64)
