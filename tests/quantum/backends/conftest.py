from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from numpy.typing import NDArray

from quantum.circuits import FIXED, Circuit, Exchange, Phase, Rotation, Subspace, warm
from quantum.hamiltonians import Ising, state_bits, state_numbers

SHOTS = 4000


def by_definition(circuit: Circuit, angles: NDArray) -> NDArray:
    """[2^q] probabilities, by dense matrices, qubit 0 in the least significant place."""
    q = circuit.num_qubits
    if circuit.subspace is None:
        halves = circuit.initial / 2
        state = reduce(np.kron, [np.array([np.cos(t), np.sin(t)]) for t in halves[::-1]]).astype(complex)
    else:
        state = np.zeros(2**q, dtype=complex)
        state[circuit.subspace.numbers] = circuit.subspace.numbers.size**-0.5
    spins = 1.0 - 2.0 * state_bits(np.arange(2**q), q)
    values = np.append(angles, 1.0)  # FIXED = -1 is the last one
    for layer in circuit.layers:
        if isinstance(layer, Phase):
            ising = layer.diagonal
            assert isinstance(ising, Ising)
            terms = np.concatenate([spins, spins[:, ising.pairs[:, 0]] * spins[:, ising.pairs[:, 1]]], axis=1)
            numbers = np.broadcast_to(layer.parameters, terms.shape[1])
            state = state * np.exp(
                -1j * terms @ (np.concatenate([ising.fields, ising.couplings]) * values[numbers])
            )
        elif isinstance(layer, Rotation):
            state = reduce(np.kron, [_turn(layer, t, values) for t in reversed(range(q))]) @ state
        elif isinstance(layer, Exchange):
            for a, b in layer.pairs:
                state = _exchanged(state, a, b, values[layer.parameter])
    return np.abs(state) ** 2


def _turn(layer: Rotation, qubit: int, values: NDArray) -> NDArray:
    angle = layer.scale * values[layer.parameters[qubit]] / 2
    x, y, z = layer.axes[qubit]
    return np.cos(angle) * np.eye(2) - 1j * np.sin(angle) * np.array([[z, x - 1j * y], [x + 1j * y, -z]])


def _exchanged(state: NDArray, a: int, b: int, angle: float) -> NDArray:
    numbers = np.arange(state.size)
    differ = (numbers >> a & 1) != (numbers >> b & 1)
    swapped = state[numbers ^ (1 << a) ^ (1 << b)]
    return np.where(differ, np.cos(angle) * state - 1j * np.sin(angle) * swapped, state)


@pytest.fixture(scope="session")
def asymmetric() -> tuple[Circuit, NDArray, NDArray]:
    """A circuit of QAOA in which no two qubits play the same part, angles, and exact probabilities."""
    ising = Ising(
        0.3, np.array([0.9, 0.0, -0.4, 0.2]), np.array([[0, 1], [1, 2], [0, 3]]), np.array([0.5, -0.3, 0.7])
    )
    axes = np.array([[1.0, 0.0, 0.0], [0.6, 0.0, 0.8], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    layers = (
        Phase(ising, 0),
        Rotation(axes, np.full(4, 1), 2.0),
        Phase(ising, np.array([2, 0, FIXED, 2, 0, 2, FIXED])),
        Rotation(axes, np.array([3, 1, FIXED, 3]), 2.0),
    )
    circuit = Circuit(4, layers, 4, warm(np.array([0.05, 0.3, 0.6, 0.9])))
    angles = np.array([0.4, 0.3, -0.3, 0.2])
    return circuit, angles, by_definition(circuit, angles)


@pytest.fixture(scope="session")
def exchanging() -> tuple[Circuit, NDArray, NDArray]:
    """A circuit in a subspace, angles, and exact probabilities."""
    space = Subspace(((0, 1, 2), (3, 4)), (1, 1))
    ising = Ising(0.0, np.array([0.9, -0.2, 0.5, 0.3, -0.7]), np.array([[0, 3], [2, 4]]), np.array([0.8, -0.6]))
    layers = (Phase(ising, 0), Exchange(np.array([[0, 1], [1, 2], [3, 4], [0, 2]]), 1))
    circuit = Circuit(5, layers, 2, subspace=space)
    angles = np.array([0.7, 0.5])
    return circuit, angles, by_definition(circuit, angles)


def frequencies(bits: NDArray) -> NDArray:
    """[2^q] shares of the basis states."""
    return np.bincount(state_numbers(bits), minlength=2 ** bits.shape[-1]) / len(bits)


def assert_frequencies(bits: NDArray, expected: NDArray, noise: float = 0.0) -> None:
    """Shares of shots deviate by at most five standard deviations, and by what noise does."""
    margin = 5.0 * np.sqrt(expected * (1.0 - expected) / len(bits)) + 5.0 / len(bits) + noise
    off = np.abs(frequencies(bits) - expected)
    assert (off <= margin).all(), (off - margin).max()
