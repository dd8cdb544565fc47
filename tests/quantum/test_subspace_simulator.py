from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Statevector

from co_gym.errors import InputError
from quantum.circuits import FIXED, Circuit, Exchange, Layer, Phase, Reflection, Subspace
from quantum.hamiltonians import Ising, Table, state_bits
from quantum.objectives import CVaR, Gibbs, Mean, Objective
from quantum.subspace_simulator import SubspaceSimulator

SPACES = {
    "one-hot": Subspace(((0, 1, 2), (3, 4), (5, 6, 7)), (1, 1, 1)),
    "interleaved": Subspace(((4, 0, 2), (1, 5, 3, 6)), (1, 1)),
    "dicke": Subspace(((0, 1, 2, 3), (6, 4, 5)), (2, 1)),
    "single": Subspace(((0, 1, 2, 3, 4, 5),), (3,)),
    "frozen": Subspace(((0, 1), (2,), (3, 4, 5)), (0, 1, 2)),
}


def random_ising(rng: np.random.Generator, q: int) -> Ising:
    pairs = np.array([pair for pair in combinations(range(q), 2) if rng.random() < 0.7], dtype=np.int64)
    return Ising(float(rng.normal()), rng.normal(size=q), pairs.reshape(-1, 2), rng.normal(size=len(pairs)))


def circuit(space: Subspace, seed: int, mixer: str, devices: bool = True) -> Circuit:
    """All kinds of phases, and a mixer twice."""
    rng = np.random.default_rng(seed)
    q = space.num_qubits
    ising, other = random_ising(rng, q), random_ising(rng, q)
    each = rng.integers(-1, 6, size=q + other.couplings.size)
    phases: list[Layer] = [Phase(ising, 0), Phase(other, each), Phase(other, FIXED)]
    if not devices:
        phases.append(Phase(Table(rng.normal(size=2**q)), 4))
    layers = [
        *mixers(space, mixer, 5),
        *phases,
        *mixers(space, mixer, 2),
        Phase(ising, 3),
        *mixers(space, mixer, 1),
    ]
    return Circuit(q, tuple(layers), 6, subspace=space)


def mixers(space: Subspace, kind: str, parameter: int) -> list[Layer]:
    if kind == "reflection":
        return [Reflection(r, parameter) for r in range(len(space.registers))]
    pairs = []
    for register in space.registers:
        ring = [(register[i - 1], register[i]) for i in range(len(register)) if register[i - 1] != register[i]]
        pairs += ring if kind == "ring" else list(combinations(register, 2))
    return [Exchange(np.array(pairs), parameter)]


@pytest.mark.parametrize("mixer", ["ring", "complete", "reflection"])
@pytest.mark.parametrize("name", SPACES)
def test_amplitudes_are_those_of_qiskit_and_zero_outside(name: str, mixer: str) -> None:
    space = SPACES[name]
    made = circuit(space, 1, mixer)
    angles = np.random.default_rng(2).normal(size=made.num_parameters)
    ours = np.zeros(2**space.num_qubits, dtype=complex)
    ours[space.numbers] = SubspaceSimulator(made).state(angles)
    quantum = made.to_qiskit()
    theirs = Statevector(quantum.assign_parameters(dict(zip(quantum.parameters, angles, strict=True)))).data
    assert np.abs(np.delete(theirs, space.numbers)).max(initial=0.0) < 1e-10
    overlap = np.vdot(ours, theirs)
    np.testing.assert_allclose(ours * overlap / abs(overlap), theirs, atol=1e-10)


@pytest.mark.parametrize("mixer", ["ring", "complete", "reflection"])
@pytest.mark.parametrize("objective", [Mean(), CVaR(0.3), Gibbs(0.4)])
@given(seed=st.integers(0, 10**6), name=st.sampled_from(sorted(SPACES)))
@settings(max_examples=8)
def test_gradients_are_central_differences(mixer: str, objective: Objective, seed: int, name: str) -> None:
    made = circuit(SPACES[name], seed, mixer, devices=False)
    simulator = SubspaceSimulator(made)
    rng = np.random.default_rng(seed)
    angles, energies = rng.normal(size=6), rng.normal(size=simulator.num_states)
    value, gradient = simulator.value_and_gradient(angles, energies, objective)
    assert value == pytest.approx(objective(energies, simulator.probabilities(angles))[0])
    for i, step in enumerate(1e-6 * np.eye(6)):
        ends = [objective(energies, simulator.probabilities(angles + sign * step))[0] for sign in (1, -1)]
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=2e-6)


