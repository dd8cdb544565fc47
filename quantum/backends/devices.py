"""Qiskit's simulators, and devices that are simulated with their noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from co_gym.errors import InputError, unknown_name
from quantum.backends.base import no_argument
from quantum.backends.noise import SimulatedDevice, seeded
from quantum.backends.primitives import SamplerBackend

if TYPE_CHECKING:
    from qiskit.primitives import BaseSamplerV2
    from qiskit.providers import BackendV2

METHODS = {"": "statevector", "mps": "matrix_product_state"}
"""Of Aer, by our names."""

GATES = ("x", "sx", "h", "rx", "ry", "rz", "p", "cx", "cz", "cp", "rzz", "rxx", "ryy", "swap", "ccx")
"""That Aer's methods run as they are."""


def statevector(argument: str = "", level: int = 1) -> SamplerBackend:
    """Qiskit's reference simulator, `StatevectorSampler`."""
    from qiskit.primitives import StatevectorSampler

    no_argument("statevector", argument)

    def sampler(seed: int) -> BaseSamplerV2:
        return StatevectorSampler(seed=np.random.default_rng(seed))  # of a number, it would make rows alike

    return SamplerBackend(sampler, name="statevector", noisy=False, level=level)


def aer(argument: str = "", level: int = 1, threads: int = 1) -> SamplerBackend:
    """Aer's simulator without noise.

    Args:
        argument: Nothing for a state vector, `mps` for a matrix product state.
        level: Optimization level of Qiskit's transpiler, 0 to 3.
        threads: Threads of Aer; 0 for all.

    Raises:
        InputError: If there is no such method.
    """
    from qiskit_aer import AerSimulator

    if argument not in METHODS:
        raise InputError(f"backend aer:{argument}: expected aer or aer:mps")
    simulator = AerSimulator(method=METHODS[argument], max_parallel_threads=threads)
    name = f"aer:{argument}" if argument else "aer"
    return SamplerBackend(seeded(simulator), name=name, noisy=False, level=level, gates=list(GATES))


def generic(argument: str, seed: int = 0, level: int = 1, threads: int = 1) -> SimulatedDevice:
    """A made-up device with noise and gates between all qubits, `GenericBackendV2`.

    Args:
        argument: How many qubits it has.
        seed: Of its error rates.
        level: Optimization level of Qiskit's transpiler, 0 to 3.
        threads: Threads of the simulation; 0 for all.

    Raises:
        InputError: If that is no number of qubits.
    """
    from qiskit.providers.fake_provider import GenericBackendV2

    if not argument.isdecimal() or int(argument) < 2:
        raise InputError(f"backend generic:{argument}: expected a number of qubits from 2 on, such as generic:8")
    device = GenericBackendV2(int(argument), noise_info=True, seed=seed)
    return SimulatedDevice(device.target, f"generic:{argument}", level, threads)


def fake(argument: str, level: int = 3, threads: int = 1) -> SimulatedDevice:
    """A snapshot of a device of IBM with its connections and noise.

    Args:
        argument: Its name, such as `fake_torino`.
        level: Optimization level of Qiskit's transpiler, 0 to 3.
        threads: Threads of the simulation; 0 for all.

    Raises:
        InputError: If there is none of that name, or qiskit-ibm-runtime is not installed.
    """
    known = fake_devices()
    if argument not in known:
        raise unknown_name("device", argument, list(known))
    return SimulatedDevice(known[argument]().target, argument, level, threads)


def fake_devices() -> dict[str, type[BackendV2]]:
    """Classes of IBM's snapshots by name.

    Raises:
        InputError: If qiskit-ibm-runtime is not installed.
    """
    runtime_module()
    from qiskit_ibm_runtime import fake_provider
    from qiskit_ibm_runtime.fake_provider.fake_backend import FakeBackendV2

    classes: list[Any] = [one for one in vars(fake_provider).values() if isinstance(one, type)]
    return {one.backend_name: one for one in classes if issubclass(one, FakeBackendV2) and one.backend_name}


def runtime_module() -> Any:
    """The package qiskit_ibm_runtime.

    Raises:
        InputError: If it is not installed.
    """
    try:
        import qiskit_ibm_runtime
    except ImportError as error:
        raise InputError(
            'devices of IBM and their snapshots need qiskit-ibm-runtime: pip install "co-gym-suite[ibm]"'
        ) from error
    return qiskit_ibm_runtime
