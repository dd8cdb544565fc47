"""Noise of simulated devices, on the qubits that a circuit uses: that of a whole device takes seconds a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from quantum.backends.primitives import SampledCircuit, Transpiler
from quantum.circuits import Circuit

if TYPE_CHECKING:
    from qiskit.transpiler import Target
    from qiskit_aer.noise import NoiseModel


class SimulatedDevice:
    """A device with its gates, connections and noise, simulated by Aer.

    Gates have depolarizing errors and relaxation while they last, measurements errors of each qubit; qubits that
    wait have none.

    Args:
        target: Gates and connections, with their errors and durations.
        name: For tables and messages.
        level: Optimization level of Qiskit's transpiler, 0 to 3.
        threads: Threads of the simulation; 0 for all.
    """

    noisy = True

    def __init__(self, target: Target, name: str, level: int = 1, threads: int = 1) -> None:
        self.name = name
        self._target = target
        self._transpiler = Transpiler(name, target, level)
        self._threads = threads
        self._samplers: dict[frozenset[int], Callable[[int], Any]] = {}

    def compile(self, circuit: Circuit) -> SampledCircuit:
        """See `Backend`."""
        _, made = self._transpiler(circuit)
        where = {bit: number for number, bit in enumerate(made.qubits)}
        gates = (one for one in made.data if one.operation.name != "barrier")
        used = frozenset(where[bit] for gate in gates for bit in gate.qubits)
        if used not in self._samplers:
            self._samplers[used] = self._sampler(used)
        return SampledCircuit(circuit, self._transpiler, self._samplers[used])

    def _sampler(self, qubits: frozenset[int]) -> Callable[[int], Any]:
        from qiskit_aer import AerSimulator

        noise = noise_of(self._target, qubits)
        return seeded(AerSimulator(noise_model=noise, max_parallel_threads=self._threads))


def noise_of(target: Target, qubits: Iterable[int]) -> NoiseModel:
    """The noise of some qubits of a device and of the gates between them."""
    from qiskit_aer.noise import NoiseModel
    from qiskit_aer.noise.device import basic_device_gate_errors, basic_device_readout_errors

    part = part_of(target, set(qubits))
    made = NoiseModel(basis_gates=list(part.operation_names))
    for where, error in basic_device_readout_errors(target=part):
        made.add_readout_error(error, where)
    for name, where, error in basic_device_gate_errors(target=part):
        made.add_quantum_error(error, name, where)
    return made


def part_of(target: Target, qubits: set[int]) -> Target:
    """The gates of a target on some of its qubits, which keep their numbers."""
    from qiskit.transpiler import Target

    part = Target(num_qubits=target.num_qubits, dt=target.dt, qubit_properties=target.qubit_properties)
    for name in target.operation_names:
        places = target[name]
        kept = {where: one for where, one in places.items() if where is not None and qubits.issuperset(where)}
        if kept:
            part.add_instruction(target.operation_from_name(name), kept, name=name)
    return part


def seeded(simulator: Any) -> Callable[[int], Any]:
    """Samplers of a simulator of Aer by seed, of which Aer takes 31 bits."""
    from quantum.backends.worker import remote

    made = remote(simulator)
    return lambda seed: made(seed % 2**31)
