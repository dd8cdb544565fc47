"""Energies of all basis states."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def doubled(
    energies: NDArray, felt: NDArray, fields: NDArray, first: NDArray, second: NDArray, couplings: NDArray
) -> None:
    """Fill a table in 2 * 2^q additions, in its own arithmetic, which may wrap around on the way.

    The states with qubit k at 1 follow from those with it at 0, from whose energies the field that it feels is
    subtracted, its own and that of the other qubits; that field in turn doubles up in the same way.

    Args:
        energies: [2^q], the first one is given.
        felt: [2^(q - 1)] of the same type, to work in.
        fields: [q], twice those of the Hamiltonian.
        first: [k] int64, the lower qubit of each pair.
        second: [k] int64, the higher one.
        couplings: [k], twice those of the Hamiltonian.
    """
    row = np.zeros(max(fields.size, 1), fields.dtype)
    for k in range(fields.size):
        row[:] = 0
        felt[0] = fields[k]
        for t in range(couplings.size):
            if second[t] == k:
                row[first[t]] += couplings[t]
                felt[0] += couplings[t]
            elif first[t] == k:  # higher qubits are still at 0
                felt[0] += couplings[t]
        for j in range(k):
            size = 1 << j
            change = row[j] + row[j]
            for x in range(size):
                felt[size + x] = felt[x] - change
        size = 1 << k
        for x in range(size):
            energies[size + x] = energies[x] - felt[x]


def table(offset: float, fields: NDArray, first: NDArray, second: NDArray, couplings: NDArray) -> NDArray:
    """[2^q] float64, the energies of all states of an Ising Hamiltonian.

    Args:
        offset: Constant.
        fields: [q] float64.
        first: [k] int64, the lower qubit of each pair.
        second: [k] int64, the higher one.
        couplings: [k] float64.
    """
    energies = np.empty(1 << fields.size)
    energies[0] = offset + fields.sum() + couplings.sum()
    doubled(energies, np.empty(max(energies.size >> 1, 1)), 2.0 * fields, first, second, 2.0 * couplings)
    return energies


def levels(fields: NDArray, first: NDArray, second: NDArray, couplings: NDArray) -> NDArray:
    """[2^q] uint8 or uint16, half of how far each energy is above the sum of all terms at their lowest.

    Args:
        fields: [q] int64.
        first: [k] int64, the lower qubit of each pair.
        second: [k] int64, the higher one.
        couplings: [k] int64; the absolute values of all coefficients sum to less than 2^16.
    """
    terms = np.concatenate([fields, couplings])
    kind = np.uint8 if np.abs(terms).sum() < 256 else np.uint16
    energies = np.empty(1 << fields.size, kind)
    energies[0] = terms[terms > 0].sum()
    felt = np.empty(max(energies.size >> 1, 1), kind)
    doubled(energies, felt, fields.astype(kind), first, second, couplings.astype(kind))
    return energies
