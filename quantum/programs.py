"""Programs in binary variables: what encodings read, and the way back to the program that was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.errors import SolverError
from co_gym.formulation import FEASIBILITY_TOLERANCE, MixedIntegerProgram

MOST_BITS = 20
"""Bits of one integer variable, at most."""


@dataclass(frozen=True, eq=False)
class BinaryProgram:
    """minimize c'x + x'Qx + offset + cost of missed sides, subject to lower <= Ax <= upper, x in {0, 1}^n.

    A side of a row may be missed where that has a price: `shortfall` per unit below `lower`, `surplus` per unit
    above `upper`. The price of most rows is infinite: they are constraints.

    Attributes:
        c: [n] float64.
        A: [m, n] CSR, float64.
        lower: [m] float64, may hold -inf.
        upper: [m] float64, may hold inf.
        Q: [n, n] CSR, strictly upper triangular, as x_i^2 = x_i is part of `c`.
        offset: Constant.
        sign: 1.0, or -1.0 where the program that was given is maximized: its objective is `sign` times this one.
        shortfall: [m] float64, positive, inf for a constraint.
        surplus: [m] float64, positive, inf for a constraint.
        expansion: [N, n] CSR: the N variables of the program that was given are `expansion @ x + base`, but those
            that say by how much a row is missed.
        base: [N] float64.
        deviations: Those others: [k, 3] int64 of column, row and 0 (shortfall) or 1 (surplus).
        scales: [k] float64, units of the row per unit of such a column.
    """

    c: NDArray
    A: sparse.csr_matrix
    lower: NDArray
    upper: NDArray
    Q: sparse.csr_matrix
    offset: float
    sign: float
    shortfall: NDArray
    surplus: NDArray
    expansion: sparse.csr_matrix
    base: NDArray
    deviations: NDArray
    scales: NDArray

    @property
    def num_variables(self) -> int:
        """Number of binary variables, n."""
        return int(self.c.size)

    @property
    def num_rows(self) -> int:
        """Number of rows, m."""
        return int(self.A.shape[0])

    def misses(self, x: NDArray) -> tuple[NDArray, NDArray]:
        """How far each row is below its lower and above its upper side, [..., m] float64 each, at x [..., n]."""
        activity = (self.A @ x.T).T if x.ndim > 1 else self.A @ x
        return np.maximum(self.lower - activity, 0.0), np.maximum(activity - self.upper, 0.0)

    def evaluate(self, x: NDArray) -> NDArray:
        """Objective [...] at x [..., n], to be minimized; prices of missed sides included, constraints not."""
        x = np.asarray(x, dtype=np.float64)
        quadratic = np.einsum("...i,...i", x, (self.Q.T @ x.T).T if x.ndim > 1 else self.Q.T @ x)
        value = x @ self.c + quadratic + self.offset
        for price, missed in zip((self.shortfall, self.surplus), self.misses(x), strict=True):
            soft = np.isfinite(price)
            value = value + missed[..., soft] @ price[soft]
        return value

    def violations(self, x: NDArray) -> NDArray:
        """By how much each constraint is violated beyond tolerance, [..., m] float64, at x [..., n]."""
        x = np.asarray(x, dtype=np.float64)
        below, above = self.misses(x)
        below, above = np.where(np.isinf(self.shortfall), below, 0.0), np.where(np.isinf(self.surplus), above, 0.0)
        sides = np.where(below > 0, np.abs(self.lower), np.abs(self.upper))
        amount = np.maximum(below, above)
        return np.where(amount > FEASIBILITY_TOLERANCE * np.maximum(1.0, sides), amount, 0.0)

    def feasible(self, x: NDArray) -> NDArray:
        """Whether constraints hold, [...] bool, at x [..., n]."""
        return np.logical_not(self.violations(x).any(axis=-1))

    @cached_property
    def worst(self) -> float:
        """An upper bound on the objective of all bit strings, prices of missed sides included."""
        value = self.offset + float(np.maximum(self.c, 0.0).sum() + np.maximum(self.Q.data, 0.0).sum())
        high = np.asarray(self.A.maximum(0.0).sum(axis=1)).ravel()
        low = np.asarray(self.A.minimum(0.0).sum(axis=1)).ravel()
        for price, miss in ((self.shortfall, self.lower - low), (self.surplus, high - self.upper)):
            soft = np.isfinite(price) & np.isfinite(miss)
            value += float(price[soft] @ np.maximum(miss[soft], 0.0))
        return value

    def scores(self, x: NDArray) -> NDArray:
        """[...] float64, objectives at x [..., n], to be minimized, and `worst` where a constraint is violated."""
        return np.where(self.feasible(x), self.evaluate(x), self.worst)

    def lift(self, x: NDArray) -> NDArray:
        """The values [N] of the variables of the program that was given, at x [n]."""
        values = self.expansion @ np.asarray(x, dtype=np.float64) + self.base
        if self.deviations.size:
            missed = self.misses(np.asarray(x, dtype=np.float64))
            for (column, row, kind), scale in zip(self.deviations.tolist(), self.scales.tolist(), strict=True):
                values[column] = missed[kind][row] / scale
        return values

    def fix(self, values: Mapping[int, int]) -> BinaryProgram:
        """The program with some variables fixed; the others keep their order."""
        if not values:
            return self
        where, what = np.array(list(values), dtype=np.int64), np.array(list(values.values()), dtype=np.float64)
        full = np.zeros(self.num_variables)
        full[where] = what
        free = np.setdiff1d(np.arange(self.num_variables), where)
        activity, symmetric = self.A @ full, self.Q + self.Q.T
        return replace(
            self,
            c=(self.c + symmetric @ full)[free],
            A=sparse.csr_matrix(self.A[:, free]),
            lower=self.lower - activity,
            upper=self.upper - activity,
            Q=sparse.csr_matrix(self.Q[free][:, free]),
            offset=self.offset + float(self.c @ full + full @ (self.Q @ full)),
            expansion=sparse.csr_matrix(self.expansion[:, free]),
            base=self.base + self.expansion @ full,
        )


def binary_program(program: MixedIntegerProgram) -> BinaryProgram:
    """A mixed-integer program in binary variables.

    Integer variables are written in bits of weight 1, 2, 4, ... and a last one that makes the range exact. A
    column that only says by how much one row is missed (in no other row, with a cost, without an upper bound)
    becomes the price of that side of the row.

    Args:
        program: Its other variables have to be integer, with finite bounds.

    Raises:
        SolverError: If a variable cannot be written in bits.
    """
    sign = 1.0 if program.sense == "minimize" else -1.0
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    prices = np.full((2, program.num_rows), np.inf)
    deviations, scales = _deviations(program, sign, prices)
    kept = np.ones(program.num_variables, dtype=bool)
    kept[deviations[:, 0]] = False
    expansion, base = _expansion(program, kept)
    Q = sign * (program.Q if program.Q is not None else sparse.csr_matrix(expansion.shape[:1] * 2))
    gradient = sign * program.c * kept + (Q + Q.T) @ base
    in_bits = sparse.csr_matrix(expansion.T @ Q @ expansion)
    A = sparse.csr_matrix(program.A @ sparse.diags(kept.astype(np.float64)))
    activity = A @ base
    return BinaryProgram(
        c=expansion.T @ gradient + in_bits.diagonal(),
        A=sparse.csr_matrix(A @ expansion),
        lower=lower - activity,
        upper=upper - activity,
        Q=_upper(in_bits),
        offset=sign * program.offset + float(sign * program.c[kept] @ base[kept] + base @ (Q @ base)),
        sign=sign,
        shortfall=prices[0],
        surplus=prices[1],
        expansion=expansion,
        base=base,
        deviations=deviations,
        scales=scales,
    )


def _upper(Q: sparse.csr_matrix) -> sparse.csr_matrix:
    """The same form without its diagonal, strictly upper triangular."""
    folded = sparse.csr_matrix(sparse.triu(Q + Q.T, k=1))
    folded.eliminate_zeros()
    folded.sort_indices()
    return folded


def _deviations(program: MixedIntegerProgram, sign: float, prices: NDArray) -> tuple[NDArray, NDArray]:
    """Columns that only say by how much a row is missed; sets the prices [2, m] of sides of rows.

    One column for a side: of several, the cheapest would be used alone, so none is taken to be one.
    """
    by_column = program.A.tocsc()
    single = (np.diff(by_column.indptr) == 1) & (program.lower == 0) & np.isinf(program.upper)
    single &= sign * program.c > 0
    if program.Q is not None:
        single &= (np.diff(program.Q.indptr) == 0) & (np.diff(program.Q.tocsc().indptr) == 0)
    found, scales = [], []
    for column in np.flatnonzero(single):
        row, value = by_column.indices[by_column.indptr[column]], by_column.data[by_column.indptr[column]]
        kind = int(value < 0)
        if np.isinf(prices[kind, row]):
            prices[kind, row] = sign * program.c[column] / abs(value)
            found.append((column, row, kind))
            scales.append(abs(value))
    return np.array(found, dtype=np.int64).reshape(-1, 3), np.array(scales)


def _expansion(program: MixedIntegerProgram, kept: NDArray) -> tuple[sparse.csr_matrix, NDArray]:
    """The variables that are kept in bits: the matrix [N, n] and the constant [N]."""
    rows, weights = [], []
    base = np.zeros(program.num_variables)
    for j in np.flatnonzero(kept).tolist():
        low, high = program.lower[j], program.upper[j]
        base[j] = low
        if low == high:
            continue
        if not (program.integer[j] and np.isfinite(low) and np.isfinite(high)):
            kind = "unbounded" if program.integer[j] else "continuous"
            raise SolverError(
                f"variable {program.variable_name(j)} is {kind}: qubits hold binary variables and bounded integers"
            )
        low, high = np.ceil(low), np.floor(high)
        base[j] = low
        bits = range_weights(int(high - low))
        if len(bits) > MOST_BITS:
            raise SolverError(f"variable {program.variable_name(j)} needs {len(bits)} bits: at most {MOST_BITS}")
        rows += [j] * len(bits)
        weights += bits
    shape = (program.num_variables, len(rows))
    return sparse.csr_matrix((weights, (rows, range(len(rows)))), shape=shape, dtype=np.float64), base


def range_weights(width: int) -> list[int]:
    """Weights of bits whose sums are exactly 0, 1, ..., width; the fewest that do it."""
    weights: list[int] = []
    while width > 0:
        weight = min(1 << len(weights), width)
        weights.append(weight)
        width -= weight
    return weights
