"""The lowest eigenvector of a sum of Pauli strings, as a reference for circuits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.compression import IsOver, never
from quantum.paulis import Paulis

MOST_QUBITS = 14
DENSE = 4
"""Up to so many qubits by a matrix."""


class _Ended(Exception):
    """Time is over."""


def lowest(paulis: Paulis, coefficients: NDArray, seed: int, is_over: IsOver = never) -> tuple[float, NDArray]:
    """Lowest eigenvalue, less the norm of the residual, and eigenvector [2^n] complex128 (Lanczos 1950).

    If time is over, -inf and some state.

    Args:
        paulis: The strings.
        coefficients: [t] float64.
        seed: Of the first vector.
        is_over: Asked before each product with a vector.

    Raises:
        InputError: If there are more than `MOST_QUBITS` qubits.
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    n = paulis.num_qubits
    if n > MOST_QUBITS:
        raise InputError(f"{n} qubits: an exact relaxation is for at most {MOST_QUBITS}, train a circuit instead")
    size, rng = 1 << n, np.random.default_rng(seed)
    last = rng.normal(size=size) + 1j * rng.normal(size=size)
    if n <= DENSE:
        matrix = np.stack([paulis.apply(one, coefficients) for one in np.eye(size, dtype=np.complex128)], axis=1)
        values, vectors = np.linalg.eigh(matrix)
        return float(values[0]), np.ascontiguousarray(vectors[:, 0])

    def product(vector: NDArray) -> NDArray:
        nonlocal last
        last = np.ascontiguousarray(vector.ravel(), dtype=np.complex128)
        if is_over():
            raise _Ended
        return paulis.apply(last, coefficients)

    try:
        values, vectors = eigsh(
            LinearOperator((size, size), matvec=product, dtype=np.complex128), k=1, which="SA", v0=last.copy()
        )
    except _Ended:
        return -np.inf, last / np.linalg.norm(last)
    vector = np.ascontiguousarray(vectors[:, 0])
    residual = np.linalg.norm(paulis.apply(vector, coefficients) - values[0] * vector)
    return float(values[0] - residual), vector
