"""Our circuits as circuits of Qiskit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import PhaseGate, RYGate, XXPlusYYGate

from co_gym.errors import InputError
from quantum.circuits import FIXED, Circuit, Exchange, Phase, Reflection, Rotation, Subspace
from quantum.hamiltonians import Ising


def build(circuit: Circuit, measure: bool = False) -> QuantumCircuit:
    """A circuit of Qiskit whose parameters, in the order of `t`, are those of ours; equal up to a global phase.

    Args:
        circuit: Ours.
        measure: Whether all qubits are measured at its end.

    Raises:
        InputError: If a phase is no quadratic Hamiltonian: there are no gates for it.
    """
    made = QuantumCircuit(circuit.num_qubits)
    angles = ParameterVector("t", circuit.num_parameters)
    if circuit.subspace is None:
        for qubit, angle in enumerate(circuit.initial.tolist()):
            if angle:
                made.ry(angle, qubit)
    else:
        for register, ones in zip(circuit.subspace.registers, circuit.subspace.ones, strict=True):
            made.compose(dicke(len(register), ones), register, inplace=True)
    for layer in circuit.layers:
        if isinstance(layer, Phase):
            _phase(made, layer, angles)
        elif isinstance(layer, Rotation):
            _rotation(made, layer, angles)
        elif isinstance(layer, Exchange):
            for a, b in layer.pairs.tolist():
                made.append(XXPlusYYGate(2.0 * angles[layer.parameter]), [a, b])
        else:
            assert circuit.subspace is not None
            _reflection(made, layer, circuit.subspace, angles)
    if measure:
        made.measure_all()
    return made


def dicke(num_qubits: int, ones: int) -> QuantumCircuit:
    """Prepares the equal superposition of all states with so many ones (Bärtschi and Eidenbenz 2019)."""
    made = QuantumCircuit(num_qubits, name=f"dicke({num_qubits}, {ones})")
    if ones:
        made.x(range(num_qubits - ones, num_qubits))
    for size in range(num_qubits, 1, -1):
        for moved in range(1, min(ones, size - 1) + 1):
            _split(made, size, moved)
    return made


def _split(made: QuantumCircuit, size: int, moved: int) -> None:
    """One step of split and cyclic shift: an angle of share moved / size on the last qubit of `size`."""
    last, target = size - 1, size - moved - 1
    angle = 2.0 * np.arccos(np.sqrt(moved / size))
    made.cx(target, last)
    if moved == 1:
        made.cry(angle, last, target)
    else:
        made.append(RYGate(angle).control(2, annotated=False), [last, target + 1, target])
    made.cx(target, last)


def _parameter(angles: ParameterVector, number: int) -> Any:
    return 1.0 if number == FIXED else angles[number]


def _phase(made: QuantumCircuit, layer: Phase, angles: ParameterVector) -> None:
    diagonal = layer.diagonal
    if not isinstance(diagonal, Ising):
        raise InputError(
            f"a phase by {type(diagonal).__name__} has no gates: choose an encoding with a quadratic Hamiltonian"
        )
    q = diagonal.num_qubits
    numbers = np.broadcast_to(np.asarray(layer.parameters), (q + diagonal.couplings.size,)).tolist()
    for qubit, value in enumerate(diagonal.fields.tolist()):
        if value:
            made.rz(2.0 * value * _parameter(angles, numbers[qubit]), qubit)
    for t, ((a, b), value) in enumerate(zip(diagonal.pairs.tolist(), diagonal.couplings.tolist(), strict=True)):
        if value:
            made.rzz(2.0 * value * _parameter(angles, numbers[q + t]), a, b)


def _rotation(made: QuantumCircuit, layer: Rotation, angles: ParameterVector) -> None:
    for qubit, (axis, number) in enumerate(zip(layer.axes, layer.parameters.tolist(), strict=True)):
        angle = layer.scale * _parameter(angles, number)
        around = _named(axis)
        if around is not None:
            getattr(made, f"r{around}")(angle, qubit)
            continue
        tilt, turn = float(np.arccos(np.clip(axis[2], -1.0, 1.0))), float(np.arctan2(axis[1], axis[0]))
        made.rz(-turn, qubit)
        made.ry(-tilt, qubit)
        made.rz(angle, qubit)
        made.ry(tilt, qubit)
        made.rz(turn, qubit)


def _named(axis: NDArray) -> str | None:
    for name, unit in zip("xyz", np.eye(3), strict=True):
        if np.array_equal(axis, unit):
            return name
    return None


def _reflection(made: QuantumCircuit, layer: Reflection, space: Subspace, angles: ParameterVector) -> None:
    """Undo the preparation, a phase on |0...0>, and prepare again."""
    register, ones = space.registers[layer.register], space.ones[layer.register]
    prepare = dicke(len(register), ones)
    made.compose(prepare.inverse(), register, inplace=True)
    made.x(register)
    gate = PhaseGate(-angles[layer.parameter])
    made.append(gate.control(len(register) - 1, annotated=False) if len(register) > 1 else gate, list(register))
    made.x(register)
    made.compose(prepare, register, inplace=True)
