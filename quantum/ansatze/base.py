"""What an ansatz is: from a Hamiltonian to a circuit with angles."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from quantum.circuits import Circuit, uniform, warm
from quantum.encodings.base import Encoded


class Ansatz(Protocol):
    """A family of circuits, one for each number of layers. Registered in the entry-point group `co_gym.ansatze`.

    Angles are a matrix with a row for each layer, so that angles of one depth are those of the next by
    interpolation along its columns.

    Attributes:
        name: Its name.
        summary: One line with the source of the method.
        warm: Whether it makes use of marginals.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def summary(self) -> str: ...  # noqa: D102

    @property
    def warm(self) -> bool: ...  # noqa: D102

    def circuit(self, encoded: Encoded, layers: int, marginals: NDArray | None = None) -> Circuit:
        """The circuit, whose parameters are `angles.ravel()`.

        Args:
            encoded: The Hamiltonian.
            layers: How many, at least 1.
            marginals: [q] float64, probabilities of 1 to start from; None for the equal superposition.

        Raises:
            SolverError: If there is no such circuit for this Hamiltonian.
        """

    def start(self, encoded: Encoded, layers: int, rng: np.random.Generator) -> NDArray:
        """[rows, columns] float64, angles to begin with."""


def initial_angles(encoded: Encoded, marginals: NDArray | None, least: float) -> NDArray:
    """[q] float64, of the product state of marginals [q], `least` away from 0 and 1; None: of the uniform one."""
    return uniform(encoded.diagonal.num_qubits) if marginals is None else warm(marginals, least)
