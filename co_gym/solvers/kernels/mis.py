"""Maximum (weight) independent set: dynamic greedy and iterated local search on a CSR graph."""

import heapq
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .compiled import inner, kernel
from .mis_moves import (
    CLOCK,
    COUNTERS,
    LOGGED,
    SIZE,
    STALE,
    MisState,
    descend,
    force,
    push_swap,
    resum,
    save_best,
    toggle,
    undo,
)
from .numeric import as_numeric, magnitude, require_representable
from .rng import below, seed_state, unit


@kernel
def _greedy(indptr: Any, indices: Any, weights: Any) -> Any:
    n = weights.shape[0]
    # Plain loops here and below: the array operations of numpy compile ten times as long.
    degree = np.empty(n, dtype=np.int64)
    for u in range(n):
        degree[u] = indptr[u + 1] - indptr[u]
    state = np.zeros(n, dtype=np.uint8)  # 0 open, 1 chosen, 2 excluded
    heap = [(np.inf, np.int64(-1))]  # the sentinel, greater than all keys, never popped
    for u in range(n):
        if weights[u] > 0:
            heap.append(((degree[u] + 1) / weights[u], np.int64(u)))
    heapq.heapify(heap)
    while len(heap) > 1:
        key, v = heapq.heappop(heap)
        # Entries are never updated in place: one with an outdated key has a better twin.
        if state[v] != 0 or key != (degree[v] + 1) / weights[v]:
            continue
        state[v] = 1
        for k in range(indptr[v], indptr[v + 1]):
            u = indices[k]
            if state[u] != 0:
                continue
            state[u] = 2
            for q in range(indptr[u], indptr[u + 1]):
                t = indices[q]
                degree[t] -= 1
                if state[t] == 0 and weights[t] > 0:
                    heapq.heappush(heap, ((degree[t] + 1) / weights[t], t))
    return state


def greedy_independent_set(indptr: ArrayLike, indices: ArrayLike, weights: ArrayLike) -> NDArray[np.bool_]:
    """Choose repeatedly an open vertex of maximum weight / (degree + 1) in the remaining graph.

    With unit weights this is the minimum-degree greedy (Halldorsson, Radhakrishnan 1997); the weighted
    rule is GWMIN of Sakai, Togasaki, Yamazaki (2003). Vertices of weight zero or less are left out.

    Args:
        indptr: CSR row starts, int64[n + 1], of a symmetric adjacency without loops.
        indices: CSR neighbours, int64.
        weights: Vertex weights, int64[n] or float64[n].

    Returns:
        Indicator of an independent set, bool[n].

    Raises:
        ValueError: If the arrays are not a symmetric loop-free CSR graph.
    """
    rows, columns, values = _graph(indptr, indices, weights)
    return np.asarray(_greedy(rows, columns, values.astype(np.float64)) == 1, dtype=np.bool_)


def _graph(indptr: ArrayLike, indices: ArrayLike, weights: ArrayLike) -> tuple[Any, Any, Any]:
    values = as_numeric("weights", weights, 1)
    rows = np.ascontiguousarray(indptr, dtype=np.int64)
    columns = np.ascontiguousarray(indices, dtype=np.int64)
    n = values.size
    if rows.shape != (n + 1,) or rows[0] != 0 or rows[-1] != columns.size or (np.diff(rows) < 0).any():
        raise ValueError("indptr does not describe a CSR graph with one row per weight")
    if columns.size and (columns.min() < 0 or columns.max() >= n):
        raise ValueError("indices contains a vertex outside the graph")
    sources = np.repeat(np.arange(n), np.diff(rows))
    if (sources == columns).any():
        raise ValueError("the graph has a loop")
    if not np.array_equal(np.sort(sources * n + columns), np.sort(columns * n + sources)):
        raise ValueError("the adjacency is not symmetric")
    require_representable("the sum of vertex weights", magnitude(values))
    return rows, columns, values


@inner
def _coin(rng: Any) -> bool:
    """Toss a fair coin."""
    return below(rng, 2) == 0


@inner
def _perturb(s: MisState, margin: Any) -> None:
    """Force in mostly one outside vertex, of four at random the one that has been out longest."""
    size = s.counters[SIZE]
    n = s.weights.shape[0]
    strength = 1
    if below(s.rng, 2 * size + 1) == 0:
        while strength < n - size and _coin(s.rng):
            strength += 1
    for _ in range(strength):
        outside = n - s.counters[SIZE]
        if outside == 0:
            return
        v = s.order[n - 1 - below(s.rng, outside)]
        for _ in range(3):
            u = s.order[n - 1 - below(s.rng, outside)]
            if s.left_at[u] < s.left_at[v]:
                v = u
        force(s, v, margin)


