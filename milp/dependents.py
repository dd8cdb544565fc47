"""Programs as binary choices and what follows from them.

In many models some variables only measure the others: the makespan, the shortfall of a bin, the penalty of a
broken wish, whether a facility is used. Whatever the choices are, each of them is best as small as its rows
permit, which takes a few additions instead of a linear program (one-way constraints: Van Hentenryck and Michel
2005).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from co_gym.formulation import MixedIntegerProgram
from milp.kernels.annealing import HARD, Layout

EQUAL = 1e-9
"""Relative difference of coefficients that are the same."""


@dataclass(frozen=True)
class Choices:
    """A program in terms of its binary variables, and the way back.

    Attributes:
        layout: What the compiled search reads.
        columns: [v] int64, the program's column of each variable of the layout.
        side: [v] float64, 1 or -1: what a value is multiplied by to be the column's.
        rest: [n] float64, values of the columns that are fixed.
    """

    layout: Layout
    columns: NDArray
    side: NDArray
    rest: NDArray

    @property
    def num_binary(self) -> int:
        """How many variables are chosen; they come first."""
        return self.layout.num_binary

    def expand(self, values: NDArray) -> NDArray:
        """[n] float64, values [v] of the layout's variables as a point of the program."""
        point = self.rest.copy()
        point[self.columns] = self.side * values
        return point


def choices(program: MixedIntegerProgram) -> Choices | None:
    """The program as choices and dependents; None if it is none, or without dependents.

    A dependent is a variable that its cost pulls to its least value (or to its greatest: then it is mirrored) and
    that alone of all dependents helps in each inequality that holds it back. All variables that are not binary
    must be such. A binary one is taken for one where it is the only variable that helps in its rows, as `y` in
    `x1 + x2 - y <= 1`.

    Args:
        program: Its sense, bounds and rows may be any; without a quadratic objective.
    """
    sign = 1.0 if program.sense == "minimize" else -1.0
    fixed = program.lower == program.upper
    side = np.where((sign * program.c < 0) | ((program.c == 0) & np.isneginf(program.lower)), -1.0, 1.0)
    side[program.binary] = 1.0
    rows = _OneSided.of(program, fixed, side)
    must = ~fixed & ~program.binary
    dependent = must | (~fixed & program.binary & (sign * program.c > 0) & rows.held_by_one())
    least = np.where(side > 0, program.lower, -program.upper)
    if not dependent.any() or not (~fixed & ~dependent).any() or np.isneginf(least[dependent]).any():
        return None
    owner = rows.owners(dependent)
    levels = None if owner is None else _levels(rows.A, owner, dependent)
    if owner is None or levels is None:
        return None
    return _laid_out(program, sign, side, fixed, dependent, rows, owner, levels)


@dataclass(frozen=True)
class _OneSided:
    """Rows with mirrored columns and without fixed ones, where possible turned into `A x >= low`.

    Attributes:
        A: [m, n] CSR.
        low: [m] float64.
        high: [m] float64; finite in equations and ranges.
    """

    A: sparse.csr_matrix
    low: NDArray
    high: NDArray

    @classmethod
    def of(cls, program: MixedIntegerProgram, fixed: NDArray, side: NDArray) -> _OneSided:
        A = program.A.copy()
        constant = A @ np.where(fixed, program.lower, 0.0)
        low, high = program.row_lower - constant, program.row_upper - constant
        A = sparse.csr_matrix(A @ sparse.diags(np.where(fixed, 0.0, side)))
        turned = np.isneginf(low) & np.isfinite(high)
        A = sparse.csr_matrix(sparse.diags(np.where(turned, -1.0, 1.0)) @ A)
        A.sum_duplicates()  # also sorts: scipy does it behind our back elsewhere, and entries would change places
        A.eliminate_zeros()
        kept = (np.diff(A.indptr) > 0) & (np.isfinite(low) | np.isfinite(high))
        return cls(A[kept], np.where(turned, -high, low)[kept], np.where(turned, np.inf, high)[kept])

    @property
    def row(self) -> NDArray:
        """Row of each entry."""
        return np.repeat(np.arange(self.A.shape[0]), np.diff(self.A.indptr))

    def held_by_one(self) -> NDArray:
        """[n] bool, whether a column is, in all of its rows and in at least one, the only one that helps."""
        helps = self.A.data > 0
        alone = np.isposinf(self.high) & (np.bincount(self.row, helps, self.A.shape[0]) == 1)
        good = helps & alone[self.row]
        entries, n = self.A.indices, self.A.shape[1]
        met = np.bincount(entries, minlength=n)
        return (met > 0) & (np.bincount(entries, good, n) == met)

    def owners(self, dependent: NDArray) -> NDArray | None:
        """[m] int64, the dependent that helps in each row, or `HARD`; None where that is not clear."""
        among = dependent[self.A.indices]
        if np.isfinite(self.high[self.row[among]]).any():
            return None
        helps = among & (self.A.data > 0)
        row, column = self.row[helps], self.A.indices[helps]
        if np.unique(row).size < row.size:
            return None
        owner = np.full(self.A.shape[0], HARD, dtype=np.int64)
        owner[row] = column
        return owner


