"""Multidimensional knapsack, and the balanced placement of items in bins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram, binary_program
from co_gym.problems.knapsack import chu_beasley

RESOURCES = 3
SLACK = 2.0


def multiknapsack(
    rng: np.random.Generator, items: int, constraints: int, tightness: float = 0.5
) -> MixedIntegerProgram:
    """Multidimensional knapsack by Chu and Beasley (1998).

    Args:
        rng: Source of randomness.
        items: Items.
        constraints: Capacities.
        tightness: Capacity over the sum of the weights of its row.
    """
    data = chu_beasley(rng, items, constraints, tightness)
    A = sparse.csr_matrix(data["weights"].astype(np.float64))
    return binary_program("maximize", data["profits"], A, -np.inf, data["capacities"])


def item_placement(rng: np.random.Generator, small: int, large: int, bins: int) -> MixedIntegerProgram:
    """Balanced item placement of the ML4CO competition (Gasse et al. 2022), as its generator makes it.

    Small items need at most a tenth of a unit of each of three resources, large ones at least nine tenths; all
    bins together hold twice what is needed. The objective weighs the largest shortfall of a bin below the average
    use of each resource, and then the sum of all shortfalls.

    Columns: item i in bin b (binary, by item), shortfall of bin b in resource r (by bin), largest shortfall of r.
    Rows: each item once; capacities; shortfalls; largest shortfalls.

    Args:
        rng: Source of randomness.
        small: Small items.
        large: Large items.
        bins: Bins.
    """
    sizes = np.concatenate([0.1 * rng.random((small, RESOURCES)), 0.9 + 0.1 * rng.random((large, RESOURCES))])
    total = sizes.sum(axis=0)
    placed, cells = len(sizes) * bins, bins * RESOURCES
    binary = np.arange(placed + cells + RESOURCES) < placed
    lower = np.repeat([1.0, -np.inf, 1.0, 0.0], [len(sizes), cells, cells, cells])
    upper = np.concatenate([np.ones(len(sizes)), np.tile(SLACK / bins * total, bins), np.full(2 * cells, np.inf)])
    return MixedIntegerProgram(
        sense="minimize",
        c=np.repeat([0.0, 1.0, 10.0 * cells], [placed, cells, RESOURCES]),
        A=_placement_rows(sizes, bins),
        row_lower=lower,
        row_upper=upper,
        lower=np.zeros(binary.size),
        upper=np.ones(binary.size),
        integer=binary,
    )


def _placement_rows(sizes: NDArray, bins: int) -> sparse.csr_matrix:
    """Assignment rows, then three rows for each bin and resource, both bin by bin."""
    shortfall = sparse.identity(bins * RESOURCES)
    largest = sparse.kron(np.ones((bins, 1)), sparse.identity(RESOURCES))
    blocks = [
        [sparse.kron(sparse.identity(len(sizes)), np.ones((1, bins))), None, None],
        [_in_each_bin(sizes, bins), None, None],
        [_in_each_bin(sizes * bins / sizes.sum(axis=0), bins), shortfall, None],
        [None, -shortfall, largest],
    ]
    return sparse.csr_matrix(sparse.bmat(blocks, format="csr"))


def _in_each_bin(amounts: NDArray, bins: int) -> sparse.csr_matrix:
    """Amounts [items, resources] as coefficients of the columns (item, bin) in the rows (bin, resource)."""
    items, resources = amounts.shape
    item, bin_, resource = np.indices((items, bins, resources)).reshape(3, -1)
    places = (bin_ * resources + resource, item * bins + bin_)
    return sparse.csr_matrix((amounts[item, resource], places), shape=(bins * resources, items * bins))
