"""Market split: local search on the total slack sum_i |A_i x - b_i| over binary x."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .compiled import inner, kernel
from .numeric import as_numeric, magnitude, require_representable
from .rng import below, seed_state, unit

SHORTEST_TENURE = 3
PATIENCE = 200


def market_split_problem(coefficients: ArrayLike, rhs: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Check the data of a market split problem.

    Args:
        coefficients: A, int64[m, n], any sign.
        rhs: b, int64[m].

    Returns:
        Both as C-contiguous int64.

    Raises:
        ValueError: If shapes do not agree, entries are not integers, or the total slack may leave int64.
    """
    matrix = as_numeric("coefficients", coefficients, 2)
    sides = as_numeric("rhs", rhs, 1)
    if matrix.shape[0] != sides.size:
        raise ValueError(f"coefficients has {matrix.shape[0]} rows but rhs has {sides.size} entries")
    for name, array in (("coefficients", matrix), ("rhs", sides)):
        if array.size and array.dtype != np.int64:
            raise ValueError(f"{name} must be integers")
    matrix, sides = matrix.astype(np.int64), sides.astype(np.int64)
    # Twice the coefficients: a flip of two variables is evaluated on top of the current residual.
    require_representable("the total slack", 3 * magnitude(matrix) + magnitude(sides))
    return matrix, sides


def total_slack(coefficients: NDArray[np.int64], rhs: NDArray[np.int64], x: NDArray[np.bool_]) -> int:
    """Return sum_i |A_i x - b_i|."""
    return int(np.abs(coefficients @ x.astype(np.int64) - rhs).sum())


class FlipState(NamedTuple):
    """``steps[j]`` is the change of the residual A x - b when variable j flips, int64[n, m].

    ``counters``: move number, moves since the last improvement; ``values``: current slack, best slack,
    best slack since the last perturbation.
    """

    steps: NDArray[np.int64]
    residual: NDArray[np.int64]
    x: NDArray[np.bool_]
    best: NDArray[np.bool_]
    free_at: NDArray[np.int64]
    counters: NDArray[np.int64]
    values: NDArray[np.int64]
    rng: NDArray[np.uint64]


@inner
def flip_variable(s: FlipState, j: int) -> None:
    """Flip one variable and update residual and current slack."""
    s.x[j] = not s.x[j]
    total = 0
    for i in range(s.residual.shape[0]):
        s.residual[i] += s.steps[j, i]
        s.steps[j, i] = -s.steps[j, i]
        total += abs(s.residual[i])
    s.values[0] = total
    s.free_at[j] = s.counters[0] + SHORTEST_TENURE + below(s.rng, s.x.shape[0] // 4 + 1)


@inner
def _best_move(s: FlipState) -> tuple[int, int]:
    """Find the best 1- or 2-flip that is not tabu, or that beats the incumbent; ties at random.

    A single flip has the same index twice; (-1, -1) when everything is tabu.
    """
    n, m = s.steps.shape
    lowest = np.int64(0x7FFFFFFFFFFFFFFF)
    first = -1
    second = -1
    ties = 0
    now = s.counters[0]
    for j in range(n):
        for k in range(j, n):
            total = np.int64(0)
            if k == j:
                for i in range(m):
                    total += abs(s.residual[i] + s.steps[j, i])
            else:
                for i in range(m):
                    total += abs(s.residual[i] + s.steps[j, i] + s.steps[k, i])
            if total > lowest:
                continue
            if total >= s.values[1] and (s.free_at[j] > now or s.free_at[k] > now):
                continue
            ties = 1 if total < lowest else ties + 1
            if ties == 1 or unit(s.rng) * ties < 1.0:
                lowest = total
                first = j
                second = k
    return first, second


@kernel
def _iterate(s: FlipState, iterations: int) -> bool:
    n = s.x.shape[0]
    improved = False
    for _ in range(iterations):
        if s.values[1] == 0:
            break
        s.counters[0] += 1
        j, k = _best_move(s)
        if j >= 0:
            flip_variable(s, j)
            if k != j:
                flip_variable(s, k)
        s.counters[1] += 1
        if s.values[0] < s.values[2]:
            s.values[2] = s.values[0]
            s.counters[1] = 0
        if s.values[0] < s.values[1]:
            s.values[1] = s.values[0]
            for i in range(n):
                s.best[i] = s.x[i]
            improved = True
        elif s.counters[1] > PATIENCE:
            for i in range(n):
                if below(s.rng, 2) == 0:
                    flip_variable(s, i)
            for i in range(n):
                s.free_at[i] = 0
            s.counters[1] = 0
            s.values[2] = s.values[0]
    return improved


class MarketSplitLocalSearch:
    """Tabu search over 1- and 2-flips for the total slack of a market split problem.

    The problem is that of Cornuejols, Dawande (1998); the method is plain tabu search (Glover 1989)
    with random tenures, restarted from a random point after PATIENCE moves without progress. Local
    search finds small slacks fast but seldom zero: see :class:`.market_split_exact.MeetInTheMiddle`.
    """

    maximize = False

    def __init__(self, coefficients: ArrayLike, rhs: ArrayLike, seed: int, start: ArrayLike | None = None) -> None:
        """Build the state.

        Args:
            coefficients: A, int64[m, n], any sign.
            rhs: b, int64[m].
            seed: Seed of the search.
            start: Start point, bool[n]; random by default.

        Raises:
            ValueError: If shapes do not agree, entries are not integers, or the slack may overflow.
        """
        matrix, sides = market_split_problem(coefficients, rhs)
        n = matrix.shape[1]
        rng = seed_state(seed)
        first = np.random.default_rng(rng).random(n) < 0.5 if start is None else start
        x: NDArray[np.bool_] = np.array(first, dtype=np.bool_)
        if x.shape != (n,):
            raise ValueError(f"start must have shape ({n},), got {x.shape}")
        self._state = FlipState(
            steps=np.ascontiguousarray(np.where(x, -matrix, matrix).T),
            residual=matrix @ x.astype(np.int64) - sides,
            x=x,
            best=x.copy(),
            free_at=np.zeros(n, dtype=np.int64),
            counters=np.zeros(2, dtype=np.int64),
            values=np.full(3, total_slack(matrix, sides, x), dtype=np.int64),
            rng=rng,
        )

    @property
    def best(self) -> NDArray[np.bool_]:
        """The incumbent, bool[n] (a copy)."""
        return self._state.best.copy()

    @property
    def best_value(self) -> int:
        """Total slack of the incumbent."""
        return int(self._state.values[1])

    @property
    def complete(self) -> bool:
        """Whether the incumbent has no slack, or there is no variable."""
        return self.best_value == 0 or self._state.x.size == 0

    def run(self, iterations: int) -> bool:
        """Make a number of moves.

        Args:
            iterations: Moves; each scans all 1- and 2-flips in O(n^2 m).

        Returns:
            Whether the incumbent improved.
        """
        if self.complete:
            return False
        return bool(_iterate(self._state, iterations))
