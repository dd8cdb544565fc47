from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from co_gym.errors import InputError, SolverError
from quantum.circuits import FIXED, Circuit, Layer, Phase, Reflection, Rotation, Subspace, uniform
from quantum.hamiltonians import Ising, Table
from quantum.objectives import CVaR, Gibbs, Mean
from quantum.simulator import Simulator, simulator

ANGLES = 5
X = np.array([1.0, 0.0, 0.0])


def random_ising(rng: np.random.Generator, q: int) -> Ising:
    """Half of them with equally spaced energies."""
    pairs = np.array([(a, b) for a in range(q) for b in range(a + 1, q)], dtype=np.int64).reshape(-1, 2)
    pairs = pairs[rng.random(len(pairs)) < 0.7]
    if rng.random() < 0.5:
        coefficients = 0.3 * rng.integers(-3, 4, size=q + len(pairs))
    else:
        coefficients = rng.normal(size=q + len(pairs))
    return Ising(float(rng.normal()), coefficients[:q], pairs, coefficients[q:])


def random_layer(rng: np.random.Generator, q: int) -> Layer:
    ising = random_ising(rng, q)
    axes = rng.normal(size=(q, 3))
    axes /= np.linalg.norm(axes, axis=1)[:, None]
    scale = float(rng.normal())
    return (
        Phase(ising, int(rng.integers(FIXED, ANGLES))),
        Phase(ising, rng.integers(FIXED, ANGLES, size=q + ising.couplings.size)),
        Rotation(axes, rng.integers(FIXED, ANGLES, size=q), scale),
        Rotation(np.tile(X, (q, 1)), rng.integers(FIXED, ANGLES, size=q), scale),
        Rotation(np.tile(X, (q, 1)), np.full(q, rng.integers(ANGLES)), 2.0),
    )[rng.integers(5)]


