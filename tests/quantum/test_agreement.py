"""Simulators, Qiskit and Aer say the same; a linear Lagrangian makes a product state."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.quantum_info import Statevector

import co_gym
from quantum.ansatze import ansatz
from quantum.encodings import Encoded, encoding
from quantum.hamiltonians import Ising, state_bits
from quantum.instances import subject
from quantum.simulator import simulator


def random_case(seed: int, q: int) -> Encoded:
    """A random Hamiltonian, with fields and half of the couplings."""
    rng = np.random.default_rng(seed)
    couplings = np.triu(rng.normal(size=(q, q)), 1) * (rng.random((q, q)) < 0.5)
    program = subject(co_gym.problem("knapsack").generate(q, seed=seed)[0]).program
    return Encoded(Ising.of(rng.normal(), rng.normal(size=q), couplings), np.arange(q), program)


@pytest.mark.parametrize("name", ["qaoa", "ma-qaoa", "ws-qaoa", "hardware-efficient"])
@pytest.mark.parametrize("q", [2, 6, 9])
def test_our_simulator_qiskits_state_vector_and_aer_agree(name: str, q: int) -> None:
    from qiskit_aer.primitives import EstimatorV2

    case, rng = random_case(q, q), np.random.default_rng(q)
    family = ansatz(name)
    circuit = family.circuit(case, 2, rng.uniform(0.2, 0.8, size=q))
    angles = rng.normal(size=circuit.num_parameters)
    energies = case.diagonal.energies()
    ours = simulator(circuit).expectation(angles, energies)
    gates = circuit.to_qiskit()
    state = Statevector(gates.assign_parameters(angles))
    assert ours == pytest.approx(float(state.probabilities() @ energies), abs=1e-10)
    job = EstimatorV2().run([(gates, case.diagonal.operator(), angles)])
    assert ours == pytest.approx(float(job.result()[0].data.evs), abs=1e-10)


@pytest.mark.parametrize(("problem", "size"), [("multiknapsack", 9), ("mis", 9), ("knapsack", 7)])
def test_a_linear_lagrangian_makes_a_product_state(problem: str, size: int) -> None:
    rng = np.random.default_rng(size)
    for seed in range(3):
        task = subject(co_gym.problem(problem).generate(size, seed=seed)[0])
        encoded = encoding("lagrangian").encode(task.program)
        circuit = ansatz("qaoa").circuit(encoded, 3)
        assert circuit.is_product
        found = simulator(circuit).probabilities(rng.normal(size=6))
        bits = state_bits(np.arange(2**size), size)
        marginals = found @ bits
        np.testing.assert_allclose(found, np.where(bits, marginals, 1.0 - marginals).prod(axis=1), atol=1e-14)


def test_quadratic_terms_entangle() -> None:
    task = subject(co_gym.problem("multiknapsack").generate(6, seed=0)[0])
    circuit = ansatz("qaoa").circuit(encoding("augmented").encode(task.program), 2)
    assert not circuit.is_product
    found = simulator(circuit).probabilities(np.array([0.5, 0.4, 0.3, 0.2]))
    bits = state_bits(np.arange(64), 6)
    marginals = found @ bits
    assert np.abs(found - np.where(bits, marginals, 1.0 - marginals).prod(axis=1)).max() > 1e-3
