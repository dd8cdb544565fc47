from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from qiskit.providers.fake_provider import GenericBackendV2

from quantum.backends.noise import SimulatedDevice, noise_of, part_of, seeded
from quantum.backends.primitives import SamplerBackend
from quantum.circuits import Circuit
from tests.quantum.backends.conftest import SHOTS, assert_frequencies, frequencies

Case = tuple[Circuit, NDArray, NDArray]

LINE = [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]]


@pytest.fixture(scope="module")
def device() -> GenericBackendV2:
    """Six qubits in a line whose gates fail often."""
    made = GenericBackendV2(6, coupling_map=LINE, noise_info=True, seed=3)
    for where, properties in made.target["cx"].items():
        properties.error = 0.05
        made.target.update_instruction_properties("cx", where, properties)
    return made


def test_the_noise_of_all_qubits_is_that_of_aer(device: GenericBackendV2) -> None:
    from qiskit_aer.noise import NoiseModel

    assert noise_of(device.target, range(6)) == NoiseModel.from_backend(device)


def test_a_part_has_the_gates_and_the_noise_of_its_qubits_only(device: GenericBackendV2) -> None:
    part = part_of(device.target, {1, 2, 4})
    assert set(part["cx"]) == {(1, 2)}
    assert set(part["sx"]) == {(1,), (2,), (4,)}
    assert part["cx"][(1, 2)] == device.target["cx"][(1, 2)]
    assert noise_of(device.target, {1, 2, 4}).noise_qubits == [1, 2, 4]


def test_samples_have_the_noise_of_the_whole_device(device: GenericBackendV2, asymmetric: Case) -> None:
    from qiskit_aer import AerSimulator

    circuit, angles, expected = asymmetric
    whole = SamplerBackend(seeded(AerSimulator.from_backend(device)), device.target).compile(circuit)
    part = SimulatedDevice(device.target, "line").compile(circuit)
    shots = 5 * SHOTS
    reference = frequencies(whole.sample(angles, shots, seed=1))
    bits = part.sample(angles, shots, seed=2)
    assert np.abs(reference - expected).sum() > 0.15  # noise that is seen
    assert_frequencies(bits, reference, 0.005)
