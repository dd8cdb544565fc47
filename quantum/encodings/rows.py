"""Rows of a program in coprime integers, with sides within reach."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd, inf, isfinite, lcm

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import SolverError
from quantum.programs import BinaryProgram

LARGEST = 1 << 24
"""Sum of the coefficients of a row, at most: squares of its activities are exact in float64 with bits to spare."""
LARGEST_DENOMINATOR = 10_000
PRECISION = 1e-12
"""Relative distance from a ratio of small integers that counts as rounding."""
SIDE_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class IntegerRow:
    """low <= values x <= high, where sides with a price may be missed.

    Attributes:
        columns: [k] int64.
        values: [k] int64, coprime.
        low: Lower side, within reach of the row unless it has a price.
        high: Upper side, likewise.
        short: How far the row may be below, where that has a price; 0 where it has none, or is impossible.
        over: How far it may be above.
        shortfall: Price of a unit below, inf for a constraint, 0 where it is impossible.
        surplus: Price of a unit above.
    """

    columns: NDArray
    values: NDArray
    low: int
    high: int
    short: int
    over: int
    shortfall: float
    surplus: float

    @property
    def width(self) -> int:
        """How far the sides are apart."""
        return self.high - self.low

    @property
    def hard(self) -> bool:
        """Whether it can be violated."""
        return not (isfinite(self.shortfall) and isfinite(self.surplus))


def integer_rows(program: BinaryProgram) -> list[IntegerRow]:
    """The rows of a program that some x misses, in coprime integers.

    Raises:
        SolverError: If a row has no coefficients of that kind, or cannot hold.
    """
    rows = [_integer_row(program, i) for i in range(program.num_rows)]
    return [row for row in rows if row.shortfall or row.surplus]


def _integer_row(program: BinaryProgram, i: int) -> IntegerRow:
    span = slice(*program.A.indptr[i : i + 2])
    entries = program.A.data[span] != 0
    columns, data = program.A.indices[span][entries].astype(np.int64), program.A.data[span][entries]
    least, most = float(np.minimum(data, 0.0).sum()), float(np.maximum(data, 0.0).sum())
    lower = program.lower[i] if program.lower[i] > least else -inf
    upper = program.upper[i] if program.upper[i] < most else inf
    prices = float(program.shortfall[i]), float(program.surplus[i])
    paid = [s for s, price in zip((lower, upper), prices, strict=True) if isfinite(s) and isfinite(price)]
    whole = coprime(np.append(data, paid))
    if whole is None or sum(abs(v) for v in whole) > LARGEST:
        raise SolverError(
            f"row {i} is not in proportion to integers of sum {LARGEST} or less, which bits of slack need: "
            "choose an encoding without slack, or round the data"
        )
    values = np.array(whole[: data.size], dtype=np.int64)
    factor = float(values[0] / data[0]) if data.size else 1.0
    sides = lower * factor, upper * factor
    return _within_reach(i, columns, values, sides, (prices[0] / factor, prices[1] / factor))


def _within_reach(
    i: int, columns: NDArray, values: NDArray, sides: tuple[float, float], prices: tuple[float, float]
) -> IntegerRow:
    least, most = int(np.minimum(values, 0).sum()), int(np.maximum(values, 0).sum())
    low, high = least, most
    if isfinite(sides[0]):
        low = max(least, ceil(sides[0] - SIDE_TOLERANCE * max(1.0, abs(sides[0]))))
    if isfinite(sides[1]):
        high = min(most, floor(sides[1] + SIDE_TOLERANCE * max(1.0, abs(sides[1]))))
    if low > most and isfinite(prices[0]):
        high = low
    elif high < least and isfinite(prices[1]):
        low = high
    if low > high:
        raise SolverError(f"row {i} cannot hold: no integer between its sides is within reach of its coefficients")
    shortfall, surplus = prices[0] if low > least else 0.0, prices[1] if high < most else 0.0
    short, over = low - least if isfinite(shortfall) else 0, most - high if isfinite(surplus) else 0
    return IntegerRow(columns, values, low, high, short, over, shortfall, surplus)


def coprime(numbers: NDArray) -> list[int] | None:
    """Coprime integers in the proportion of some numbers, None if they are in no proportion of small integers.

    Args:
        numbers: [k] float64; 0 stays 0.
    """
    found = numbers[numbers != 0]
    if (numbers == np.round(numbers)).all():
        whole = [int(number) for number in numbers]
    else:
        ratios = (numbers / np.abs(found).min()).tolist()
        fractions = [Fraction(ratio).limit_denominator(LARGEST_DENOMINATOR) for ratio in ratios]
        if any(abs(float(f) - r) > PRECISION * abs(r) for f, r in zip(fractions, ratios, strict=True)):
            return None
        common = lcm(*(f.denominator for f in fractions))
        whole = [int(f * common) for f in fractions]
    divisor = gcd(*whole) or 1
    return [number // divisor for number in whole]
