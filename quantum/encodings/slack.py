"""Quadratic penalties with bits of slack: the usual QUBO, exact and in need of many qubits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.errors import InputError
from quantum.encodings.base import Encoded, check_constants
from quantum.encodings.rows import IntegerRow, integer_rows
from quantum.hamiltonians import Quadratic
from quantum.programs import BinaryProgram, range_weights


@dataclass(frozen=True)
class Slack:
    """f(x) + sum_i w_i (a_i x - low_i - s_i)^2, where s_i in bits is the slack of row i (Lucas 2014).

    A row in integers that allows the values low to high needs slack of 0 to high - low, and an equality none. A
    product needs a bit less: (a x - low - s) (a x - low - s - 1) / 2 is 0 at two neighbouring values and at least
    1 at all other integers, so that s has to reach every second value only, and where low + 1 = high, as in set
    packing, no slack is left.

    A side with a price gets bits of deviation, which pay that price, on top. By how much a row is missed can be
    put right there, so twice the price is weight enough for it; a row without a price has the weight that makes
    any violation cost more than the objective can gain: its range, and the least coefficient on top.

    Attributes:
        penalty: Factor of these weights; below 1 minima may be infeasible.
        packing: Whether a product takes the place of the square where no slack is left then.
        halved: Whether it does in all rows with slack, each of which then has a bit less.
    """

    penalty: float = 1.0
    packing: bool = True
    halved: bool = False

    name = "slack"
    summary = "Quadratic penalties with bits of slack (Lucas 2014)"
    takes_multipliers = False

    def __post_init__(self) -> None:
        check_constants(penalty=self.penalty)

    @property
    def exact(self) -> bool:
        """With weights that are sufficient."""
        return self.penalty >= 1.0

    def encode(self, program: BinaryProgram, multipliers: NDArray | None = None) -> Encoded:
        """See `Encoding`; variables come first, then bits of slack row by row."""
        if multipliers is not None:
            raise InputError("the encoding 'slack' takes no multipliers")
        rows = integer_rows(program)
        hard = sufficient_weight(program, rows)
        product = [(self.halved and row.width > 0) or (self.packing and row.width == 1) for row in rows]
        extra = [_extra_bits(row, without) for row, without in zip(rows, product, strict=True)]
        prices = np.concatenate([program.c, *(price for _, price in extra)])
        squares = _matrix(rows, [bits for bits, _ in extra], program.num_variables)
        least = [hard if row.hard else 2.0 * max(row.shortfall, row.surplus) for row in rows]
        # v (v - 1) / 2 = ((v - 1/2)^2 - 1/4) / 2
        halves, factors = np.where(product, 0.5, 0.0), np.where(product, 0.5, 1.0)
        weights = self.penalty * factors * np.array(least)
        sides = np.array([row.low for row in rows]) + halves
        Q = program.Q.copy()
        Q.resize(prices.size, prices.size)
        form = Quadratic.of(
            program.offset + float(weights @ (sides**2 - halves**2)),
            prices - 2.0 * (squares.T @ (weights * sides)),
            Q + squares.T @ sparse.diags(weights) @ squares,
        )
        return Encoded(form.ising(), np.arange(program.num_variables, dtype=np.int64), program)


def sufficient_weight(program: BinaryProgram, rows: list[IntegerRow]) -> float:
    """More than violating a row by 1 can gain: the range of the objective, and its least coefficient on top."""
    terms = np.concatenate([program.c, program.Q.data])
    prices = [price for row in rows for price in (row.shortfall, row.surplus) if np.isfinite(price)]
    sizes = np.abs(np.concatenate([terms, prices]))
    missed = sum(
        max((p * d for p, d in ((row.shortfall, row.short), (row.surplus, row.over)) if d), default=0.0)
        for row in rows
    )
    return float(np.abs(terms).sum() + missed + np.min(sizes[sizes > 0], initial=np.inf if sizes.any() else 1.0))


def _extra_bits(row: IntegerRow, product: bool) -> tuple[NDArray, NDArray]:
    """Coefficients of bits of deviation and of slack in a row, and their prices in the objective."""
    short, over = (np.array(range_weights(most), dtype=np.float64) for most in (row.short, row.over))
    slack = np.array(second_weights(row.width) if product else range_weights(row.width), dtype=np.float64)
    prices = [row.shortfall * short, row.surplus * over, np.zeros(slack.size)]
    return np.concatenate([short, -over, -slack]), np.concatenate(prices)


def second_weights(width: int) -> list[int]:
    """Weights of bits whose sums s reach 0, 1, ..., width by s or s + 1 and nothing else; the fewest that do."""
    weights: list[int] = []
    rest = width - 1
    while rest > 0:
        weights.append(min(2 << len(weights), rest))
        rest -= weights[-1]
    return weights


def _matrix(rows: list[IntegerRow], extra: list[NDArray], n: int) -> sparse.csr_matrix:
    """[k, q] CSR, the rows over variables and bits of slack."""
    lengths = [row.columns.size for row in rows]
    sizes = [bits.size for bits in extra]
    total = sum(sizes)
    where = np.concatenate([np.zeros(0, dtype=np.int64), *(row.columns for row in rows), n + np.arange(total)])
    values = np.concatenate([np.zeros(0), *(row.values for row in rows), *extra])
    numbers = np.concatenate([np.repeat(np.arange(len(rows)), lengths), np.repeat(np.arange(len(rows)), sizes)])
    return sparse.csr_matrix((values, (numbers, where)), shape=(len(rows), n + total))