def random_circuit(seed: int, q: int, layers: int = 6) -> tuple[Circuit, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = tuple(random_layer(rng, q) for _ in range(layers))
    return Circuit(q, made, ANGLES, rng.normal(size=q)), rng.normal(size=ANGLES)


def qaoa(q: int, layers: int, seed: int = 0) -> Circuit:
    ising, made = random_ising(np.random.default_rng(seed), q), []
    for layer in range(layers):
        made += [Phase(ising, 2 * layer), Rotation(np.tile(X, (q, 1)), np.full(q, 2 * layer + 1), 2.0)]
    return Circuit(q, tuple(made), 2 * layers, uniform(q))


def by_qiskit(circuit: Circuit, angles: np.ndarray) -> np.ndarray:
    from qiskit.quantum_info import Statevector

    made = circuit.to_qiskit()
    return np.asarray(Statevector(made.assign_parameters({t: angles[t.index] for t in made.parameters})).data)


def assert_same_ray(found: np.ndarray, expected: np.ndarray, atol: float) -> None:
    overlap = np.vdot(expected, found)
    np.testing.assert_allclose(found, expected * overlap / abs(overlap), atol=atol)


def differences(function: Callable[[np.ndarray], float], angles: np.ndarray, step: float = 1e-5) -> np.ndarray:
    steps = step * np.eye(angles.size)
    return np.array([(function(angles + one) - function(angles - one)) / (2 * step) for one in steps])


@given(st.integers(0, 10**6), st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_states_are_those_of_qiskit(seed: int, q: int) -> None:
    circuit, angles = random_circuit(seed, q)
    expected = by_qiskit(circuit, angles)
    assert_same_ray(Simulator(circuit).state(angles), expected, 1e-10)
    single = Simulator(circuit, precision="single")
    assert single.state(angles).dtype == np.complex64
    assert_same_ray(single.state(angles), expected, 1e-5)
    np.testing.assert_allclose(Simulator(circuit).probabilities(angles), np.abs(expected) ** 2, atol=1e-10)


@pytest.mark.parametrize("q", [9, 10, 11, 12, 13])
def test_states_of_every_arrangement_of_passes_are_those_of_qiskit(q: int) -> None:
    circuit, angles = random_circuit(q, q, layers=5)
    expected = by_qiskit(circuit, angles)
    assert_same_ray(Simulator(circuit).state(angles), expected, 1e-10)
    assert_same_ray(Simulator(circuit, precision="single").state(angles), expected, 1e-5)


@pytest.mark.parametrize("q", [16, 17, 18])
def test_states_larger_than_a_block_of_the_cache(q: int) -> None:
    circuit, angles = qaoa(q, 2), np.array([0.3, 0.5, -0.2, 0.7])
    expected = by_qiskit(circuit, angles)
    energies = circuit.layers[0].diagonal.energies()  # type: ignore[union-attr]
    for precision, atol in (("double", 1e-10), ("single", 1e-5)):
        made = Simulator(circuit, precision=precision)  # type: ignore[arg-type]
        assert_same_ray(made.state(angles), expected, atol)
        found = made.value_and_gradient(angles, energies, Mean())[1]
        sought = differences(lambda t: Simulator(circuit).expectation(t, energies), angles)
        np.testing.assert_allclose(found, sought, atol=1e-6 if precision == "double" else 1e-3)


@given(st.integers(0, 10**6), st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_a_table_is_a_phase_by_definition(seed: int, q: int) -> None:
    rng = np.random.default_rng(seed)
    table, before = Table(5.0 * rng.normal(size=2**q) + 100.0), random_layer(rng, q)
    start = Circuit(q, (before,), ANGLES, rng.normal(size=q))
    mixed = Circuit(
        q, (before, Phase(table, 1), Rotation(np.tile(X, (q, 1)), np.zeros(q, np.int64))), ANGLES, start.initial
    )
    angles = rng.normal(size=ANGLES)
    expected = Simulator(start).state(angles) * np.exp(-1j * angles[1] * table.values)
    for qubit in range(q):
        pair = expected.reshape(-1, 2, 1 << qubit)
        cos, sin = np.cos(angles[0] / 2), np.sin(angles[0] / 2)
        expected = (cos * pair - 1j * sin * pair[:, ::-1]).ravel()
    assert_same_ray(Simulator(mixed).state(angles), expected, 1e-10)


@pytest.mark.parametrize("objective", [Mean(), CVaR(0.3), Gibbs(0.4)])
@given(seed=st.integers(0, 10**6), q=st.integers(1, 7))
@settings(max_examples=20, deadline=None)
def test_gradients_are_the_limit_of_differences(objective: Mean | CVaR | Gibbs, seed: int, q: int) -> None:
    circuit, angles = random_circuit(seed, q)
    energies = np.random.default_rng(seed).normal(size=2**q)
    made = Simulator(circuit)
    value, gradient = made.value_and_gradient(angles, energies, objective)
    assert value == pytest.approx(objective(energies, made.probabilities(angles))[0])

    def weighed(t: np.ndarray) -> float:
        """The weights are held at the angles: a quantile may jump within a difference."""
        return float(weights @ made.probabilities(t))

    weights = objective(energies, made.probabilities(angles))[1]
    np.testing.assert_allclose(gradient, differences(weighed, angles), atol=1e-7)
    if not isinstance(objective, CVaR):
        sought = differences(lambda t: objective(energies, made.probabilities(t))[0], angles)
        np.testing.assert_allclose(gradient, sought, atol=1e-7)
    single = Simulator(circuit, precision="single").value_and_gradient(angles, energies, objective)
    assert single[0] == pytest.approx(value, abs=1e-5)
    np.testing.assert_allclose(single[1], gradient, atol=1e-4)


def test_gradients_of_cvar_are_the_limit_of_differences_of_cvar() -> None:
    circuit, angles = random_circuit(4, 6)
    made, energies, objective = Simulator(circuit), np.random.default_rng(4).normal(size=64), CVaR(0.3)
    sought = differences(lambda t: objective(energies, made.probabilities(t))[0], angles, 1e-6)
    np.testing.assert_allclose(made.value_and_gradient(angles, energies, objective)[1], sought, atol=1e-6)


@given(st.integers(0, 10**6), st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_pullbacks_are_gradients_of_observables_that_are_not_diagonal(seed: int, q: int) -> None:
    circuit, angles = random_circuit(seed, q)
    rng, made = np.random.default_rng(seed), Simulator(circuit)
    matrix = rng.normal(size=(2**q, 2**q)) + 1j * rng.normal(size=(2**q, 2**q))
    observable = (matrix + matrix.conj().T) / 2**q
    sought = differences(lambda t: float(np.vdot(made.state(t), observable @ made.state(t)).real), angles)
    np.testing.assert_allclose(made.pullback(angles, lambda psi: observable @ psi), sought, atol=1e-7)


@pytest.mark.parametrize("half", [np.pi / 2, -np.pi / 2, np.pi / 2 - 1e-9, 3 * np.pi / 2 + 1e-5, 1.33, 1.5])
def test_rotations_whose_tangent_is_infinite_or_large(half: float) -> None:
    circuit = qaoa(7, 3)
    angles = np.array([0.4, half, 0.3, 0.2, -0.5, half])
    energies = np.random.default_rng(0).normal(size=128)
    expected = by_qiskit(circuit, angles)
    assert_same_ray(Simulator(circuit).state(angles), expected, 1e-10)
    assert_same_ray(Simulator(circuit, precision="single").state(angles), expected, 1e-5)
    made = Simulator(circuit)
    sought = differences(lambda t: made.expectation(t, energies), angles)
    np.testing.assert_allclose(made.value_and_gradient(angles, energies, Mean())[1], sought, atol=1e-8)


def test_batches_and_their_rows_have_the_same_values() -> None:
    circuit, _ = random_circuit(3, 6)
    rng = np.random.default_rng(3)
    angles, made = rng.normal(size=(7, ANGLES)), Simulator(circuit)
    energies = made.energies_of(random_ising(rng, 6))
    probabilities = np.array([made.probabilities(row) for row in angles])
    np.testing.assert_allclose(made.expectations(angles, energies), probabilities @ energies, atol=1e-12)
    np.testing.assert_array_equal(
        made.expectations(angles, energies), [made.expectation(row, energies) for row in angles]
    )
    assert made.expectations(angles[:0], energies).shape == (0,)
    assert (made.num_parameters, made.num_states) == (ANGLES, 64)


def test_samples_have_the_frequencies_of_the_probabilities() -> None:
    circuit, angles = random_circuit(5, 4)
    made, shots = Simulator(circuit), 40_000
    bits = made.sample(angles, shots, np.random.default_rng(0))
    assert bits.shape == (shots, 4)
    assert bits.dtype == np.uint8
    shares = np.bincount(bits @ (1 << np.arange(4)), minlength=16) / shots
    probabilities = made.probabilities(angles)
    assert np.all(np.abs(shares - probabilities) <= 6 * np.sqrt(probabilities / shots) + 1e-9)
    np.testing.assert_array_equal(bits, made.sample(angles, shots, np.random.default_rng(0)))


def test_qubit_i_is_column_i() -> None:
    circuit = Circuit(3, (), 0, np.array([0.0, np.pi, np.pi]))
    assert Simulator(circuit).sample(np.zeros(0), 2, np.random.default_rng(0)).tolist() == [[0, 1, 1]] * 2


THREADS = """
import numpy as np
from tests.quantum.test_simulator import qaoa
from quantum.objectives import Mean
from quantum.simulator import Simulator
circuit, angles = qaoa(17, 2), np.array([0.3, 0.5, -0.2, 0.7])
energies = circuit.layers[0].diagonal.energies()
one, two = (Simulator(circuit, threads=threads) for threads in (1, 2))
np.testing.assert_array_equal(one.state(angles), two.state(angles))
a, b = (made.value_and_gradient(angles, energies, Mean()) for made in (one, two))
assert a[0] == b[0]
np.testing.assert_allclose(a[1], b[1], rtol=1e-12, atol=1e-12)
"""


@pytest.mark.slow
def test_threads_find_the_same() -> None:
    subprocess.run([sys.executable, "-c", THREADS], check=True, env={"NUMBA_NUM_THREADS": "2", "PYTHONPATH": "."})


def test_what_is_wrong_is_said() -> None:
    circuit, angles = random_circuit(0, 3)
    made, energies = Simulator(circuit), np.zeros(8)
    with pytest.raises(InputError, match="expected \\(5,\\)"):
        made.state(angles[:-1])
    with pytest.raises(InputError, match="finite"):
        made.expectation(np.full(ANGLES, np.nan), energies)
    with pytest.raises(InputError, match="batch"):
        made.expectations(angles, energies)
    with pytest.raises(InputError, match="energies"):
        made.value_and_gradient(angles, np.zeros(7), Mean())
    with pytest.raises(InputError, match="energies"):
        made.expectation(angles, np.zeros(8, np.float32))
    with pytest.raises(InputError, match="costate"):
        made.pullback(angles, lambda psi: psi[:2])
    with pytest.raises(InputError, match="shots"):
        made.sample(angles, -1, np.random.default_rng(0))
    with pytest.raises(InputError, match="precision"):
        Simulator(circuit, precision="half")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="threads"):
        Simulator(circuit, threads=0)
    with pytest.raises(SolverError, match="qubits"):
        Simulator(Circuit(31, (), 0, np.zeros(31)))


def test_layers_that_do_not_fit_are_refused() -> None:
    ising = random_ising(np.random.default_rng(0), 3)
    bad: list[tuple[Layer, str]] = [
        (Phase(ising, 2), "parameters"),
        (Phase(ising, np.zeros(2, np.int64)), "one for each term"),
        (Phase(Table(np.zeros(8)), np.zeros(3, np.int64)), "Ising"),
        (Phase(Table(np.zeros(4)), 0), "qubits"),
        (Rotation(np.tile(X, (2, 1)), np.zeros(2, np.int64)), "expected 3"),
    ]
    for layer, message in bad:
        with pytest.raises(InputError, match=message):
            Simulator(Circuit(3, (layer,), 1, np.zeros(3)))


def test_the_simulator_is_that_of_the_space() -> None:
    circuit = Circuit(2, (Reflection(0, 0),), 1, subspace=Subspace(((0, 1),), (1,)))
    with pytest.raises(InputError, match="SubspaceSimulator"):
        Simulator(circuit)
    assert type(simulator(circuit)).__name__ == "SubspaceSimulator"
    assert isinstance(simulator(qaoa(2, 1), precision="single"), Simulator)
