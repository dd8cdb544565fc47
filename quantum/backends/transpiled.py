"""Transpilation, and the size of circuits after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from co_gym.errors import InputError
from quantum.backends.base import Counts
from quantum.circuits import Circuit

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import CouplingMap

BASIS = ("cz", "rz", "sx", "x")
"""Gates of IBM's Heron devices."""

TRANSPILER_SEED = 0

Coupling = Literal["heavy-hex"] | None


def transpile(made: QuantumCircuit, level: int, **target: Any) -> QuantumCircuit:
    """A circuit in the gates and on the connections of a target; the same every time.

    Args:
        made: The circuit, with parameters.
        level: Optimization level of Qiskit's transpiler, 0 to 3.
        target: What `generate_preset_pass_manager` takes: `target`, or `basis_gates` and `coupling_map`.

    Raises:
        InputError: If there is no such level.
    """
    from qiskit.transpiler import generate_preset_pass_manager

    if level not in (0, 1, 2, 3):
        raise InputError(f"optimization level {level}: expected 0, 1, 2 or 3")
    return generate_preset_pass_manager(level, seed_transpiler=TRANSPILER_SEED, **target).run(made)


def counts_of(made: QuantumCircuit) -> Counts:
    """The size of a circuit of Qiskit as it is."""
    gates = [one for one in made.data if one.operation.name not in ("barrier", "delay")]
    return Counts(
        qubits=len({qubit for one in gates for qubit in one.qubits}),
        two_qubit_gates=sum(len(one.qubits) == 2 for one in gates),
        depth=int(made.depth(lambda one: one.operation.name not in ("barrier", "delay", "measure"))),
    )


def counts(circuit: Circuit, coupling: Coupling = None, level: int = 1) -> Counts:
    """The size of a circuit in the gates cz, rz, sx and x: by this encodings are compared.

    Args:
        circuit: Ours.
        coupling: None for gates between all qubits, or the smallest heavy-hexagonal lattice that holds them
            (Chamberland et al. 2020), as on IBM's devices.
        level: Optimization level of Qiskit's transpiler, 0 to 3.

    Raises:
        InputError: If a layer has no gates, or for an unknown coupling or level.
    """
    if coupling not in (None, "heavy-hex"):
        raise InputError(f"coupling {coupling}: expected heavy-hex, or none")
    lattice = None if coupling is None else heavy_hex(circuit.num_qubits)
    made = circuit.to_qiskit(measure=True)
    return counts_of(transpile(made, level, basis_gates=list(BASIS), coupling_map=lattice))


def heavy_hex(num_qubits: int) -> CouplingMap:
    """The smallest heavy-hexagonal lattice with so many qubits; one of distance d has (5 d^2 - 2 d - 1) / 2."""
    from qiskit.transpiler import CouplingMap

    distance = 3
    while (5 * distance * distance - 2 * distance - 1) // 2 < num_qubits:
        distance += 2
    return CouplingMap.from_heavy_hex(distance)
