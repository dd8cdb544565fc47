"""Recursive QAOA: the strongest correlation of a circuit's samples removes a spin, until few are left.

Bravyi, Kliesch, Koenig and Tang (2020).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from quantum.hamiltonians import Ising, state_bits


@dataclass
class Reduction:
    """An Ising Hamiltonian of which some spins are written by others.

    Attributes:
        ising: Of the spins that are left.
        left: [q'] int64, which of the original ones these are.
        rules: (spin, other, sign) in their order: spin = sign * other; other is -1 for a constant.
        num_qubits: How many spins there were.
    """

    ising: Ising
    left: NDArray
    num_qubits: int
    rules: list[tuple[int, int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, ising: Ising) -> Reduction:
        """Nothing is removed yet."""
        return cls(ising, np.arange(ising.num_qubits), ising.num_qubits)

    def remove(self, position: int, other: int, sign: int) -> Reduction:
        """Without the spin at a position, which is `sign` times the one at `other`, or `sign` where that is -1."""
        fields, couplings = self.ising.fields.copy(), self.ising.matrix()
        offset, row = self.ising.offset, couplings[position].copy()
        if other < 0:
            offset += sign * fields[position]
            fields += sign * row
        else:
            offset += sign * row[other]
            fields[other] += sign * fields[position]
            row[other] = 0.0
            couplings[other] += sign * row
            couplings[:, other] += sign * row
        kept = np.delete(np.arange(fields.size), position)
        rule = (int(self.left[position]), int(self.left[other]) if other >= 0 else -1, sign)
        smaller = Ising.of(offset, fields[kept], couplings[np.ix_(kept, kept)])
        return Reduction(smaller, self.left[kept], self.num_qubits, [*self.rules, rule])

    def expand(self, bits: NDArray) -> NDArray:
        """[..., q] uint8, bits of all spins from those [..., q'] of the ones left."""
        bits = np.asarray(bits)
        spins = np.ones((*bits.shape[:-1], self.num_qubits), dtype=np.int64)
        spins[..., self.left] = 1 - 2 * bits.astype(np.int64)
        for spin, other, sign in reversed(self.rules):
            spins[..., spin] = sign if other < 0 else sign * spins[..., other]
        return ((1 - spins) // 2).astype(np.uint8)


def strongest(ising: Ising, bits: NDArray, weights: NDArray) -> tuple[int, int, int]:
    """The spin, or pair of coupled spins, whose mean is farthest from 0: position, other (-1: none), and sign.

    Args:
        ising: Says which pairs are coupled, and which spins feel a field.
        bits: [S, q] uint8, samples or states.
        weights: [S] float64, their probabilities.
    """
    spins = 1.0 - 2.0 * bits.astype(np.float64)
    singles = np.where(ising.fields != 0.0, weights @ spins, 0.0)
    pairs = np.einsum("s,sk,sk->k", weights, spins[:, ising.pairs[:, 0]], spins[:, ising.pairs[:, 1]])
    best = int(np.argmax(np.abs(singles)))
    if pairs.size and np.abs(pairs).max() >= abs(singles[best]):
        k = int(np.argmax(np.abs(pairs)))
        return int(ising.pairs[k, 1]), int(ising.pairs[k, 0]), 1 if pairs[k] >= 0 else -1
    return best, -1, 1 if singles[best] >= 0 else -1


def least(ising: Ising) -> NDArray:
    """[q] uint8, bits of lowest energy, by enumeration."""
    return state_bits(np.asarray(np.argmin(ising.energies())), ising.num_qubits)
