"""What an encoding costs, before a circuit is made for a device."""

from __future__ import annotations

import numpy as np

from quantum.encodings.base import Encoded
from quantum.hamiltonians import Ising


def resources(encoded: Encoded) -> dict[str, int]:
    """Counts of one phase of its circuit.

    Args:
        encoded: An encoded program.

    Returns:
        `qubits`; for a quadratic Hamiltonian also `linear`, rotations of single qubits, and `quadratic`,
        interactions of two.
    """
    diagonal = encoded.diagonal
    counts = {"qubits": diagonal.num_qubits}
    if isinstance(diagonal, Ising):
        counts["linear"] = int(np.count_nonzero(diagonal.fields))
        counts["quadratic"] = int(np.count_nonzero(diagonal.couplings))
    return counts
