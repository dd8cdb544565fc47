"""Market split, exactly: meet in the middle for zero slack, enumeration for the least slack."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .compiled import inner, kernel
from .driver import improve
from .market_split import market_split_problem, total_slack

TABLE_BITS = 22
ENUMERATION_LIMIT = 26

INSERTED, PROBED, FOUND = range(3)


class HalfSums(NamedTuple):
    """Hash table of the right half's subsets, and how far the two enumerations have come.

    ``columns`` is A transposed, [n, m]; the first ``table_variables`` variables form the right half.
    ``codes`` holds one 64-bit code per column and, last, that of b; ``subsets`` is -1 in empty slots;
    ``sums`` the code of the current subset of either half.
    """

    columns: NDArray[np.int64]
    rhs: NDArray[np.int64]
    codes: NDArray[np.uint64]
    keys: NDArray[np.uint64]
    subsets: NDArray[np.int32]
    sums: NDArray[np.uint64]
    counters: NDArray[np.int64]
    answer: NDArray[np.int64]


@inner
def _gray(position: int) -> int:
    return position ^ (position >> 1)


@inner
def _same_sums(columns: Any, first: int, second: int) -> bool:
    for i in range(columns.shape[1]):
        difference = 0
        for j in range(columns.shape[0]):
            difference += columns[j, i] * (((first >> j) & 1) - ((second >> j) & 1))
        if difference != 0:
            return False
    return True


@inner
def _slot(key: Any, size: int) -> np.int64:
    mixed = (key ^ (key >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64(mixed >> np.uint64(20)) & (size - 1)


@inner
def _step(h: HalfSums, half: int, position: int, offset: int) -> None:
    """Turn the code of one Gray-coded subset into that of the next."""
    bit = 0
    while ((position >> bit) & 1) == 0:
        bit += 1
    if (_gray(position) >> bit) & 1:
        h.sums[half] += h.codes[offset + bit]
    else:
        h.sums[half] -= h.codes[offset + bit]


@kernel
def _insert(h: HalfSums, table_variables: int, steps: int) -> None:
    """Store the next subsets of the right half, one for each distinct vector of sums."""
    size = h.keys.shape[0]
    for _ in range(steps):
        position = h.counters[INSERTED]
        if position >= np.int64(1) << table_variables:
            return
        if position > 0:
            _step(h, 0, position, 0)
        key = h.sums[0]
        subset = _gray(position)
        k = _slot(key, size)
        known = False
        # Equal codes of different sums are both kept, so that a failed search is a proof.
        while h.subsets[k] >= 0 and not known:
            known = h.keys[k] == key and _same_sums(h.columns, h.subsets[k], subset)
            if not known:
                k = (k + 1) & (size - 1)
        if not known:
            h.keys[k] = key
            h.subsets[k] = subset
        h.counters[INSERTED] = position + 1


@inner
def _solves(h: HalfSums, chosen: int) -> bool:
    for i in range(h.rhs.shape[0]):
        total = -h.rhs[i]
        for j in range(h.columns.shape[0]):
            if (chosen >> j) & 1:
                total += h.columns[j, i]
        if total != 0:
            return False
    return True


@kernel
def _probe(h: HalfSums, table_variables: int, steps: int) -> None:
    """Look up what the next subsets of the left half lack; every hit is checked on the exact sums."""
    size = h.keys.shape[0]
    n = h.columns.shape[0]
    for _ in range(steps):
        position = h.counters[PROBED]
        if position >= np.int64(1) << (n - table_variables):
            return
        if position > 0:
            _step(h, 1, position, table_variables)
        h.counters[PROBED] = position + 1
        key = h.codes[n] - h.sums[1]
        k = _slot(key, size)
        while h.subsets[k] >= 0:
            if h.keys[k] == key:
                chosen = (_gray(position) << table_variables) | h.subsets[k]
                if _solves(h, chosen):
                    h.answer[0] = chosen
                    h.counters[FOUND] = 1
                    return
            k = (k + 1) & (size - 1)


class MeetInTheMiddle:
    """Finds x with A x = b or proves that there is none (Horowitz, Sahni 1974).

    The vectors of sums are hashed to 64 bits by a random linear form modulo 2**64. The form is linear,
    so equal sums always have equal codes whatever wraps around, and hits are verified exactly: both
    answers are certain. Half the variables, but at most TABLE_BITS, are tabulated, with 24 bytes for
    each of up to 2**22 subsets (100 MB); the rest is enumerated. The effort is that of 2**22 insertions
    and 2**(n - 22) probes: about a second for n = 44 and twice as long for each further variable.
    """

    maximize = False

    def __init__(self, coefficients: ArrayLike, rhs: ArrayLike, seed: int = 0) -> None:
        """Prepare the enumeration.

        Args:
            coefficients: A, int64[m, n], any sign, n <= 62.
            rhs: b, int64[m].
            seed: Seed of the codes; it does not affect the answer's kind.

        Raises:
            ValueError: If n > 62, shapes do not agree, or sums may overflow.
        """
        self._matrix, self._rhs = market_split_problem(coefficients, rhs)
        m, n = self._matrix.shape
        if n > 62:
            raise ValueError(f"meet in the middle takes at most 62 variables, got {n}")
        self._table_variables = min((n + 1) // 2, TABLE_BITS)
        form = np.random.default_rng(seed).integers(0, 2**64, size=m, dtype=np.uint64)
        columns = np.ascontiguousarray(self._matrix.T)
        codes = np.append(columns.view(np.uint64) @ form, (self._rhs.view(np.uint64) * form).sum())
        size = 1 << (self._table_variables + 1)
        self._half = HalfSums(
            columns=columns,
            rhs=self._rhs,
            codes=codes.astype(np.uint64),
            keys=np.zeros(size, dtype=np.uint64),
            subsets=np.full(size, -1, dtype=np.int32),
            sums=np.zeros(2, dtype=np.uint64),
            counters=np.zeros(3, dtype=np.int64),
            answer=np.zeros(1, dtype=np.int64),
        )

    @property
    def solution(self) -> NDArray[np.bool_] | None:
        """A zero-slack x, bool[n], once one has been found."""
        if not self._half.counters[FOUND]:
            return None
        chosen = int(self._half.answer[0])
        return np.array([(chosen >> j) & 1 for j in range(self._matrix.shape[1])], dtype=np.bool_)

    @property
    def best(self) -> NDArray[np.bool_]:
        """The solution, or x = 0 as long as there is none, bool[n]."""
        x = self.solution
        return np.zeros(self._matrix.shape[1], dtype=np.bool_) if x is None else x

    @property
    def best_value(self) -> int:
        """Total slack of ``best``."""
        return total_slack(self._matrix, self._rhs, self.best)

    @property
    def complete(self) -> bool:
        """Whether a solution has been found or excluded."""
        probes = 1 << (self._matrix.shape[1] - self._table_variables)
        return bool(self._half.counters[FOUND]) or int(self._half.counters[PROBED]) == probes

    def run(self, iterations: int) -> bool:
        """Insert or look up a number of half sums.

        Args:
            iterations: Half sums to process.

        Returns:
            Whether a solution was found in this call.
        """
        if self.complete:
            return False
        before = int(self._half.counters[INSERTED])
        _insert(self._half, self._table_variables, iterations)
        rest = iterations - (int(self._half.counters[INSERTED]) - before)
        if rest > 0:
            _probe(self._half, self._table_variables, rest)
        return bool(self._half.counters[FOUND])


def solve_zero_slack(
    coefficients: ArrayLike, rhs: ArrayLike, *, deadline: Callable[[], float], seed: int = 0
) -> tuple[NDArray[np.bool_] | None, bool]:
    """Run :class:`MeetInTheMiddle` until it is through or the deadline has come.

    Args:
        coefficients: A, int64[m, n], n <= 62.
        rhs: b, int64[m].
        deadline: Returns the seconds that remain.
        seed: Seed of the codes.

    Returns:
        The solution or None, and whether the answer is final: (None, True) proves that A x = b has no
        binary solution.

    Raises:
        ValueError: As the constructor.
    """
    search = MeetInTheMiddle(coefficients, rhs, seed)
    improve(search, deadline=deadline, on_improvement=lambda x, value: None)
    return search.solution, search.complete


@kernel
def _enumerate(columns: Any, residual: Any, record: Any, steps: int) -> bool:
    """Walk on through the Gray code; record: position, best position, least slack."""
    n, m = columns.shape
    improved = False
    for _ in range(steps):
        position = record[0] + 1
        if position >= np.int64(1) << n or record[2] == 0:
            break
        record[0] = position
        bit = 0
        while ((position >> bit) & 1) == 0:
            bit += 1
        sign = 1 if (_gray(position) >> bit) & 1 else -1
        total = np.int64(0)
        for i in range(m):
            residual[i] += sign * columns[bit, i]
            total += abs(residual[i])
        if total < record[2]:
            record[2] = total
            record[1] = position
            improved = True
    return improved


class MarketSplitEnumeration:
    """Finds the least total slack by walking through all 2**n points in Gray code, O(m) for each."""

    maximize = False

    def __init__(self, coefficients: ArrayLike, rhs: ArrayLike) -> None:
        """Start at x = 0.

        Args:
            coefficients: A, int64[m, n], any sign, n <= ENUMERATION_LIMIT.
            rhs: b, int64[m].

        Raises:
            ValueError: If n is too large, shapes do not agree, or sums may overflow.
        """
        matrix, sides = market_split_problem(coefficients, rhs)
        self._n = matrix.shape[1]
        if self._n > ENUMERATION_LIMIT:
            raise ValueError(f"enumeration takes at most {ENUMERATION_LIMIT} variables, got {self._n}")
        self._columns = np.ascontiguousarray(matrix.T)
        self._residual = -sides
        self._record = np.array([0, 0, int(np.abs(sides).sum())], dtype=np.int64)

    @property
    def best(self) -> NDArray[np.bool_]:
        """The incumbent, bool[n]."""
        position = int(self._record[1])
        return np.array([((position ^ (position >> 1)) >> j) & 1 for j in range(self._n)], dtype=np.bool_)

    @property
    def best_value(self) -> int:
        """Total slack of the incumbent."""
        return int(self._record[2])

    @property
    def complete(self) -> bool:
        """Whether the incumbent is optimal: zero slack, or all points seen."""
        return self.best_value == 0 or int(self._record[0]) == (1 << self._n) - 1

    def run(self, iterations: int) -> bool:
        """Visit a number of points; True when the incumbent improved."""
        return bool(_enumerate(self._columns, self._residual, self._record, iterations))
