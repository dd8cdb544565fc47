from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from co_gym.errors import InputError
from quantum.hamiltonians import MOST_QUBITS, Ising, Quadratic, Table, state_bits, state_numbers


def random_quadratic(seed: int, q: int) -> tuple[Quadratic, np.ndarray]:
    """A random form, and its values at all states by definition."""
    rng = np.random.default_rng(seed)
    offset, linear, Q = float(rng.normal()), rng.normal(size=q), rng.normal(size=(q, q))
    Q[rng.random((q, q)) < 0.4] = 0.0
    bits = state_bits(np.arange(2**q), q).astype(float)
    return Quadratic.of(offset, linear, Q), offset + bits @ linear + np.einsum("bi,ij,bj->b", bits, Q, bits)


@given(st.integers(0, 10**6), st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_every_form_has_the_energy_of_the_formula_at_every_bit_string(seed: int, q: int) -> None:
    form, expected = random_quadratic(seed, q)
    bits = state_bits(np.arange(2**q), q)
    for diagonal in (form, form.ising(), form.ising().quadratic(), Table(expected)):
        np.testing.assert_allclose(diagonal.energy(bits), expected, atol=1e-12)
        np.testing.assert_allclose(diagonal.energies(), expected, atol=1e-12)
    assert form.ising().scale == pytest.approx(Table(expected).scale) or expected.std() < 1e-12
    np.testing.assert_allclose(form.ising().scaled(-2.0).energies(), Table(expected).scaled(-2.0).energies())


@given(st.integers(0, 10**6), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_operators_have_the_same_energies_and_come_back(seed: int, q: int) -> None:
    form, expected = random_quadratic(seed, q)
    operator = form.ising().operator()
    np.testing.assert_allclose(np.diag(operator.to_matrix()).real, expected, atol=1e-12)
    np.testing.assert_allclose(Ising.from_operator(operator).energies(), expected, atol=1e-12)


def test_an_operator_that_is_not_quadratic_in_z_is_refused() -> None:
    from qiskit.quantum_info import SparsePauliOp

    for label in ("XI", "ZZZ", "YZ"):
        with pytest.raises(InputError, match="at most two Z"):
            Ising.from_operator(SparsePauliOp([label]))


def test_a_table_that_would_not_fit_is_refused() -> None:
    q = MOST_QUBITS + 1
    with pytest.raises(InputError, match="at most"):
        Ising(0.0, np.ones(q), np.zeros((0, 2), dtype=np.int64), np.zeros(0)).energies()


def test_states_are_numbered_from_the_least_significant_qubit() -> None:
    assert state_bits(np.array([6]), 4).tolist() == [[0, 1, 1, 0]]
    assert state_numbers(np.array([[1, 0, 0], [0, 0, 1]])).tolist() == [1, 4]
