from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.backends import backend
from quantum.backends.base import Counts
from quantum.backends.templates import digest, template
from quantum.backends.transpiled import counts, heavy_hex
from quantum.circuits import FIXED, Circuit, Phase, Rotation, uniform
from quantum.hamiltonians import Ising
from tests.quantum.backends.conftest import by_definition

X = np.array([1.0, 0.0, 0.0])


def qaoa(q: int, pairs: list[tuple[int, int]], parameters: int | NDArray = 0) -> Circuit:
    ising = Ising(0.0, np.zeros(q), np.array(pairs).reshape(-1, 2), np.ones(len(pairs)))
    layers = (Phase(ising, parameters), Rotation(np.tile(X, (q, 1)), np.full(q, 1)))
    return Circuit(q, layers, 2, uniform(q))


def test_every_coupling_costs_two_gates_between_all_qubits_and_more_on_a_lattice() -> None:
    every = [(i, j) for i in range(6) for j in range(i)]
    between_all, lattice = counts(qaoa(6, every)), counts(qaoa(6, every), "heavy-hex", level=1)
    assert (between_all.qubits, between_all.two_qubit_gates) == (6, 2 * len(every))
    assert lattice.two_qubit_gates > between_all.two_qubit_gates
    assert lattice.qubits >= 6
    assert lattice.depth > between_all.depth
    assert counts(qaoa(6, every), "heavy-hex") == lattice


def test_a_path_needs_no_swaps_on_a_lattice() -> None:
    path = [(i, i + 1) for i in range(7)]
    assert counts(qaoa(8, path), "heavy-hex", level=3).two_qubit_gates == 14


def test_a_linear_hamiltonian_needs_no_gate_on_two_qubits() -> None:
    made = counts(qaoa(5, []))
    assert made.two_qubit_gates == 0
    assert made.qubits == 5


def test_a_circuit_of_two_gates_has_the_depth_of_both() -> None:
    Y, Z = np.eye(3)[1], np.eye(3)[2]
    turned = Rotation(np.stack([Z, Z]), np.array([0, 0]))
    assert counts(Circuit(2, (turned,), 1, np.zeros(2)), level=0) == Counts(2, 0, 1)
    first = counts(Circuit(1, (Rotation(Y[None], np.array([0])),), 1, np.zeros(1)))
    assert (first.two_qubit_gates, first.qubits) == (0, 1)
    assert 1 <= first.depth <= 5


def test_fixed_quarter_turns_become_single_gates() -> None:
    """CZ is a coupling by pi / 4, which the transpiler knows only if the angle stays a number."""
    ising = Ising(0.0, np.zeros(3), np.array([[0, 1], [1, 2]]), np.full(2, np.pi / 4))
    layers = (Phase(ising, FIXED), Rotation(np.tile(X, (3, 1)), np.zeros(3, dtype=np.int64)))
    compiled = backend("generic:3", level=3).compile(Circuit(3, layers, 1, uniform(3)))
    assert compiled.counts.two_qubit_gates == 2


def test_counts_of_simulators_are_those_of_a_device_without_limits() -> None:
    circuit = qaoa(4, [(0, 1), (1, 2), (2, 3)])
    for name in ("statevector", "aer", "fast"):
        assert backend(name).compile(circuit).counts == counts(circuit)
    on_lattice = backend("fast", coupling="heavy-hex", level=2).compile(circuit).counts
    assert on_lattice == counts(circuit, "heavy-hex", 2)


def test_the_lattice_is_the_smallest_that_holds_the_qubits() -> None:
    assert [heavy_hex(q).size() for q in (1, 19, 20, 57, 58)] == [19, 19, 57, 57, 115]


def test_unknown_couplings_are_refused() -> None:
    with pytest.raises(InputError, match="heavy-hex"):
        counts(qaoa(2, [(0, 1)]), "square")  # type: ignore[arg-type]


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_a_bound_template_is_the_circuit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    fields, couplings = rng.normal(size=3) * (rng.random(3) < 0.7), rng.normal(size=3) * (rng.random(3) < 0.7)
    numbers = rng.integers(-1, 3, 6)
    axes = rng.normal(size=(3, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    ising = Ising(1.0, fields, pairs, couplings)
    layers = (
        Phase(ising, 0),
        Rotation(axes, rng.integers(-1, 3, 3)),
        Phase(ising, numbers),
        Rotation(axes, numbers[:3]),
    )
    circuit = Circuit(3, layers, 3, rng.normal(size=3))
    angles = rng.normal(size=(2, 3))
    made = template(circuit)
    bound = made.bind(angles)
    assert bound.shape == (2, made.circuit.num_parameters)
    for row in (0, 1):
        np.testing.assert_allclose(
            by_definition(made.circuit, bound[row]), by_definition(circuit, angles[row]), atol=1e-12
        )


def test_digests_tell_circuits_apart_and_know_equal_ones() -> None:
    pairs = [(0, 1), (1, 2)]
    first = qaoa(3, pairs)
    assert digest(first) == digest(qaoa(3, pairs))
    others = [qaoa(3, pairs, np.array([0, 0, 0, 0, 1])), qaoa(3, [(0, 1), (0, 2)]), qaoa(4, pairs)]
    others.append(Circuit(3, first.layers, 2, uniform(3) + 1e-9))
    others.append(Circuit(3, first.layers[::-1], 2, uniform(3)))
    assert len({digest(first), *map(digest, others)}) == 6
