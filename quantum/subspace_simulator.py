"""Exact simulation of circuits that stay in a subspace of basis states: only its K amplitudes are kept.

Twenty-five qubits in five one-hot registers are 3,125 amplitudes, not 2^25. Gradients come from the adjoint method
(Jones and Gacon 2020): gates are undone one by one on the state and on a costate, at a cost of about three
evaluations whatever the number of angles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.circuits import Circuit
from quantum.hamiltonians import Diagonal, state_bits
from quantum.objectives import Objective
from quantum.sampling import checked_angles, drawn
from quantum.subspace_steps import Tables, Workers


class SubspaceSimulator:
    """State vector over the basis states of a subspace, in their ascending order.

    Attributes:
        num_parameters: Number of angles, P.
        num_states: Number of basis states, K.
    """

    def __init__(
        self, circuit: Circuit, *, precision: Literal["double", "single"] = "double", threads: int = 1
    ) -> None:
        """Prepares tables for the layers.

        Args:
            circuit: In a subspace.
            precision: Of amplitudes; sums are double always.
            threads: How many share the work on a state, positive; they pay from about 10^5 states on.

        Raises:
            InputError: If the circuit has no subspace, or exchanges qubits of different registers.
        """
        if circuit.subspace is None:
            raise InputError("the circuit has no subspace: expected one in a subspace of basis states")
        if precision not in ("double", "single"):
            raise InputError(f"precision is {precision!r}: expected 'double' or 'single'")
        if threads < 1:
            raise InputError(f"threads is {threads}: expected at least 1")
        self._subspace = circuit.subspace
        self._dtype = np.complex128 if precision == "double" else np.complex64
        self._workers = Workers(threads)
        self.num_parameters = circuit.num_parameters
        self.num_states = int(circuit.subspace.numbers.size)
        self._tables = Tables(circuit.subspace)
        self._steps = [step for layer in circuit.layers for step in self._tables.steps(layer)]

    def energies_of(self, diagonal: Diagonal) -> NDArray:
        """[K] float64, energies of the states of the subspace."""
        return self._tables.energies(diagonal)

    def state(self, angles: NDArray) -> NDArray:
        """[K] complex, the amplitudes at angles [P]."""
        extended = self._extended(angles)
        state = np.full(self.num_states, self.num_states**-0.5, dtype=self._dtype)
        for step in self._steps:
            step.forward(state, extended, self._workers)
        return state

    def probabilities(self, angles: NDArray) -> NDArray:
        """[K] float64, at angles [P]."""
        return _squares(self.state(angles))

    def expectation(self, angles: NDArray, energies: NDArray) -> float:
        """Mean of energies [K] at angles [P]."""
        return float(self.probabilities(angles) @ self._checked(energies))

    def expectations(self, angles: NDArray, energies: NDArray) -> NDArray:
        """[B] float64, means of energies [K] at each of angles [B, P]."""
        angles = np.asarray(angles, dtype=np.float64)
        if angles.ndim != 2:
            raise InputError(f"angles have shape {angles.shape}: expected (B, {self.num_parameters})")
        return np.array([self.expectation(row, energies) for row in angles], dtype=np.float64)

    def value_and_gradient(
        self, angles: NDArray, energies: NDArray, objective: Objective
    ) -> tuple[float, NDArray]:
        """An objective of the distribution of energies, and its derivatives.

        Args:
            angles: [P].
            energies: [K] float64.
            objective: Of energies and probabilities.

        Returns:
            The value, and [P] float64.
        """
        state = self.state(angles)
        value, weights = objective(self._checked(energies), _squares(state))
        return value, self._back(state, weights * state, self._extended(angles))

    def pullback(self, angles: NDArray, costate: Callable[[NDArray], NDArray]) -> NDArray:
        """[P] float64, 2 Re <costate(psi)| d psi> by each of angles [P], costate being a map of [K] to [K]."""
        state = self.state(angles)
        other = np.asarray(costate(state.copy()))
        if other.shape != state.shape:
            raise InputError(f"the costate has shape {other.shape}: expected {state.shape}")
        return self._back(state, other, self._extended(angles))

    def sample(self, angles: NDArray, shots: int, rng: np.random.Generator) -> NDArray:
        """[shots, q] uint8, bits measured at angles [P]."""
        numbers = self._subspace.numbers[drawn(self.probabilities(angles), shots, rng)]
        return state_bits(numbers, self._subspace.num_qubits)

    def _back(self, state: NDArray, costate: NDArray, extended: NDArray) -> NDArray:
        """The gradient; the state is undone in place."""
        gradient = np.zeros(extended.size)
        costate = np.array(costate, dtype=self._dtype)
        for step in reversed(self._steps):
            step.backward(state, costate, extended, gradient, self._workers)
        return gradient[:-1]

    def _extended(self, angles: NDArray) -> NDArray:
        """[P + 1] float64, the angles and a 1 that `FIXED` points at."""
        return np.append(checked_angles(angles, self.num_parameters), 1.0)

    def _checked(self, energies: NDArray) -> NDArray:
        energies = np.asarray(energies, dtype=np.float64)
        if energies.shape != (self.num_states,):
            raise InputError(f"energies have shape {energies.shape}: expected ({self.num_states},)")
        return energies


def _squares(state: NDArray) -> NDArray:
    return np.square(state.real, dtype=np.float64) + np.square(state.imag, dtype=np.float64)