@kernel
def _iterate(s: MisState, margin: Any, iterations: int) -> bool:
    improved = False
    for _ in range(iterations):
        s.counters[CLOCK] += 1
        s.counters[LOGGED] = 0
        before = s.values[0]
        _perturb(s, margin)
        descend(s, margin)
        now = s.values[0]
        if now > s.values[1] + margin:
            s.values[1] = now
            s.counters[STALE] = 1
            improved = True
        elif now < before:
            scale = max(1, s.counters[SIZE]) / s.values[1]
            loss = (before - now) * scale
            gap = (s.values[1] - now) * scale
            if unit(s.rng) * (1.0 + loss * gap) < 1.0:
                if s.counters[STALE]:
                    save_best(s)
            else:
                undo(s, margin)
    s.counters[LOGGED] = 0
    if s.counters[STALE]:
        save_best(s)
    resum(s)
    return improved


@kernel
def _begin(s: MisState, first: Any, margin: Any) -> None:
    """Insert the start solution, make it locally optimal, and save it as the incumbent."""
    for v in range(first.shape[0]):
        if first[v]:
            toggle(s, v, margin)
    for v in range(first.shape[0]):
        if not s.inside[v] and s.weights[v] > s.conflict[v] + margin:
            push_swap(s, v)
    s.counters[CLOCK] = 1
    descend(s, margin)
    s.counters[LOGGED] = 0
    save_best(s)
    resum(s)


class MISLocalSearch:
    """Iterated local search for the maximum (weight) independent set.

    Andrade, Resende, Werneck (2012), with the (omega,1)-swaps of Nogueira, Pinheiro, Subramanian
    (2018) in place of plain insertions, which makes it weighted. Losses are measured in mean vertex
    weights by the acceptance rule, so that scaling the weights does not change the search.
    """

    maximize = True

    def __init__(
        self,
        indptr: ArrayLike,
        indices: ArrayLike,
        weights: ArrayLike,
        seed: int,
        start: ArrayLike | None = None,
    ) -> None:
        """Build the state and descend from the start solution.

        Args:
            indptr: CSR row starts, int64[n + 1], of a symmetric adjacency without loops.
            indices: CSR neighbours, int64.
            weights: Vertex weights, int64[n] or float64[n]; vertices of weight <= 0 are never chosen.
            seed: Seed of the search.
            start: Indicator of an independent set, bool[n]; the greedy solution by default.

        Raises:
            ValueError: If the graph is malformed, the start is not an independent set, or the sum of
                weights does not fit the dtype.
        """
        rows, columns, values = _graph(indptr, indices, weights)
        n = values.size
        if start is None:
            first = np.asarray(_greedy(rows, columns, values.astype(np.float64)) == 1, dtype=np.bool_)
        else:
            first = np.asarray(start, dtype=np.bool_)
            if first.shape != (n,):
                raise ValueError(f"start must have shape ({n},), got {first.shape}")
            if (first[np.repeat(np.arange(n), np.diff(rows))] & first[columns]).any():
                raise ValueError("start is not an independent set")
        self._state = _fresh_state(rows, columns, values, seed)
        exact = values.dtype == np.int64
        # Rounding must not pass for a gain, or the descent could cycle.
        self._margin = np.int64(0) if exact else np.float64(1e-9 * (np.abs(values).max() if n else 0.0))
        _begin(self._state, first, self._margin)

    @property
    def best(self) -> NDArray[np.bool_]:
        """Indicator of the incumbent, bool[n] (a copy)."""
        return self._state.best.copy()

    @property
    def best_value(self) -> int | float:
        """Weight of the incumbent."""
        return self._state.values[1].item()

    @property
    def complete(self) -> bool:
        """Whether the incumbent takes every vertex of positive weight."""
        return bool(self._state.best[self._state.weights > 0].all())

    def run(self, iterations: int) -> bool:
        """Perturb and descend a number of times.

        Args:
            iterations: Perturbations to make.

        Returns:
            Whether the incumbent improved.
        """
        if self.complete:
            return False
        return bool(_iterate(self._state, self._margin, iterations))


def _fresh_state(rows: Any, columns: Any, values: Any, seed: int) -> MisState:
    n = values.size

    def integers() -> NDArray[np.int64]:
        return np.zeros(n, dtype=np.int64)

    def flags() -> NDArray[np.bool_]:
        return np.zeros(n, dtype=np.bool_)

    return MisState(
        indptr=rows,
        indices=columns,
        weights=values,
        inside=flags(),
        best=flags(),
        order=np.arange(n, dtype=np.int64),
        place=np.arange(n, dtype=np.int64),
        tight=integers(),
        partner=integers(),
        conflict=np.zeros_like(values),
        left_at=integers(),
        mark=integers(),
        log=integers(),
        touched=integers(),
        original=flags(),
        dirty=integers(),
        is_dirty=flags(),
        swaps=integers(),
        in_swaps=flags(),
        pairs=integers(),
        in_pairs=flags(),
        counters=np.zeros(COUNTERS, dtype=np.int64),
        values=np.zeros(2, dtype=values.dtype),
        rng=seed_state(seed),
    )
