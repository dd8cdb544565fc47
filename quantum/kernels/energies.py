"""Energies of all basis states."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def table(offset: float, fields: NDArray, first: NDArray, second: NDArray, couplings: NDArray) -> NDArray:
    """[2^q] float64, the energies of all states of an Ising Hamiltonian, in 2 * 2^q additions.

    The states with qubit k at 1 follow from those with it at 0, whose energies differ by twice the field that it
    feels, its own and that of the other qubits; that field in turn doubles up in the same way.

    Args:
        offset: Constant.
        fields: [q] float64.
        first: [k] int64, the lower qubit of each pair.
        second: [k] int64, the higher one.
        couplings: [k] float64.
    """
    q = fields.size
    energies = np.empty(1 << q)
    felt = np.empty(1 << max(q - 1, 0))
    row = np.zeros(max(q, 1))
    energies[0] = offset + fields.sum() + couplings.sum()
    for k in range(q):
        row[:] = 0.0
        total = fields[k]
        for t in range(couplings.size):
            if second[t] == k:
                row[first[t]] += couplings[t]
                total += couplings[t]
            elif first[t] == k:  # higher qubits are still at 0
                total += couplings[t]
        felt[0] = -2.0 * total
        for j in range(k):
            size = 1 << j
            change = 4.0 * row[j]
            for x in range(size):
                felt[size + x] = felt[x] + change
        size = 1 << k
        for x in range(size):
            energies[size + x] = energies[x] + felt[x]
    return energies
