from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from co_gym.errors import InputError, SolverError
from quantum.backends import Backend, backend
from quantum.backends.primitives import SamplerBackend
from quantum.circuits import Circuit, Phase, uniform
from quantum.hamiltonians import Ising, Table, state_numbers
from tests.quantum.backends.conftest import SHOTS, assert_frequencies, by_definition

Case = tuple[Circuit, NDArray, NDArray]

EXACT = ("fast", "statevector", "aer", "aer:mps")
LOCAL = (*EXACT, "generic:5")


def noise_of(made: Backend) -> float:
    return 0.03 if made.noisy else 0.0


@pytest.mark.parametrize("name", LOCAL)
def test_shots_have_the_distribution_of_the_circuit_in_the_order_of_its_qubits(
    name: str, asymmetric: Case
) -> None:
    circuit, angles, expected = asymmetric
    flipped = expected.reshape([2] * 4).transpose().ravel()
    assert np.abs(flipped - expected).sum() > 0.5  # another order of qubits would be seen
    made = backend(name)
    assert (made.name, made.noisy) == (name, name not in EXACT)
    compiled = made.compile(circuit)
    bits = compiled.sample(angles, SHOTS, seed=1)
    assert bits.shape == (SHOTS, 4)
    assert bits.dtype == np.uint8
    assert_frequencies(bits, expected, noise_of(made))
    assert (compiled.simulator is None) == (name != "fast")


@pytest.mark.parametrize("name", LOCAL)
def test_circuits_in_subspaces_run_too(name: str, exchanging: Case) -> None:
    circuit, angles, expected = exchanging
    made = backend(name)
    assert_frequencies(made.compile(circuit).sample(angles, SHOTS, seed=2), expected, noise_of(made))


@pytest.mark.parametrize("name", LOCAL)
def test_rows_of_a_batch_are_sampled_independently_and_repeatably(name: str, asymmetric: Case) -> None:
    circuit, angles, expected = asymmetric
    made = backend(name)
    compiled = made.compile(circuit)
    rows = np.stack([angles, np.zeros(4), angles])
    bits = compiled.sample(rows, SHOTS, seed=3)
    assert bits.shape == (3, SHOTS, 4)
    assert_frequencies(bits[2], expected, noise_of(made))
    assert (bits[0] != bits[2]).any()
    assert np.array_equal(bits, made.compile(circuit).sample(rows, SHOTS, seed=3))
    assert (bits != compiled.sample(rows, SHOTS, seed=4)).any()


def with_coefficients(circuit: Circuit, factor: float) -> Circuit:
    layers = []
    for layer in circuit.layers:
        if isinstance(layer, Phase) and isinstance(layer.parameters, int):
            assert isinstance(layer.diagonal, Ising)
            layer = Phase(layer.diagonal.scaled(factor), layer.parameters)
        layers.append(layer)
    return replace(circuit, layers=tuple(layers))


def test_other_coefficients_are_not_transpiled_again(asymmetric: Case) -> None:
    circuit, angles, expected = asymmetric
    made = backend("aer")
    assert isinstance(made, SamplerBackend)
    other = with_coefficients(circuit, -1.7)
    first, second = made.compile(circuit), made.compile(other)
    assert second.transpiled is first.transpiled
    wanted = by_definition(other, angles)
    assert np.abs(wanted - expected).sum() > 0.2
    assert_frequencies(second.sample(angles, SHOTS, seed=5), wanted)


def test_a_circuit_of_sixty_qubits_runs_on_matrix_product_states() -> None:
    q = 60
    ising = Ising(0.0, np.zeros(q), np.array([[i, i + 1] for i in range(q - 1)]), np.ones(q - 1))
    initial = np.concatenate([np.full(20, np.pi), np.zeros(20), uniform(20)])
    compiled = backend("aer:mps").compile(Circuit(q, (Phase(ising, 0),), 1, initial))
    bits = compiled.sample(np.array([0.7]), 400, seed=0)
    assert bits[:, :20].all()
    assert not bits[:, 20:40].any()
    assert np.abs(bits[:, 40:].mean(axis=0) - 0.5).max() < 0.15


@pytest.mark.parametrize("name", LOCAL)
def test_a_circuit_without_parameters_runs_and_its_rows_are_independent(name: str) -> None:
    compiled = backend(name).compile(Circuit(2, (), 0, np.array([np.pi, np.pi / 2])))
    bits = compiled.sample(np.zeros((2, 0)), 500, seed=0)
    assert bits.shape == (2, 500, 2)
    assert (bits[:, :, 0].mean(axis=1) > 0.9).all()
    assert np.abs(bits[:, :, 1].mean(axis=1) - 0.5).max() < 0.12
    assert (bits[0] != bits[1]).any()
    assert compiled.sample(np.zeros(0), 500, seed=0).shape == (500, 2)


