"""Set cover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram, binary_program


def set_cover(
    rng: np.random.Generator, rows: int, columns: int, density: float, max_cost: int = 100
) -> MixedIntegerProgram:
    """Random set cover by the scheme of Balas and Ho (1980), as in Gasse et al. (2019).

    The matrix has exactly `rows * columns * density` ones. Each row holds at least two of them, as Balas and Ho
    ask, and each column at least two, as the generator of Gasse et al. does.

    Args:
        rng: Source of randomness.
        rows: Elements to cover.
        columns: Sets.
        density: Share of ones in the matrix.
        max_cost: Costs are uniform in 1..max_cost.
    """
    nonzeros = min(max(int(rows * columns * density), 2 * (rows + columns)), rows * columns)
    forced = (_two_of(rng, rows, columns), _two_of(rng, columns, rows)[::-1])
    chosen = np.zeros((rows, columns), dtype=bool)
    for row, column in forced:
        chosen[row, column] = True
    while missing := nonzeros - np.count_nonzero(chosen):
        chosen.ravel()[rng.integers(rows * columns, size=missing)] = True
    cells = np.flatnonzero(chosen)
    A = sparse.csr_matrix((np.ones(cells.size), np.divmod(cells, columns)), shape=(rows, columns))
    costs = rng.integers(1, max_cost + 1, size=columns)
    return binary_program("minimize", costs, A, 1.0, np.inf)


def _two_of(rng: np.random.Generator, count: int, size: int) -> tuple[NDArray, NDArray]:
    """Two different numbers below `size` for each of `count` lines: line numbers and choices, [2 count] each."""
    first = rng.integers(size, size=count)
    second = (first + rng.integers(1, size, size=count)) % size
    return np.tile(np.arange(count), 2), np.concatenate([first, second])
