"""Circuits of rotations with an angle for each qubit: the product state and hardware-efficient ansätze of VQE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantum.ansatze.base import initial_angles
from quantum.circuits import FIXED, Circuit, Phase, Rotation
from quantum.encodings.base import Encoded
from quantum.hamiltonians import Ising

SPREAD = 0.1
"""Standard deviation of initial angles: close to the initial state, where gradients do not vanish."""


def controlled_z(pairs: list[tuple[int, int]], num_qubits: int) -> Phase:
    """Controlled-Z gates on pairs of qubits, each of which is a phase by (1 - z_a - z_b + z_a z_b) pi / 4."""
    where = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    quarter = np.full(len(pairs), np.pi / 4)
    fields = -sum(np.bincount(where[:, end], quarter, minlength=num_qubits) for end in (0, 1))
    return Phase(Ising(0.0, np.asarray(fields, dtype=np.float64), where, quarter), FIXED)


def rotations(q: int, first: int) -> Rotation:
    """Rotations about y of q qubits, each with an angle of its own, from parameter `first` on."""
    return Rotation(np.tile([0.0, 1.0, 0.0], (q, 1)), first + np.arange(q))


@dataclass(frozen=True)
class HardwareEfficient:
    """Rotations about y of every qubit, and controlled-Z gates of neighbours between them (Kandala et al. 2017).

    Attributes:
        ring: Whether the last qubit is a neighbour of the first.
        least: Marginals are kept so far away from 0 and 1.
    """

    ring: bool = False
    least: float = 0.1
    name = "hardware-efficient"
    summary = "rotations of each qubit and controlled-Z gates of neighbours (Kandala et al. 2017)"
    warm = True

    def circuit(self, encoded: Encoded, layers: int, marginals: NDArray | None = None) -> Circuit:
        """See `Ansatz`; there is a layer of rotations more than of gates."""
        q = encoded.diagonal.num_qubits
        initial = initial_angles(encoded, marginals, self.least)
        even = [(a, a + 1) for a in range(0, q - 1, 2)]
        odd = [(a, a + 1) for a in range(1, q - 1, 2)]
        closing = [(0, q - 1)] if self.ring and q > 2 else []
        made: list[Phase | Rotation] = [rotations(q, 0)]
        for layer in range(layers):
            made += [controlled_z(even + odd + closing, q)] if q > 1 else []
            made.append(rotations(q, (layer + 1) * q))
        return Circuit(q, tuple(made), (layers + 1) * q, initial)

    def start(self, encoded: Encoded, layers: int, rng: np.random.Generator) -> NDArray:
        """See `Ansatz`."""
        return rng.normal(scale=SPREAD, size=(layers + 1, encoded.diagonal.num_qubits))


@dataclass(frozen=True)
class Product:
    """A product state with an angle for each qubit: no entanglement, the baseline of all others.

    Its number of layers is of no matter.
    """

    name = "product"
    summary = "a product state, one angle for each qubit: randomized rounding, with nothing quantum about it"
    warm = True
    least: float = 0.1

    def circuit(self, encoded: Encoded, layers: int, marginals: NDArray | None = None) -> Circuit:
        """See `Ansatz`."""
        q = encoded.diagonal.num_qubits
        initial = initial_angles(encoded, marginals, self.least)
        return Circuit(q, (rotations(q, 0),), q, initial)

    def start(self, encoded: Encoded, layers: int, rng: np.random.Generator) -> NDArray:
        """See `Ansatz`."""
        return rng.normal(scale=SPREAD, size=(1, encoded.diagonal.num_qubits))
