"""Pauli strings as bit masks: sums of them on state vectors, and expectation values, without matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.circuits import FIXED, Rotation

if TYPE_CHECKING:
    from qiskit.quantum_info import SparsePauliOp


MOST_QUBITS = 62
"""As many as a mask has bits."""


@dataclass(frozen=True, eq=False)
class Paulis:
    """Pauli strings on n qubits; bit q of a mask is qubit q.

    Attributes:
        num_qubits: n.
        x: [t] int64, masks of the qubits with X or Y.
        z: [t] int64, masks of the qubits with Z or Y.

    Raises:
        InputError: If there are too many qubits for masks, or masks of others.
    """

    num_qubits: int
    x: NDArray
    z: NDArray

    def __post_init__(self) -> None:
        if self.num_qubits > MOST_QUBITS:
            raise InputError(f"Pauli strings on {self.num_qubits} qubits: expected at most {MOST_QUBITS}")
        if self.x.shape != self.z.shape or np.any((self.x | self.z) >> self.num_qubits):
            raise InputError(f"masks of Pauli strings: expected as many of x as of z, below 2^{self.num_qubits}")

    @classmethod
    def of(cls, labels: list[str]) -> Paulis:
        """From labels such as `XIZY`, whose last letter is qubit 0, as in Qiskit."""
        masks = [
            [sum(1 << q for q, p in enumerate(one[::-1]) if p in kind) for one in labels] for kind in ("XY", "ZY")
        ]
        return cls(len(labels[0]), np.array(masks[0], dtype=np.int64), np.array(masks[1], dtype=np.int64))

    def expectations(self, state: NDArray) -> NDArray:
        """[t] float64, <state|P_t|state> of a state [2^n] complex."""
        from quantum.kernels import paulis

        return paulis.expectations(state, self.x, self.z)

    def apply(self, state: NDArray, coefficients: NDArray) -> NDArray:
        """[2^n] complex128, sum_t coefficients_t P_t|state>, coefficients [t] float64."""
        from quantum.kernels import paulis

        return paulis.apply(state, self.x, self.z, np.asarray(coefficients, dtype=np.float64))

    def operator(self, coefficients: NDArray) -> SparsePauliOp:
        """The sum with coefficients [t] as Qiskit's operator."""
        from qiskit.quantum_info import SparsePauliOp

        masks = zip(self.x.tolist(), self.z.tolist(), strict=True)
        labels = [
            "".join("IXZY"[(x >> q & 1) + 2 * (z >> q & 1)] for q in range(self.num_qubits)) for x, z in masks
        ]
        return SparsePauliOp([label[::-1] for label in labels], np.asarray(coefficients, dtype=np.float64))


def basis_change(axes: NDArray) -> Rotation:
    """Rotations without parameters, after which a measurement of each qubit is one along its axis.

    Args:
        axes: [q, 3] float64, unit vectors.
    """
    # A half turn about the middle between an axis and z takes one into the other; for -z, one about x does.
    middle = np.asarray(axes, dtype=np.float64) + np.array([0.0, 0.0, 1.0])
    length = np.linalg.norm(middle, axis=1, keepdims=True)
    opposite = length < 1e-9
    middle = np.where(opposite, [1.0, 0.0, 0.0], middle / np.where(opposite, 1.0, length))
    return Rotation(middle, np.full(len(middle), FIXED, dtype=np.int64), np.pi)