@pytest.mark.parametrize("mixer", ["complete", "reflection"])
def test_a_costate_of_ones_own_is_pulled_back(mixer: str) -> None:
    """Of the squared overlap with a given state, whose derivative is 2 Re <costate | d psi>."""
    simulator = SubspaceSimulator(circuit(SPACES["dicke"], 3, mixer))
    rng = np.random.default_rng(4)
    target = rng.normal(size=simulator.num_states) + 1j * rng.normal(size=simulator.num_states)
    angles = rng.normal(size=6)
    gradient = simulator.pullback(angles, lambda psi: target * np.vdot(target, psi))
    for i, step in enumerate(1e-6 * np.eye(6)):
        ends = [abs(np.vdot(target, simulator.state(angles + sign * step))) ** 2 for sign in (1, -1)]
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-5)


def test_energies_are_those_of_the_bits_of_the_states() -> None:
    space, rng = SPACES["interleaved"], np.random.default_rng(5)
    simulator = SubspaceSimulator(circuit(space, 0, "ring"))
    ising = random_ising(rng, space.num_qubits)
    for diagonal in (ising, ising.quadratic(), Table(rng.normal(size=2**space.num_qubits))):
        expected = diagonal.energies()[space.numbers]
        np.testing.assert_allclose(simulator.energies_of(diagonal), expected, atol=1e-12)


def test_expectations_are_sums_over_probabilities() -> None:
    simulator = SubspaceSimulator(circuit(SPACES["one-hot"], 6, "ring"))
    rng = np.random.default_rng(6)
    angles, energies = rng.normal(size=(4, 6)), rng.normal(size=simulator.num_states)
    several = simulator.expectations(angles, energies)
    for row, value in zip(angles, several, strict=True):
        probabilities = simulator.probabilities(row)
        assert probabilities.sum() == pytest.approx(1.0, abs=1e-12)
        assert value == pytest.approx(probabilities @ energies)
        assert simulator.expectation(row, energies) == pytest.approx(value)


def test_single_precision_and_threads_agree_with_double_on_one() -> None:
    space = Subspace((tuple(range(9)), tuple(range(9, 18))), (4, 4))
    for mixer in ("ring", "reflection"):
        made = circuit(space, 7, mixer)
        exact, single, threaded = (
            SubspaceSimulator(made, **options) for options in ({}, {"precision": "single"}, {"threads": 3})
        )
        rng = np.random.default_rng(7)
        angles, energies = rng.normal(size=6), rng.normal(size=exact.num_states)
        value, gradient = exact.value_and_gradient(angles, energies, Mean())
        assert single.state(angles).dtype == np.complex64
        for other, tolerance in ((single, 2e-4), (threaded, 1e-10)):
            found = other.value_and_gradient(angles, energies, Mean())
            assert found[0] == pytest.approx(value, abs=tolerance)
            np.testing.assert_allclose(found[1], gradient, atol=tolerance * max(1.0, np.abs(gradient).max()))


def test_samples_follow_the_probabilities_and_stay_inside() -> None:
    space = SPACES["dicke"]
    simulator = SubspaceSimulator(circuit(space, 8, "complete"))
    angles, shots = np.random.default_rng(8).normal(size=6), 40_000
    bits = simulator.sample(angles, shots, np.random.default_rng(9))
    assert bits.shape == (shots, space.num_qubits)
    assert bits.dtype == np.uint8
    counts = (bits[:, None, :] == state_bits(space.numbers, space.num_qubits)).all(axis=-1).sum(axis=0)
    assert counts.sum() == shots
    probabilities = simulator.probabilities(angles)
    assert (np.abs(counts - shots * probabilities) < 5 * np.sqrt(shots * probabilities) + 5).all()


def test_mistakes_are_named() -> None:
    made = circuit(SPACES["one-hot"], 0, "ring")
    simulator = SubspaceSimulator(made)
    energies = np.zeros(simulator.num_states)
    with pytest.raises(InputError, match=r"expected \(6,\)"):
        simulator.state(np.zeros(5))
    with pytest.raises(InputError, match="energies have shape"):
        simulator.expectation(np.zeros(6), energies[:-1])
    with pytest.raises(InputError, match=r"expected \(B, 6\)"):
        simulator.expectations(np.zeros(6), energies)
    with pytest.raises(InputError, match="the costate has shape"):
        simulator.pullback(np.zeros(6), lambda psi: psi[:2])
    with pytest.raises(InputError, match="Hamiltonian of 3 qubits"):
        simulator.energies_of(Table(np.zeros(8)))
    with pytest.raises(InputError, match="no subspace"):
        SubspaceSimulator(Circuit(1, (), 0, np.zeros(1)))
    with pytest.raises(InputError, match="of one register"):
        SubspaceSimulator(Circuit(8, (Exchange(np.array([[0, 3]]), 0),), 1, subspace=SPACES["one-hot"]))
    with pytest.raises(InputError, match="precision"):
        SubspaceSimulator(made, precision="half")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="threads"):
        SubspaceSimulator(made, threads=0)