def test_any_sampler_of_qiskit_is_a_backend(asymmetric: Case) -> None:
    from qiskit.primitives import BackendSamplerV2, StatevectorSampler
    from qiskit.providers.fake_provider import GenericBackendV2

    circuit, angles, expected = asymmetric
    device = GenericBackendV2(4, coupling_map=[[0, 1], [1, 2], [2, 3]], seed=0)
    for made in (
        SamplerBackend(StatevectorSampler(seed=0)),
        SamplerBackend(
            lambda seed: BackendSamplerV2(backend=device, options={"seed_simulator": seed}), device.target
        ),
    ):
        assert_frequencies(made.compile(circuit).sample(angles, SHOTS, seed=1), expected, 0.03)


def test_phases_without_gates_are_refused_except_by_our_simulator() -> None:
    values = np.array([0.0, 1.0, 2.0, 5.0])
    circuit = Circuit(2, (Phase(Table(values), 0),), 1, uniform(2))
    for name in LOCAL[1:]:
        with pytest.raises(InputError, match="no gates"):
            backend(name).compile(circuit)
    compiled = backend("fast").compile(circuit)
    shares = np.bincount(state_numbers(compiled.sample(np.array([0.3]), 2000, seed=0)), minlength=4) / 2000
    assert np.abs(shares - 0.25).max() < 0.06
    with pytest.raises(InputError, match="no gates"):
        _ = compiled.counts


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fsat", "did you mean fast"),
        ("fast:2", "fast alone"),
        ("statevector:2", "statevector alone"),
        ("aer:mpz", "aer or aer:mps"),
        ("generic", "number of qubits"),
        ("generic:1", "number of qubits"),
        ("generic:x", "number of qubits"),
        ("ibm", "ibm:<device>"),
        ("fake", "unknown backend"),
    ],
)
def test_unknown_backends_are_refused(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        backend(spec)


def test_options_that_have_no_effect_are_refused() -> None:
    for name in LOCAL:
        for option in ({"decoupling": "XY4"}, {"twirl_gates": True}, {"mode": "session"}):
            with pytest.raises(InputError, match="runs locally"):
                backend(name, **option)
    with pytest.raises(InputError, match="did you mean level"):
        backend("aer", levle=2)
    with pytest.raises(InputError, match="optimization level 4"):
        backend("aer", level=4).compile(Circuit(2, (), 0, np.zeros(2)))


@pytest.mark.parametrize("name", ["fast", "statevector"])
def test_bad_requests_are_refused(name: str, asymmetric: Case) -> None:
    compiled = backend(name).compile(asymmetric[0])
    for angles in (np.zeros(3), np.zeros((2, 5)), np.zeros((1, 1, 4))):
        with pytest.raises(InputError, match="expected \\(4,\\) or"):
            compiled.sample(angles, 10, 0)
    with pytest.raises(InputError, match="not finite"):
        compiled.sample(np.array([0.0, 0.0, np.nan, 0.0]), 10, 0)
    with pytest.raises(InputError, match="at least 1 shot"):
        compiled.sample(np.zeros(4), 0, 0)


def test_circuits_that_are_too_large_are_refused() -> None:
    with pytest.raises(SolverError, match="3 qubits: generic:2 has 2"):
        backend("generic:2").compile(Circuit(3, (), 0, np.zeros(3)))
    compiled = backend("aer").compile(Circuit(45, (), 0, uniform(45)))
    with pytest.raises(SolverError, match="cannot sample 45 qubits"):
        compiled.sample(np.zeros(0), 10, 0)


@pytest.mark.skipif(importlib.util.find_spec("qiskit_ibm_runtime") is not None, reason="it is installed")
def test_without_the_extra_its_name_is_told() -> None:
    for spec in ("fake_torino", "ibm:ibm_torino"):
        with pytest.raises(InputError, match=r'pip install "co-gym-suite\[ibm\]"'):
            backend(spec)


def test_snapshots_of_devices_run_with_their_noise(asymmetric: Case) -> None:
    pytest.importorskip("qiskit_ibm_runtime")
    circuit, angles, expected = asymmetric
    made = backend("fake_manila")
    compiled = made.compile(circuit)
    bits = compiled.sample(angles, SHOTS, seed=1)
    assert_frequencies(bits, expected, 0.1)
    assert np.array_equal(bits, compiled.sample(angles, SHOTS, seed=1))
    assert compiled.counts.two_qubit_gates >= 12
    with pytest.raises(InputError, match="did you mean fake_manila"):
        backend("fake_manilla")
