"""Circuits of optimization as data: what simulators run fast, and what becomes a circuit of Qiskit.

Every ansatz is a sequence of a few kinds of layers. In the full space of q qubits: phases by a diagonal
Hamiltonian and rotations of single qubits. In a subspace of basis states: phases, exchanges of two qubits and
reflections about the initial state. One description serves our simulator with its gradients, Qiskit's primitives
and devices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.hamiltonians import Diagonal, Ising, state_bits

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

FIXED = -1
"""In place of a parameter's number: the angle is 1, and not a parameter."""


@dataclass(frozen=True, eq=False)
class Phase:
    """exp(-i D), where D is a diagonal Hamiltonian whose terms are multiplied by parameters; constants do nothing.

    Attributes:
        diagonal: The Hamiltonian. One that is no `Ising` runs on simulators only.
        parameters: Number of the parameter of the whole Hamiltonian, or [q + k] int64 of each term of an `Ising`
            (its fields, then its couplings).
    """

    diagonal: Diagonal
    parameters: int | NDArray


@dataclass(frozen=True, eq=False)
class Rotation:
    """exp(-i angle_q / 2 (a_q . sigma)) on each qubit q, angle_q = scale * parameter.

    Attributes:
        axes: [q, 3] float64, unit vectors a_q.
        parameters: [q] int64, numbers of parameters.
        scale: Factor of all angles.
    """

    axes: NDArray
    parameters: NDArray
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class Exchange:
    """exp(-i angle (X_a X_b + Y_a Y_b) / 2) on pairs of qubits, one after the other: an XY mixer.

    It turns |01> and |10> into each other and leaves |00> and |11> as they are.

    Attributes:
        pairs: [k, 2] int64, in their order.
        parameter: Number of the parameter.
    """

    pairs: NDArray
    parameter: int


@dataclass(frozen=True, eq=False)
class Reflection:
    """I - (1 - exp(-i angle)) |s><s|, s the initial state of a register: a Grover mixer.

    Attributes:
        register: Number of the register in the subspace.
        parameter: Number of the parameter.
    """

    register: int
    parameter: int


Layer = Phase | Rotation | Exchange | Reflection


@dataclass(frozen=True, eq=False)
class Subspace:
    """Basis states in which each register of qubits has a fixed number of ones: products of Dicke states.

    Qubits in no register are absent: every qubit belongs to one.

    Attributes:
        registers: Qubits of each register.
        ones: How many of them are 1.
        numbers: [K] int64, numbers of the basis states, ascending.
    """

    registers: tuple[tuple[int, ...], ...]
    ones: tuple[int, ...]
    numbers: NDArray = field(init=False)

    def __post_init__(self) -> None:
        from itertools import combinations

        qubits = sorted(q for register in self.registers for q in register)
        if qubits != list(range(len(qubits))):
            raise InputError(f"registers hold the qubits {qubits}: expected each of 0..{len(qubits) - 1} once")
        numbers = np.zeros(1, dtype=np.int64)
        for register, ones in zip(self.registers, self.ones, strict=True):
            words = [sum(1 << q for q in chosen) for chosen in combinations(register, ones)]
            numbers = (numbers[:, None] + np.array(words, dtype=np.int64)[None, :]).ravel()
        object.__setattr__(self, "numbers", np.sort(numbers))

    @property
    def num_qubits(self) -> int:
        """Number of qubits."""
        return sum(len(register) for register in self.registers)

    def bits(self) -> NDArray:
        """[K, q] uint8, bits of its states."""
        return state_bits(self.numbers, self.num_qubits)


@dataclass(frozen=True, eq=False)
class Circuit:
    """An initial state and layers.

    Attributes:
        num_qubits: q.
        layers: In their order.
        num_parameters: How many angles there are.
        initial: [q] float64, the initial state is RY(initial_q)|0> on each qubit; ignored in a subspace.
        subspace: The initial state is the equal superposition of its states, and layers do not leave it; None for
            the full space. `Rotation` is for the full space, `Exchange` and `Reflection` for a subspace.
    """

    num_qubits: int
    layers: tuple[Layer, ...]
    num_parameters: int
    initial: NDArray = field(default_factory=lambda: np.zeros(0))
    subspace: Subspace | None = None

    def __post_init__(self) -> None:
        if self.subspace is None and self.initial.shape != (self.num_qubits,):
            raise InputError(f"initial has shape {self.initial.shape}: expected ({self.num_qubits},)")
        for layer in self.layers:
            if isinstance(layer, Rotation) == (self.subspace is not None) and not isinstance(layer, Phase):
                place = "the full space" if self.subspace is None else "a subspace"
                raise InputError(f"a layer of kind {type(layer).__name__} does not act in {place}")

    def frequencies(self) -> NDArray | None:
        """[P] float64, f such that expectations are a + b cos(f t) + c sin(f t) in each parameter t alone.

        None if a parameter occurs in more than one gate, or in none: then expectations are of another form.
        """
        found: list[list[float]] = [[] for _ in range(self.num_parameters)]
        for layer in self.layers:
            if isinstance(layer, Rotation):
                numbers, rates = layer.parameters, np.full(self.num_qubits, abs(layer.scale))
            elif isinstance(layer, Phase) and isinstance(layer.diagonal, Ising):
                rates = 2.0 * np.abs(np.concatenate([layer.diagonal.fields, layer.diagonal.couplings]))
                numbers = np.broadcast_to(np.asarray(layer.parameters), rates.shape)
            else:
                return None
            for number, rate in zip(numbers.tolist(), rates.tolist(), strict=True):
                if number != FIXED:
                    found[number].append(rate)
        if any(len(rates) != 1 or rates[0] == 0.0 for rates in found):
            return None
        return np.array(found).ravel()

    @property
    def runs_on_devices(self) -> bool:
        """Whether all layers consist of gates on one and two qubits."""
        return all(isinstance(one.diagonal, Ising) for one in self.layers if isinstance(one, Phase))

    @property
    def is_product(self) -> bool:
        """Whether no layer acts on two qubits at once, so that there is no entanglement."""
        phases = [one.diagonal for one in self.layers if isinstance(one, Phase)]
        separate = all(isinstance(one, Ising) and not np.any(one.couplings) for one in phases)
        return self.subspace is None and separate

    def to_qiskit(self, measure: bool = False) -> QuantumCircuit:
        """As a circuit of Qiskit with parameters `t[0]`, `t[1]`, ...; see `quantum.qiskit_circuits`."""
        from quantum.qiskit_circuits import build

        return build(self, measure)


def uniform(num_qubits: int) -> NDArray:
    """[q] float64, initial angles of the equal superposition of all states."""
    return np.full(num_qubits, np.pi / 2)


def warm(marginals: NDArray, least: float = 0.0) -> NDArray:
    """[q] float64, initial angles of a product state with given probabilities of 1, `least` away from 0 and 1."""
    kept = np.clip(np.asarray(marginals, dtype=np.float64), least, 1.0 - least)
    return 2.0 * np.arcsin(np.sqrt(kept))
