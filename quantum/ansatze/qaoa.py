"""Alternating phases and mixers of single qubits: QAOA, with an angle for each term, and from a warm start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantum.ansatze.angles import schedule
from quantum.ansatze.base import initial_angles
from quantum.circuits import Circuit, Phase, Rotation
from quantum.encodings.base import Encoded
from quantum.hamiltonians import normalized

FROM_THE_LOWEST = -2.0
"""Scale of mixers: exp(+i angle n . sigma), whose initial state is the lowest of -n . sigma, as one minimizes."""


def axes_of(initial: NDArray) -> NDArray:
    """[q, 3] float64, Bloch vectors of RY(initial_q)|0>, the mixers that leave these states alone."""
    return np.column_stack([np.sin(initial), np.zeros_like(initial), np.cos(initial)])


@dataclass(frozen=True)
class QAOA:
    """Phases by the Hamiltonian and mixers, an angle each in every layer (Farhi et al. 2014).

    With marginals the initial state is their product state, and mixers leave it alone (Egger et al. 2021).

    Attributes:
        least: Marginals are kept so far away from 0 and 1, as the mixer cannot leave these; 0 to 0.5.
    """

    least: float = 0.1
    name = "qaoa"
    summary = "a phase and a mixer angle for each layer (Farhi et al. 2014)"
    warm = False

    def circuit(self, encoded: Encoded, layers: int, marginals: NDArray | None = None) -> Circuit:
        """See `Ansatz`."""
        q = encoded.diagonal.num_qubits
        initial = initial_angles(encoded, marginals, self.least)
        scaled = normalized(encoded.diagonal)
        made: list[Phase | Rotation] = []
        for layer in range(layers):
            made.append(Phase(scaled, 2 * layer))
            made.append(Rotation(axes_of(initial), np.full(q, 2 * layer + 1), FROM_THE_LOWEST))
        return Circuit(q, tuple(made), 2 * layers, initial)

    def start(self, encoded: Encoded, layers: int, rng: np.random.Generator) -> NDArray:
        """See `Ansatz`."""
        return np.column_stack(schedule(layers))


@dataclass(frozen=True)
class WarmStartQAOA(QAOA):
    """QAOA from the product state of marginals, those of the LP relaxation by default (Egger et al. 2021)."""

    name = "ws-qaoa"
    summary = "QAOA from the product state of marginals, with its mixer (Egger et al. 2021)"
    warm = True


@dataclass(frozen=True)
class MultiAngleQAOA:
    """An angle for each term of the Hamiltonian and each qubit's mixer in every layer (Herrman et al. 2022)."""

    least: float = 0.1
    name = "ma-qaoa"
    summary = "an angle for each term and each qubit (Herrman et al. 2022)"
    warm = False

    def circuit(self, encoded: Encoded, layers: int, marginals: NDArray | None = None) -> Circuit:
        """See `Ansatz`.

        Raises:
            SolverError: If the Hamiltonian is no sum of terms.
        """
        terms = normalized(encoded.terms(self.name))
        q, count = terms.num_qubits, terms.num_qubits + terms.couplings.size
        initial = initial_angles(encoded, marginals, self.least)
        made: list[Phase | Rotation] = []
        for layer in range(layers):
            first = layer * (count + q)
            made.append(Phase(terms, first + np.arange(count)))
            made.append(Rotation(axes_of(initial), first + count + np.arange(q), FROM_THE_LOWEST))
        return Circuit(q, tuple(made), layers * (count + q), initial)

    def start(self, encoded: Encoded, layers: int, rng: np.random.Generator) -> NDArray:
        """See `Ansatz`: the angles of QAOA."""
        terms = encoded.terms(self.name)
        phases, mixers = schedule(layers)
        count = terms.num_qubits + terms.couplings.size
        return np.hstack(
            [np.repeat(phases[:, None], count, axis=1), np.repeat(mixers[:, None], terms.num_qubits, axis=1)]
        )
