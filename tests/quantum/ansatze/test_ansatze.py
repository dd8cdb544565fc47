from __future__ import annotations

import numpy as np
import pytest
from qiskit.quantum_info import Statevector

from co_gym import registry
from co_gym.errors import InputError, SolverError
from quantum.ansatze import ansatz
from quantum.ansatze.subspaces import registers_of, rounds
from quantum.circuits import Circuit
from quantum.encodings import Encoded, encoding
from quantum.hamiltonians import Ising, state_bits
from quantum.programs import binary_program


def encoded(
    problem: str = "multiknapsack", size: int = 5, form: str | None = None, name: str = "augmented"
) -> Encoded:
    instance = registry.problem(problem).generate(size, seed=2)[0]
    program = binary_program(registry.problem(problem).formulate(instance, form).program)
    return encoding(name).encode(program)


def probabilities(circuit: Circuit, angles: np.ndarray) -> np.ndarray:
    """By Qiskit."""
    return Statevector(circuit.to_qiskit().assign_parameters(np.ravel(angles))).probabilities()


FULL = ["qaoa", "ws-qaoa", "ma-qaoa", "hardware-efficient", "product"]


@pytest.mark.parametrize("name", FULL)
def test_angles_are_a_row_for_each_layer_and_as_many_as_parameters(name: str) -> None:
    case, family = encoded(), ansatz(name)
    for layers in (1, 2, 3):
        circuit = family.circuit(case, layers)
        angles = family.start(case, layers, np.random.default_rng(0))
        assert circuit.num_parameters == angles.size == circuit.to_qiskit().num_parameters
        assert circuit.runs_on_devices
        assert probabilities(circuit, angles).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", FULL)
def test_with_all_angles_zero_the_distribution_is_that_of_the_marginals(name: str) -> None:
    case, family = encoded(), ansatz(name)
    marginals = np.linspace(0.2, 0.8, 5)
    bits = state_bits(np.arange(32), 5)
    expected = np.where(bits, marginals, 1 - marginals).prod(axis=1)
    circuit = family.circuit(case, 2, marginals)
    found = probabilities(circuit, np.zeros(circuit.num_parameters))
    if name == "hardware-efficient":
        assert found.sum() == pytest.approx(1.0)
    else:
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_mixers_leave_the_initial_state_of_a_warm_start_alone() -> None:
    case, marginals = encoded(), np.array([0.1, 0.9, 0.3, 0.5, 0.7])
    circuit = ansatz("ws-qaoa").circuit(case, 2, marginals)
    with_mixers = probabilities(circuit, np.array([0.0, 0.8, 0.0, 0.3]))
    np.testing.assert_allclose(with_mixers, probabilities(circuit, np.zeros(4)), atol=1e-9)


def test_first_angles_lower_the_energy_and_more_layers_lower_it_more() -> None:
    family = ansatz("qaoa")
    means = np.zeros(4)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        ising = Ising.of(0.0, np.zeros(8), np.triu(rng.normal(size=(8, 8)), 1))
        case = Encoded(ising, np.arange(8), encoded(size=8).program)
        scale = np.abs(ising.energies().min())
        for layers in (1, 2, 3):
            circuit = family.circuit(case, layers)
            found = probabilities(circuit, family.start(case, layers, rng))
            means[layers] += found @ ising.energies() / scale
    assert 0.0 > means[1] > means[2] > means[3]


def test_equal_angles_make_multi_angle_qaoa_qaoa() -> None:
    case, rng = encoded(), np.random.default_rng(0)
    plain, many = ansatz("qaoa"), ansatz("ma-qaoa")
    found = [probabilities(family.circuit(case, 2), family.start(case, 2, rng)) for family in (plain, many)]
    np.testing.assert_allclose(*found, atol=1e-9)


@pytest.mark.parametrize("name", ["xy", "grover"])
def test_sums_of_registers_are_kept(name: str) -> None:
    case, family = encoded("qap", 3, "quadratic"), ansatz(name)
    circuit = family.circuit(case, 2)
    found = probabilities(circuit, np.array([0.4, -0.7, 0.9, -0.3]))
    sums = state_bits(np.arange(2**9), 9).reshape(-1, 3, 3).sum(axis=2)
    inside = (sums == 1).all(axis=1)
    assert found[inside].sum() == pytest.approx(1.0)
    assert np.count_nonzero(found[inside] > 1e-6) == 27
    assert circuit.subspace is not None
    assert sorted(np.flatnonzero(inside)) == circuit.subspace.numbers.tolist()


def test_registers_are_disjoint_rows_and_have_to_reach_every_qubit() -> None:
    space = registers_of(encoded("tsp", 4, "position"))
    assert space.ones == (1, 1, 1)
    assert sorted(q for register in space.registers for q in register) == list(range(9))
    for case in (encoded(), encoded("mis", 5, "edge")):
        with pytest.raises(SolverError, match="5 qubits in none"):
            registers_of(case)


@pytest.mark.parametrize("size", range(1, 9))
def test_rounds_hold_every_pair_once_and_disjoint_ones_together(size: int) -> None:
    pairs = rounds(tuple(range(size)))
    assert sorted((min(p), max(p)) for p in pairs) == [(a, b) for a in range(size) for b in range(a + 1, size)]
    together = size // 2
    for start in range(0, len(pairs), together or 1):
        used = [q for pair in pairs[start : start + together] for q in pair]
        assert len(used) == len(set(used))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(SolverError, match="table of energies"):
        ansatz("ma-qaoa").circuit(encoded(name="hinge"), 1)
    with pytest.raises(InputError, match="did you mean qaoa"):
        ansatz("qaoaa")