def _levels(A: sparse.csr_matrix, owner: NDArray, dependent: NDArray) -> NDArray | None:
    """[n] int64, after how many others a dependent can be known; None if they wait for each other."""
    entries = A.tocoo()
    after = owner[entries.row]
    linked = dependent[entries.col] & (after != HARD) & (after != entries.col)
    before, after = entries.col[linked], after[linked]
    n = A.shape[1]
    waits = sparse.csr_matrix((np.ones(before.size), (before, after)), shape=(n, n))
    if connected_components(waits, connection="strong")[0] < n:
        return None
    level, known = np.zeros(n, dtype=np.int64), False
    while not known:
        deeper = level.copy()
        np.maximum.at(deeper, after, level[before] + 1)
        level, known = deeper, bool((deeper == level).all())
    return level


def _laid_out(
    program: MixedIntegerProgram,
    sign: float,
    side: NDArray,
    fixed: NDArray,
    dependent: NDArray,
    rows: _OneSided,
    owner: NDArray,
    levels: NDArray,
) -> Choices:
    """Numbers variables anew, binary ones first, and brings rows to the forms that the search knows."""
    binary = np.flatnonzero(~fixed & ~dependent)
    columns = np.concatenate([binary, np.flatnonzero(dependent)])
    new = np.full(program.num_variables, HARD, dtype=np.int64)
    new[columns] = np.arange(columns.size)
    side = side[columns]
    lower = np.where(side > 0, program.lower[columns], -program.upper[columns])
    upper = np.where(side > 0, program.upper[columns], -program.lower[columns])
    A, low, high, owner = rows.A[:, columns], rows.low, rows.high, np.where(owner == HARD, HARD, new[owner])
    groups, grouped = _groups(A, low, high, binary.size)
    A, low, high, owner = A[~grouped], low[~grouped], high[~grouped], owner[~grouped]
    A, scale = _scaled(A, owner)
    low, high = low / scale, high / scale

    most = _most(A, low, owner, lower, levels[columns], binary.size)
    bounded = binary.size + np.flatnonzero((most > upper)[binary.size :])
    ceilings = sparse.csr_matrix(sparse.identity(columns.size))[bounded]
    by_column = sparse.csc_matrix(sparse.vstack([A, ceilings]))
    low, high = np.append(low, np.full(bounded.size, -np.inf)), np.append(high, upper[bounded])
    owner = np.append(owner, np.full(bounded.size, HARD))

    held = np.argsort(owner, kind="stable")[np.count_nonzero(owner == HARD) :]
    members = np.concatenate([np.zeros(0, np.int64), *(members for members, _ in groups)])
    layout = Layout(
        num_binary=binary.size,
        cost=sign * program.c[columns] * side,
        starts=by_column.indptr.astype(np.int64),
        rows=by_column.indices.astype(np.int64),
        entries=by_column.data.astype(np.float64),
        owner=owner,
        low=low,
        high=high,
        least=lower,
        whole=program.integer[columns],
        level=levels[columns],
        held_starts=np.searchsorted(owner[held], np.arange(columns.size + 1)),
        held=held,
        group_starts=np.cumsum([0, *(members.size for members, _ in groups)], dtype=np.int64),
        members=members,
        ones=np.array([count for _, count in groups], dtype=np.int64),
        loose=np.setdiff1d(np.arange(binary.size), members),
    )
    return Choices(layout, columns, side, np.where(fixed, program.lower, 0.0))


def _scaled(A: sparse.csr_matrix, owner: NDArray) -> tuple[sparse.csr_matrix, NDArray]:
    """Rows without their owners, divided by the coefficient of the owner or the largest; [m] float64, by what."""
    entries = A.tocoo()
    scale, own = np.zeros(A.shape[0]), entries.col == owner[entries.row]
    np.maximum.at(scale, entries.row, np.abs(entries.data))
    scale[entries.row[own]] = entries.data[own]
    row, column, data = entries.row[~own], entries.col[~own], entries.data[~own]
    return sparse.csr_matrix((data / scale[row], (row, column)), shape=A.shape), scale


def _most(
    A: sparse.csr_matrix, low: NDArray, owner: NDArray, least: NDArray, level: NDArray, num_binary: int
) -> NDArray:
    """[v] float64, to what a dependent may be pushed at most; 1 for binary variables."""
    most = np.where(np.arange(least.size) < num_binary, 1.0, least)
    held, pull = np.flatnonzero(owner != HARD), A.minimum(0.0)
    for depth in range(int(level.max()) + 1):
        needed = np.full(least.size, -np.inf)
        np.maximum.at(needed, owner[held], (low - pull @ most)[held])
        most = np.where(level == depth, np.maximum(most, needed), most)
    return most


def _groups(
    A: sparse.csr_matrix, low: NDArray, high: NDArray, num_binary: int
) -> tuple[list[tuple[NDArray, int]], NDArray]:
    """Equations `x1 + ... + xk = b` of binary variables, each variable in one at most.

    Returns:
        Members and b of each, and [m] bool, whether a row is one.
    """
    taken = np.zeros(A.shape[1], dtype=bool)
    taken[num_binary:] = True
    grouped = np.zeros(A.shape[0], dtype=bool)
    groups = []
    for row in np.flatnonzero(low == high):
        span = slice(*A.indptr[row : row + 2])
        members, data = A.indices[span].astype(np.int64), A.data[span]
        count = low[row] / data[0]
        even = np.abs(data - data[0]).max() <= EQUAL * abs(data[0]) and abs(count - round(count)) <= EQUAL
        if even and 0 < round(count) < members.size and not taken[members].any():
            taken[members] = grouped[row] = True
            groups.append((members, round(count)))
    return groups, grouped
