"""Our simulator as a backend."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quantum.backends.base import Counts, checked_request, no_argument
from quantum.backends.transpiled import Coupling, counts
from quantum.circuits import Circuit

if TYPE_CHECKING:
    from quantum.simulator import Precision, Simulator
    from quantum.subspace_simulator import SubspaceSimulator


class SimulatedCircuit:
    """A circuit in our simulator.

    Args:
        circuit: Ours.
        simulator: Of this circuit.
        coupling: Connections of the device for which gates are counted, see `transpiled.counts`.
        level: Optimization level of Qiskit's transpiler for it.
    """

    def __init__(
        self, circuit: Circuit, simulator: Simulator | SubspaceSimulator, coupling: Coupling, level: int
    ) -> None:
        self.circuit = circuit
        self.simulator: Simulator | SubspaceSimulator | None = simulator
        self._run = simulator
        self._coupling = coupling
        self._level = level

    @cached_property
    def counts(self) -> Counts:
        """See `Compiled`."""
        return counts(self.circuit, self._coupling, self._level)

    def sample(self, angles: NDArray, shots: int, seed: int) -> NDArray:
        """See `Compiled`."""
        angles = checked_request(angles, self.circuit.num_parameters, shots, seed)
        rng = np.random.default_rng(seed)
        if angles.ndim == 1:
            return self._run.sample(angles, shots, rng)
        bits = np.empty((len(angles), shots, self.circuit.num_qubits), dtype=np.uint8)
        for row, some in enumerate(angles):
            bits[row] = self._run.sample(some, shots, rng)
        return bits


class Fast:
    """Our simulator, exact and with gradients.

    Args:
        argument: Nothing.
        coupling: None to count gates between all qubits, or `heavy-hex`.
        level: Optimization level of Qiskit's transpiler when gates are counted, 0 to 3.
        precision: See `quantum.simulator.simulator`.
        threads: See there.

    Raises:
        InputError: If there is an argument.
    """

    name = "fast"
    noisy = False

    def __init__(
        self,
        argument: str = "",
        coupling: Coupling = None,
        level: int = 1,
        precision: Precision = "double",
        threads: int = 1,
    ) -> None:
        no_argument("fast", argument)
        self._coupling = coupling
        self._level = level
        self._precision = precision
        self._threads = threads

    def compile(self, circuit: Circuit) -> SimulatedCircuit:
        """See `Backend`."""
        from quantum.simulator import simulator

        made = simulator(circuit, precision=self._precision, threads=self._threads)
        return SimulatedCircuit(circuit, made, self._coupling, self._level)
