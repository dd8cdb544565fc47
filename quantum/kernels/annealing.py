"""Simulated annealing of spins."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def anneal(
    fields: NDArray,
    starts: NDArray,
    neighbours: NDArray,
    couplings: NDArray,
    temperatures: NDArray,
    reads: int,
    rng: np.random.Generator,
) -> NDArray:
    """[reads, q] uint8, bits at the end of each read; a Metropolis sweep over all spins at each temperature.

    Args:
        fields: [q] float64.
        starts: [q + 1] int64, CSR of the symmetric couplings.
        neighbours: [2k] int64.
        couplings: [2k] float64.
        temperatures: [sweeps] float64, positive.
        reads: How many independent runs.
        rng: Source of randomness.
    """
    q = fields.size
    found = np.empty((reads, q), np.uint8)
    spins, felt = np.empty(q), np.empty(q)
    for read in range(reads):
        for i in range(q):
            spins[i] = 1.0 if rng.random() < 0.5 else -1.0
        for i in range(q):
            felt[i] = fields[i]
            for t in range(starts[i], starts[i + 1]):
                felt[i] += couplings[t] * spins[neighbours[t]]
        for temperature in temperatures:
            for i in range(q):
                rise = -2.0 * spins[i] * felt[i]
                if rise <= 0.0 or rng.random() < np.exp(-rise / temperature):
                    spins[i] = -spins[i]
                    for t in range(starts[i], starts[i + 1]):
                        felt[neighbours[t]] += 2.0 * couplings[t] * spins[i]
        for i in range(q):
            found[read, i] = 0 if spins[i] > 0 else 1
    return found
