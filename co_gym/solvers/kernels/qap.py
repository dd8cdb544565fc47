"""Quadratic assignment: simulated annealing with O(n) moves, alternated with 2-swap descent."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .compiled import inner, kernel
from .numeric import as_numeric, common_dtype, largest, magnitude, require_representable
from .rng import below, seed_state, unit

FIRST_SWEEPS = 50
PROBES = 200

FIRST, SECOND, LEFT, REJECTED, PHASE, SINCE, SWEEPS = range(7)
DESCENDING, COLD, ANNEALING = range(3)
TEMPERATURE, COOLING, FOUND_AT = range(3)


class QapState(NamedTuple):
    """Arrays of the search; flow, distance and values share one dtype, int64 or float64.

    ``counters``: the pair to visit next, trials left in the annealing, consecutive rejections, the
    phase, visits since the last change, sweeps of the next annealing; ``heat``: temperature, cooling
    coefficient, temperature at which the best solution of this annealing was met; ``values``: current
    cost, best cost, best cost of this annealing.
    """

    flow: NDArray[Any]
    distance: NDArray[Any]
    current: NDArray[np.int64]
    best: NDArray[np.int64]
    counters: NDArray[np.int64]
    heat: NDArray[np.float64]
    values: NDArray[Any]
    rng: NDArray[np.uint64]


@kernel
def assignment_cost(flow: Any, distance: Any, p: Any) -> Any:
    """Sum of flow[i, j] * distance[p[i], p[j]] over all ordered pairs, the diagonal included."""
    total = flow[0, 0] - flow[0, 0]
    for i in range(p.shape[0]):
        for j in range(p.shape[0]):
            total += flow[i, j] * distance[p[i], p[j]]
    return total


@kernel
def swap_delta(flow: Any, distance: Any, p: Any, r: int, s: int) -> Any:
    """Change of the cost when r and s swap locations, for asymmetric matrices (Burkard, Rendl 1984).

    Args:
        flow: Flows, [n, n].
        distance: Distances, [n, n].
        p: Locations, int64[n].
        r: One facility.
        s: Another facility.

    Returns:
        The cost after the swap less the cost before, in O(n).
    """
    a = p[r]
    b = p[s]
    change = (flow[r, r] - flow[s, s]) * (distance[b, b] - distance[a, a])
    change += (flow[r, s] - flow[s, r]) * (distance[b, a] - distance[a, b])
    for k in range(p.shape[0]):
        if k != r and k != s:
            c = p[k]
            change += (flow[r, k] - flow[s, k]) * (distance[b, c] - distance[a, c])
            change += (flow[k, r] - flow[k, s]) * (distance[c, b] - distance[c, a])
    return change


@inner
def _reheat(q: QapState) -> None:
    """Set the temperatures from sampled swaps (Connolly 1990) and perturb the current solution."""
    n = q.current.shape[0]
    smallest = np.inf
    greatest = 0.0
    for _ in range(PROBES):
        r = below(q.rng, n)
        s = (r + 1 + below(q.rng, n - 1)) % n
        size = abs(float(swap_delta(q.flow, q.distance, q.current, r, s)))
        if size > 0.0:
            smallest = min(smallest, size)
            greatest = max(greatest, size)
        q.current[r], q.current[s] = q.current[s], q.current[r]
    q.values[0] = assignment_cost(q.flow, q.distance, q.current)
    q.values[2] = q.values[0]
    if greatest == 0.0:
        smallest = 1.0
        greatest = 1.0
    hot = smallest + (greatest - smallest) / 10.0
    # Longer annealings find better solutions; growing ones suit any deadline.
    trials = q.counters[SWEEPS] * (n * (n - 1) // 2)
    q.counters[SWEEPS] += q.counters[SWEEPS] // 2
    q.heat[TEMPERATURE] = hot
    q.heat[COOLING] = (hot - smallest) / (trials * hot * smallest)
    q.heat[FOUND_AT] = hot
    q.counters[LEFT] = trials
    q.counters[REJECTED] = 0
    q.counters[PHASE] = ANNEALING


@inner
def _next_pair(q: QapState) -> None:
    n = q.current.shape[0]
    q.counters[SECOND] += 1
    if q.counters[SECOND] >= n:
        q.counters[FIRST] += 1
        if q.counters[FIRST] >= n - 1:
            q.counters[FIRST] = 0
        q.counters[SECOND] = q.counters[FIRST] + 1


@inner
def _accept(q: QapState, change: float) -> bool:
    """Decide on a swap and advance the temperature: Lundy-Mees cooling, then Connolly's constant one."""
    if q.counters[PHASE] == DESCENDING:
        return change < 0.0
    heat = q.heat[TEMPERATURE]
    accepted = change < 0.0 or unit(q.rng) < np.exp(-change / heat)
    if q.counters[PHASE] == ANNEALING:
        q.heat[TEMPERATURE] = heat / (1.0 + q.heat[COOLING] * heat)
        q.counters[REJECTED] = 0 if accepted else q.counters[REJECTED] + 1
        n = q.current.shape[0]
        if q.counters[REJECTED] >= n * (n - 1) // 2:
            # Frozen: stay where the best solution was met for the rest of the trials.
            q.counters[PHASE] = COLD
            q.heat[TEMPERATURE] = q.heat[FOUND_AT]
    q.counters[LEFT] -= 1
    if q.counters[LEFT] <= 0:
        q.counters[PHASE] = DESCENDING
        q.counters[SINCE] = 0
    return accepted


