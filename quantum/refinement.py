"""Local search on the bits that a quantum method returns."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.errors import InputError
from quantum.hamiltonians import Ising, Quadratic

Moves = Literal["none", "flip", "pair"]
"""None; flips of one bit; those, and flips of two bits together, which include their exchange."""

TOLERANCE = 1e-9
"""Of an improvement, relative to the largest coefficient: below it is rounding."""


class Refinement:
    """Steepest descent of a quadratic function by flips of bits.

    Args:
        function: What is minimized, over q bits.
        moves: See `Moves`.

    Raises:
        InputError: If there are no such moves.
    """

    def __init__(self, function: Quadratic | Ising, moves: Moves = "flip") -> None:
        if moves not in ("none", "flip", "pair"):
            raise InputError(f"moves of a refinement are '{moves}': expected none, flip or pair")
        form = function.quadratic() if isinstance(function, Ising) else function
        first, second = form.pairs[:, 0], form.pairs[:, 1]
        shape = (form.num_qubits, form.num_qubits)
        upper = sparse.csr_matrix((form.weights, (first, second)), shape=shape)
        self._symmetric = sparse.csr_matrix(upper + upper.T)
        self._linear = np.asarray(form.linear, dtype=np.float64)
        self._moves = moves
        largest = max(
            (float(np.abs(part).max()) for part in (form.linear, form.weights) if part.size), default=0.0
        )
        self._tolerance = TOLERANCE * largest

    def __call__(self, bits: NDArray) -> NDArray:
        """[q] uint8, a local optimum reached from bits [q]; never worse."""
        from quantum.kernels.flips import descend

        refined = np.array(bits, dtype=np.uint8)
        if self._moves != "none":
            rows = self._symmetric
            pairs = self._moves == "pair"
            descend(refined, self._linear, rows.indptr, rows.indices, rows.data, pairs, self._tolerance)
        return refined
