"""Any circuit of Qiskit with unitary gates, compiled once for our state vector and run at many parameters.

Every gate on one or two qubits is a sum of constant matrices times exp(i w x), x its angles: the matrices follow
from Qiskit's own ones at a few angles by a discrete Fourier transform. Larger gates are decomposed by Qiskit.
Neighbouring gates become blocks, and diagonal blocks that commute with what lies between them become sweeps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, ControlFlowOp, Operation, ParameterExpression
from qiskit.exceptions import QiskitError

from co_gym.errors import InputError
from quantum.gate_blocks import Gate, Schedule, schedule
from quantum.kernels import gates as kernels

MOST_QUBITS = 28
"""A state vector is not made for more."""

POINTS = 5
"""Angles per period of 4 pi at which matrices are taken: enough for exp(i w x) with w = -1, -1/2, ..., 1."""

MOST_ANGLES = 3
"""Gates with more free angles are decomposed."""


class GateProgram:
    """A compiled circuit.

    Attributes:
        num_qubits: q.
        measured: Qubit of each classical bit that is measured into, by the bit's number.
    """

    def __init__(self, circuit: QuantumCircuit) -> None:
        """Compiles a circuit.

        Args:
            circuit: Of unitary gates; measurements come last.

        Raises:
            InputError: If it has too many qubits, or anything else than that.
        """
        if circuit.num_qubits > MOST_QUBITS:
            raise InputError(
                f"the circuit has {circuit.num_qubits} qubits: a state vector holds at most {MOST_QUBITS}"
            )
        reader = _Reader(circuit.num_qubits)
        reader.read(circuit, list(range(circuit.num_qubits)), list(range(circuit.num_clbits)))
        self.num_qubits = circuit.num_qubits
        self.measured = reader.measured
        self._angles = _Angles(list(reader.angles), list(circuit.parameters))
        self._schedule = schedule(reader.gates, circuit.num_qubits, len(reader.angles))

    def state(self, values: NDArray) -> tuple[NDArray, NDArray]:
        """Real and imaginary parts of the amplitudes, up to a global phase.

        Args:
            values: [P] float64, of the circuit's parameters in their order.

        Returns:
            [2^q] float64 each.
        """
        plan: Schedule = self._schedule
        found = kernels.matrices(self._angles(values), *plan.terms)
        blocks, owners, first, second = plan.diagonal
        ratios = kernels.sweep_tables(found[blocks], owners, first, second, plan.num_sweeps, self.num_qubits)
        vectors = np.zeros((self.num_qubits, 2), dtype=np.complex128)
        vectors[:, 0] = 1.0
        vectors[plan.initial[1]] = found[plan.initial[0], :2, 0]
        re, im = np.empty(1 << self.num_qubits), np.empty(1 << self.num_qubits)
        kernels.product_state(vectors, re, im)
        kernels.execute(re, im, plan.operations, found, ratios)
        return re, im


class _Angles:
    """Angles of gates from values of parameters."""

    def __init__(self, expressions: list[ParameterExpression], parameters: list[Any]) -> None:
        numbers = {parameter: i for i, parameter in enumerate(parameters)}
        self._parameters = parameters
        self._slopes = np.zeros((len(expressions), len(parameters)))
        self._offsets = np.zeros(len(expressions))
        self._others: list[tuple[int, ParameterExpression]] = []
        for i, expression in enumerate(expressions):
            slopes = {p: expression.gradient(p) for p in expression.parameters}
            if any(isinstance(slope, ParameterExpression | complex) for slope in slopes.values()):
                self._others.append((i, expression))
                continue
            self._offsets[i] = expression.bind(dict.fromkeys(slopes, 0.0)).numeric()
            for parameter, slope in slopes.items():
                self._slopes[i, numbers[parameter]] = slope

    def __call__(self, values: NDArray) -> NDArray:
        angles = self._slopes @ values + self._offsets
        if self._others:
            bound = dict(zip(self._parameters, values.tolist(), strict=True))
            for i, expression in self._others:
                angles[i] = expression.bind({p: bound[p] for p in expression.parameters}).numeric()
        return angles


@dataclass
class _Reader:
    """Flattens a circuit into gates on one and two qubits."""

    num_qubits: int
    gates: list[Gate] = field(default_factory=list)
    angles: dict[ParameterExpression, int] = field(default_factory=dict)
    measured: dict[int, int] = field(default_factory=dict)
    forms: dict[Any, tuple[NDArray, NDArray] | None] = field(default_factory=dict)

    def read(self, circuit: QuantumCircuit, qubits: list[int], bits: list[int]) -> None:
        """Adds what a circuit on the given qubits and classical bits does."""
        for item in circuit.data:
            where = [qubits[circuit.find_bit(one).index] for one in item.qubits]
            into = [bits[circuit.find_bit(one).index] for one in item.clbits]
            operation = item.operation
            if operation.name in ("barrier", "delay") or not (where or into):
                continue
            if operation.name == "measure":
                self.measured[into[0]] = where[0]
            elif not self._add(operation, where):
                self.read(_definition(operation), where, into)

    def _add(self, operation: Operation, where: list[int]) -> bool:
        """Whether the operation was added as a gate."""
        if isinstance(operation, ControlFlowOp) or operation.name in ("reset", "store"):
            raise InputError(f"the circuit has {operation.name!r}: expected unitary gates, and measurements last")
        free = [one for one in getattr(operation, "params", []) if isinstance(one, ParameterExpression)]
        if len(where) > 2 or not where or len(free) > MOST_ANGLES:
            return False
        form = self._form(operation, free)
        if form is None:
            return False
        late = sorted(set(where) & set(self.measured.values()))
        if late:
            raise InputError(
                f"{operation.name!r} comes after a measurement of qubit {late[0]}: expected measurements last"
            )
        numbers = [self.angles.setdefault(one, len(self.angles)) for one in free]
        self.gates.append(Gate(tuple(where), numbers, *form))
        return True

    def _form(self, operation: Operation, free: list[ParameterExpression]) -> tuple[NDArray, NDArray] | None:
        if not free:
            matrix = _matrix(operation)
            return None if matrix is None else (np.zeros((1, 0)), matrix[None])
        fixed = tuple(None if isinstance(one, ParameterExpression) else one for one in operation.params)
        key = (type(operation), operation.name, fixed, getattr(operation, "ctrl_state", None))
        if key not in self.forms:
            self.forms[key] = _fourier(operation, len(free))
        return self.forms[key]


def _definition(operation: Operation) -> QuantumCircuit:
    """What an operation consists of."""
    found = None if isinstance(operation, AnnotatedOperation) else getattr(operation, "definition", None)
    if found is not None:
        return found
    alone = QuantumCircuit(operation.num_qubits, operation.num_clbits)
    alone.append(operation, alone.qubits, alone.clbits)
    made = alone.decompose()
    if any(item.operation.name == operation.name for item in made.data):
        raise InputError(f"{operation.name!r} is no unitary gate, and Qiskit has no definition of it by gates")
    return made


def _matrix(operation: Operation) -> NDArray | None:
    """[D, D] complex128, None where Qiskit knows no matrix but a definition."""
    if not hasattr(operation, "to_matrix"):
        return None
    try:
        return np.asarray(operation.to_matrix(), dtype=np.complex128)
    except QiskitError:
        return None


def _fourier(operation: Operation, count: int) -> tuple[NDArray, NDArray] | None:
    """Weights [T, count] and matrices [T, D, D] of exp(i weights . angles); None if there is no such form."""

    def at(angles: NDArray) -> NDArray | None:
        values = iter(angles.tolist())
        gate = operation.to_mutable()
        gate.params = [next(values) if isinstance(one, ParameterExpression) else one for one in operation.params]
        return _matrix(gate)

    indices = np.array(list(np.ndindex(*(POINTS,) * count)))
    check = np.sqrt(np.arange(2.0, 2.0 + count))
    expected, samples = at(check), [at(4.0 * np.pi / POINTS * point) for point in indices]
    if expected is None or any(one is None for one in samples):
        return None
    weights = (indices - POINTS // 2) / 2.0
    waves = np.exp(-1j * weights @ (4.0 * np.pi / POINTS * indices.T)) / len(indices)
    factors = np.einsum("ts,sij->tij", waves, np.array(samples))
    kept = np.abs(factors).max(axis=(1, 2)) > 1e-14
    made = np.einsum("t,tij->ij", np.exp(1j * weights[kept] @ check), factors[kept])
    return (weights[kept], factors[kept]) if np.allclose(made, expected, atol=1e-12) else None