@kernel
def _iterate(q: QapState, iterations: int, margin: Any) -> bool:
    n = q.current.shape[0]
    pairs = n * (n - 1) // 2
    improved = False
    for _ in range(iterations):
        if q.counters[PHASE] == DESCENDING and q.counters[SINCE] >= pairs:
            _reheat(q)
        r = q.counters[FIRST]
        s = q.counters[SECOND]
        _next_pair(q)
        change = swap_delta(q.flow, q.distance, q.current, r, s)
        q.counters[SINCE] += 1
        # Descent must not cycle on rounding.
        if q.counters[PHASE] == DESCENDING and change >= -margin:
            continue
        if not _accept(q, float(change)):
            continue
        q.current[r], q.current[s] = q.current[s], q.current[r]
        q.values[0] += change
        q.counters[SINCE] = 0
        if q.values[0] < q.values[2]:
            q.values[2] = q.values[0]
            q.heat[FOUND_AT] = q.heat[TEMPERATURE]
            if q.values[0] < q.values[1] - margin:
                q.values[0] = assignment_cost(q.flow, q.distance, q.current)
                if q.values[0] < q.values[1]:
                    q.values[1] = q.values[0]
                    for k in range(n):
                        q.best[k] = q.current[k]
                    improved = True
    return improved


class QAPLocalSearch:
    """Simulated annealing for the quadratic assignment problem, restarted by reheating.

    Connolly (1990): pairs are visited in fixed order, the temperature range comes from sampled swaps,
    and once a whole sweep is rejected the search goes on at the temperature at which the best solution
    was met. Each annealing ends in a 2-swap descent; the next one begins from its shuffled result.
    The first descent works on the start solution.
    """

    maximize = False

    def __init__(self, flow: ArrayLike, distance: ArrayLike, seed: int, start: ArrayLike | None = None) -> None:
        """Build the state.

        Args:
            flow: Flows between facilities, int64[n, n] or float64[n, n]; any sign, not necessarily
                symmetric, the diagonal may be nonzero.
            distance: Distances between locations, likewise.
            seed: Seed of the search.
            start: Location of each facility, a permutation int64[n]; random by default.

        Raises:
            ValueError: If the matrices are not square of one size, the start is not a permutation, or
                the cost could overflow.
        """
        flows, distances = common_dtype([as_numeric("flow", flow, 2), as_numeric("distance", distance, 2)])
        n = flows.shape[0]
        if flows.shape != (n, n) or distances.shape != (n, n):
            shapes = f"{flows.shape} and {distances.shape}"
            raise ValueError(f"flow and distance must be square of one size, got {shapes}")
        # The partial sums of a swap reach four times the bound on the cost itself.
        require_representable("four times the assignment cost", 4 * magnitude(flows) * largest(distances))
        rng = seed_state(seed)
        if start is None:
            first = np.random.default_rng(rng).permutation(n).astype(np.int64)
        else:
            first = np.array(start, dtype=np.int64)
            if not np.array_equal(np.sort(first), np.arange(n)):
                raise ValueError(f"start is not a permutation of 0..{n - 1}")
        cost = assignment_cost(flows, distances, first) if n else flows.dtype.type(0)
        self._state = QapState(
            flow=flows,
            distance=distances,
            current=first,
            best=first.copy(),
            counters=np.array([0, 1, 0, 0, DESCENDING, 0, FIRST_SWEEPS], dtype=np.int64),
            heat=np.ones(3),
            values=np.full(3, cost, dtype=flows.dtype),
            rng=rng,
        )
        scale = float(largest(flows)) * float(largest(distances))
        self._margin = np.int64(0) if flows.dtype == np.int64 else np.float64(1e-9 * scale)

    @property
    def best(self) -> NDArray[np.int64]:
        """Location of each facility in the incumbent, int64[n] (a copy)."""
        return self._state.best.copy()

    @property
    def best_value(self) -> int | float:
        """Cost of the incumbent."""
        return self._state.values[1].item()

    @property
    def complete(self) -> bool:
        """Whether there is only one assignment."""
        return self._state.current.size < 2

    def run(self, iterations: int) -> bool:
        """Visit a number of pairs.

        Args:
            iterations: Swaps to evaluate.

        Returns:
            Whether the incumbent improved.
        """
        if self.complete:
            return False
        return bool(_iterate(self._state, iterations, self._margin))
