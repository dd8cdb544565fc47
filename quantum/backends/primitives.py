"""Any sampler that follows Qiskit's interface (`BaseSamplerV2`) as a backend."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import SolverError
from quantum.backends.base import Counts, checked_request
from quantum.backends.templates import Template, digest, template
from quantum.backends.transpiled import counts, counts_of, transpile
from quantum.circuits import Circuit

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.primitives import BaseSamplerV2, BitArray
    from qiskit.transpiler import Target

    from quantum.simulator import Simulator
    from quantum.subspace_simulator import SubspaceSimulator


class Transpiler:
    """Transpiles each structure of a circuit once, whatever its coefficients and angles.

    Args:
        name: Of the device, for messages.
        target: Its gates and connections; None where gates of all kinds run.
        level: Optimization level of Qiskit's transpiler, 0 to 3.
        gates: Instead of a target, names of gates.
    """

    def __init__(self, name: str, target: Target | None, level: int, gates: list[str] | None = None) -> None:
        self.name = name
        self.target = target
        self.level = level
        self.gates = gates
        self._made: dict[str, QuantumCircuit] = {}

    def __call__(self, circuit: Circuit) -> tuple[Template, QuantumCircuit]:
        """A circuit's template and what became of it.

        Raises:
            InputError: If a layer has no gates.
            SolverError: If the device has too few qubits.
        """
        held = None if self.target is None else self.target.num_qubits
        if held is not None and circuit.num_qubits > held:
            raise SolverError(f"the circuit has {circuit.num_qubits} qubits: {self.name} has {held}")
        made = template(circuit)
        key = digest(made.circuit)
        if key not in self._made:
            bare = made.circuit.to_qiskit(measure=True)
            self._made[key] = transpile(bare, self.level, target=self.target, basis_gates=self.gates)
        return made, self._made[key]


class TranspiledCircuit:
    """A circuit made ready for samplers, with everything but the sampling itself.

    Args:
        circuit: Ours.
        transpiler: Makes it ready.
    """

    simulator: Simulator | SubspaceSimulator | None = None

    def __init__(self, circuit: Circuit, transpiler: Transpiler) -> None:
        self.circuit = circuit
        self._name = transpiler.name
        self._on_device = transpiler.target is not None
        self._template, self.transpiled = transpiler(circuit)
        self._numbers = np.array([one.index for one in self.transpiled.parameters], dtype=np.int64)

    @cached_property
    def counts(self) -> Counts:
        """See `Compiled`."""
        return counts_of(self.transpiled) if self._on_device else counts(self.circuit)

    def pubs(self, angles: NDArray, shots: int, seed: int) -> list[tuple[QuantumCircuit, NDArray | None, int]]:
        """What samplers run: circuits, values [..., used parameters] and shots; see `Compiled.sample`.

        A circuit without parameters is repeated for the rows of a batch, as values of none have no rows.
        """
        angles = checked_request(angles, self.circuit.num_parameters, shots, seed)
        if self._numbers.size == 0:
            return [(self.transpiled, None, shots)] * (len(angles) if angles.ndim > 1 else 1)
        return [(self.transpiled, self._template.bind(angles)[..., self._numbers], shots)]


class SampledCircuit(TranspiledCircuit):
    """A circuit made ready for a sampler.

    Args:
        circuit: Ours.
        transpiler: Makes it ready.
        sampler: The sampler for a seed.
    """

    def __init__(self, circuit: Circuit, transpiler: Transpiler, sampler: Callable[[int], BaseSamplerV2]) -> None:
        super().__init__(circuit, transpiler)
        self._sampler = sampler

    def sample(self, angles: NDArray, shots: int, seed: int) -> NDArray:
        """See `Compiled`."""
        from qiskit.exceptions import QiskitError

        pubs = self.pubs(angles, shots, seed)
        try:
            bits = bits_of(self._sampler(seed).run(pubs).result(), shots)
        except (QiskitError, MemoryError) as error:
            qubits = self.circuit.num_qubits
            raise SolverError(f"{self._name} cannot sample {qubits} qubits: {reason(error)}") from error
        return bits.reshape(*np.shape(angles)[:-1], *bits.shape[1:])


class SamplerBackend:
    """A sampler of Qiskit's interface as a backend.

    Args:
        sampler: The sampler, whose seed then is its own affair, or a function that makes one from a seed.
        target: Gates and connections for which circuits are transpiled; None if it runs all.
        name: For tables and messages.
        noisy: Whether it simulates or has noise.
        level: Optimization level of Qiskit's transpiler, 0 to 3.
        gates: Instead of a target, names of gates.
    """

    def __init__(
        self,
        sampler: BaseSamplerV2 | Callable[[int], BaseSamplerV2],
        target: Target | None = None,
        *,
        name: str = "sampler",
        noisy: bool = True,
        level: int = 1,
        gates: list[str] | None = None,
    ) -> None:
        self.name = name
        self.noisy = noisy
        self._transpiler = Transpiler(name, target, level, gates)
        self._sampler: Callable[[int], BaseSamplerV2] = (
            (lambda seed: sampler) if hasattr(sampler, "run") else sampler
        )

    def compile(self, circuit: Circuit) -> SampledCircuit:
        """See `Backend`."""
        return SampledCircuit(circuit, self._transpiler, self._sampler)


def bits_of(result: Any, shots: int) -> NDArray:
    """[rows of angles, shots, q] uint8, the bits in a sampler's result; more shots than asked for are cut."""
    parts = []
    for one in result:
        measured: BitArray = one.data.meas
        bits = measured.to_bool_array(order="little")[..., :shots, :]
        parts.append(bits.reshape(-1, *bits.shape[-2:]))
    return np.concatenate(parts).astype(np.uint8)


def reason(error: Exception) -> str:
    """What an error says; Qiskit's put it in quotation marks otherwise."""
    return str(getattr(error, "message", error))
