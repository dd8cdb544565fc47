from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Pauli, SparsePauliOp, Statevector

from co_gym.errors import InputError
from quantum.circuits import Circuit
from quantum.kernels.paulis import measure_along
from quantum.paulis import Paulis, basis_change


def random_state(rng: np.random.Generator, n: int) -> np.ndarray:
    state = rng.normal(size=2**n) + 1j * rng.normal(size=2**n)
    return state / np.linalg.norm(state)


def random_axes(rng: np.random.Generator, n: int) -> np.ndarray:
    axes = rng.normal(size=(n, 3))
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


@given(st.integers(0, 10**6), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_sums_of_strings_are_those_of_qiskit(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    labels = ["".join(rng.choice(list("IXYZ"), n)) for _ in range(7)]
    coefficients, state, strings = rng.normal(size=7), random_state(rng, n), Paulis.of(labels)
    expected = [Statevector(state).expectation_value(Pauli(label)).real for label in labels]
    np.testing.assert_allclose(strings.expectations(state), expected, atol=1e-12)
    matrix = SparsePauliOp(labels, coefficients).to_matrix()
    np.testing.assert_allclose(strings.apply(state, coefficients), matrix @ state, atol=1e-12)
    np.testing.assert_allclose(strings.operator(coefficients).to_matrix(), matrix, atol=1e-12)


def test_states_of_many_blocks_and_of_single_precision() -> None:
    rng, n = np.random.default_rng(0), 13
    strings = Paulis(n, rng.integers(0, 2**n, 6), rng.integers(0, 2**n, 6))
    coefficients, state = rng.normal(size=6), random_state(rng, n)
    operator = strings.operator(coefficients)
    np.testing.assert_allclose(
        strings.apply(state, coefficients), operator.to_matrix(sparse=True) @ state, atol=1e-12
    )
    mean = Statevector(state).expectation_value(operator).real
    assert strings.expectations(state) @ coefficients == pytest.approx(mean, abs=1e-12)
    assert strings.expectations(state.astype(np.complex64)) @ coefficients == pytest.approx(mean, abs=1e-5)


def test_masks_of_qubits_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match="below 2\\^2"):
        Paulis(2, np.array([4]), np.array([0]))
    with pytest.raises(InputError, match="at most 62"):
        Paulis(63, np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))


@given(st.integers(0, 10**6), st.integers(1, 4))
@settings(max_examples=15, deadline=None)
def test_a_change_of_basis_takes_an_axis_to_z(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    axes = random_axes(rng, n)
    axes[0] = [(0, 0, -1), (0, 0, 1), (1, 0, 0), (0, 1, 0)][seed % 4]
    turned = Circuit(n, (basis_change(axes),), 0, np.zeros(n)).to_qiskit()
    state = random_state(rng, n)
    after = Statevector(state).evolve(turned)
    for q in range(n):
        along = SparsePauliOp.from_sparse_list([(p, [q], v) for p, v in zip("XYZ", axes[q], strict=True)], n)
        expected = Statevector(state).expectation_value(along).real
        assert after.expectation_value(Pauli("Z"), [q]).real == pytest.approx(expected, abs=1e-9)


def test_measured_bits_have_the_distribution_of_the_state_in_the_basis() -> None:
    rng, n, shots = np.random.default_rng(3), 3, 40_000
    state, axes = random_state(rng, n), random_axes(rng, 2 * n).reshape(n, 2, 3)
    axes[0] = [[0, 0, 1], [0, 0, -1]]
    for choice in (0, 1):
        choices = np.full((shots, n), choice)
        outcomes = measure_along(state, axes, choices, rng.random((shots, n)))
        turned = Circuit(n, (basis_change(axes[:, choice]),), 0, np.zeros(n)).to_qiskit()
        exact = Statevector(state).evolve(turned).probabilities()
        shares = np.bincount(outcomes @ (1 << np.arange(n)), minlength=2**n) / shots
        np.testing.assert_allclose(shares, exact, atol=0.013)
