"""Diagonal Hamiltonians as small tables, which phases are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quantum.hamiltonians import Diagonal, Ising

DIVISORS = range(1, 13)
"""Coefficients are sought to be multiples of the least one divided by one of these."""

ROUNDING = 1e-12
"""How far from a multiple they may be, of the greatest."""

Entry = tuple[NDArray, float, float]


def compact(diagonal: Diagonal, size: int) -> Entry:
    """Energies of all states up to a constant, in a byte or two each where they are equally spaced.

    Args:
        diagonal: A Hamiltonian.
        size: Length of the table, at least 2^q; entries beyond are of no matter.

    Returns:
        Table [size] of float64, uint8 or uint16, unit and centre: energies are unit * (table - centre).
    """
    if isinstance(diagonal, Ising):
        whole = multiples(np.concatenate([diagonal.fields, diagonal.couplings]))
        if whole is not None:
            from quantum.kernels.energies import levels

            unit, counts = whole
            first, second = diagonal.pairs[:, 0].copy(), diagonal.pairs[:, 1].copy()
            table = levels(counts[: diagonal.num_qubits], first, second, counts[diagonal.num_qubits :])
            return padded(table, size), 2.0 * unit, 0.5 * float(np.abs(counts).sum())
    energies = np.ascontiguousarray(diagonal.energies(), dtype=np.float64)
    return padded(energies, size), 1.0, float(energies.mean())


def padded(table: NDArray, size: int) -> NDArray:
    """A table with zeros up to a size; itself, if it has it."""
    if table.size == size:
        return table
    longer = np.zeros(size, dtype=table.dtype)
    longer[: table.size] = table
    return longer


def multiples(coefficients: NDArray) -> tuple[float, NDArray] | None:
    """A unit and int64 multiples of it that coefficients are, if their sizes sum to less than 2^16."""
    sizes = np.abs(coefficients[coefficients != 0])
    if not sizes.size:
        return 1.0, np.zeros(coefficients.size, dtype=np.int64)
    for divisor in DIVISORS:
        unit = float(sizes.min()) / divisor
        counts = np.rint(coefficients / unit)
        if np.abs(counts).sum() >= 1 << 16:
            return None
        if np.abs(coefficients / unit - counts).max() <= ROUNDING * np.abs(counts).max():
            return unit, counts.astype(np.int64)
    return None
