"""Runs of equal layers: what the compiled loops work off in one call, forward and backward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.circuits import FIXED, Circuit, Phase, Rotation
from quantum.diagonals import Entry, compact, padded
from quantum.hamiltonians import Diagonal, Ising
from quantum.passes import Passes, halved
from quantum.states import Layout, State

NONE = -2
"""In place of a parameter's number: the angle is 0."""

X_AXIS = 1e-15
"""How far an axis may be from x to be taken for it."""


@dataclass(eq=False)
class Run:
    """Layers of a phase and rotations, all with the same Hamiltonian and rotations of the same kind.

    Attributes:
        diagonal: What phases are by; None for no phase, or if the phase has a parameter for each term.
        terms: The phase with a parameter for each term, of a run of one layer.
        phases: [L] numbers of the parameters of phases.
        rotations: [L, q] numbers of the parameters of rotations.
        scales: [L] their factors.
        axes: [L, q, 3] float64; None for all x.
    """

    diagonal: Entry | None
    terms: Phase | None
    phases: NDArray
    rotations: NDArray
    scales: NDArray
    axes: NDArray | None

    def joined(self, other: Run) -> Run | None:
        """Both, one after the other, if they can be one run."""
        together = self.diagonal is other.diagonal and self.terms is None and other.terms is None
        if not together or (self.axes is None) != (other.axes is None):
            return None
        axes = None if self.axes is None or other.axes is None else np.concatenate([self.axes, other.axes])
        parts = [np.concatenate([getattr(self, a), getattr(other, a)]) for a in ("phases", "rotations", "scales")]
        return Run(self.diagonal, None, parts[0], parts[1], parts[2], axes)

    def _table(self, angles: NDArray, layout: Layout) -> tuple[tuple[Any, ...], NDArray]:
        """The diagonal of the loops, and the angles of phases [L]."""
        if self.terms is None:
            return self.diagonal or (), angles[self.phases]
        ising = self.terms.diagonal
        assert isinstance(ising, Ising)
        factors, q = angles[self.terms.parameters], ising.num_qubits
        bound = Ising(0.0, ising.fields * factors[:q], ising.pairs, ising.couplings * factors[q:])
        return (padded(bound.energies(), layout.size), 1.0, 0.0), np.ones(1)

    def _moves(
        self, angles: NDArray, passes: Passes, dtype: type, sign: float
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Moves, factors of the state [L'] and the layer [L'] of each."""
        halves = (0.5 * self.scales)[:, None] * angles[self.rotations]
        if self.axes is not None:
            count = halves.shape[0]
            return passes.matrices(sign * halves, self.axes, dtype), np.ones(count), np.arange(count)
        tangents, layers = halved(np.tan(halves), halves)
        return passes.tangents(sign * tangents, dtype), (1.0 + tangents**2).prod(axis=1) ** -0.5, layers

    def forward(self, angles: NDArray, state: State, layout: Layout) -> None:
        """Apply it to a state, with the angles [P + 2] of all parameters, then 0 and 1."""
        from quantum.kernels import layers

        table, phases = self._table(angles, layout)
        moves, factors, numbers = self._moves(angles, layout.forward, layout.dtype, 1.0)
        go = layers.forward if layout.threads == 1 else layers.forward_threads
        passes = layout.forward
        go(state.real, state.imag, table, _once(phases, numbers), factors, moves, passes.plan, passes.bits)

    def backward(
        self, angles: NDArray, state: State, costate: State, layout: Layout, keep: bool, gradient: NDArray
    ) -> None:
        """Undo it on a state and its costate, adding to the gradient [P + 2].

        Args:
            angles: [P + 2] float64, of all parameters, then 0 and 1.
            state: What it made; becomes what it was before.
            costate: Derivative by the state; becomes that by the state before.
            layout: Of both.
            keep: Whether both are needed any longer.
            gradient: Out.
        """
        from quantum.kernels import adjoints

        table, phases = self._table(angles, layout)
        moves, factors, numbers = self._moves(angles, layout.backward, layout.dtype, -1.0)
        passes, each = layout.backward, 1 if self.axes is None else 3
        sums = np.zeros((numbers.size, 1 + each * passes.qubits.size))
        used = table if self.terms is None else ()
        go = adjoints.backward if layout.threads == 1 else adjoints.backward_threads
        go(
            state.real, state.imag, costate.real, costate.imag, used, _once(phases, numbers), factors, moves,
            passes.plan, passes.bits, keep or self.terms is not None, sums,
        )  # fmt: skip
        self._collect(sums, moves, numbers, passes, table, gradient)
        if self.terms is not None:
            _undo_terms(self.terms, table, state, costate, gradient)

    def _collect(
        self, sums: NDArray, moves: NDArray, numbers: NDArray, passes: Passes, table: tuple, gradient: NDArray
    ) -> None:
        if self.axes is None:
            phases, qubits = passes.slopes(sums, moves)
        else:
            phases, qubits = sums[:, 0], np.einsum("lqc,lqc->lq", passes.by_qubit(sums[:, 1:]), self.axes)
        parts = np.bincount(numbers)[numbers]
        first = np.append(True, numbers[1:] != numbers[:-1])
        np.add.at(gradient, self.rotations[numbers], (self.scales[numbers] / parts)[:, None] * qubits)
        if table and self.terms is None:
            np.add.at(gradient, self.phases[numbers], 2.0 * table[1] * np.where(first, phases, 0.0))


def _once(phases: NDArray, numbers: NDArray) -> NDArray:
    """[L'] angles of phases where layers are in parts: that of the first part, then 0."""
    if numbers.size == phases.size:
        return phases
    return np.where(np.append(True, numbers[1:] != numbers[:-1]), phases[numbers], 0.0)


def _undo_terms(phase: Phase, table: tuple, state: State, costate: State, gradient: NDArray) -> None:
    """A phase with a parameter for each term, whose overlaps with all terms are found at once."""
    from quantum.kernels.layers import phase_alone
    from quantum.kernels.reductions import moments, overlaps

    ising = phase.diagonal
    assert isinstance(ising, Ising)
    q = ising.num_qubits
    weights, first, second = np.empty(1 << q), np.empty(q), np.zeros((q, q))
    overlaps(state.real, state.imag, costate.real, costate.imag, weights)
    moments(weights, first, second)
    slopes = np.concatenate([ising.fields * first, ising.couplings * second[ising.pairs[:, 0], ising.pairs[:, 1]]])
    np.add.at(gradient, phase.parameters, 2.0 * slopes)
    for one in (state, costate):
        phase_alone(one.real, one.imag, table, -1.0)


def compile_runs(circuit: Circuit, layout: Layout) -> list[Run]:
    """The layers of a circuit as few runs.

    Args:
        circuit: In the full space.
        layout: Of its state.

    Raises:
        InputError: If a layer's shape does not fit, or a table has a parameter for each term.
    """
    tables: dict[int, Entry] = {}
    runs: list[Run] = []
    layers = list(circuit.layers)
    while layers:
        phase = layers.pop(0) if isinstance(layers[0], Phase) else None
        rotation = layers.pop(0) if layers and isinstance(layers[0], Rotation) else None
        assert phase is None or isinstance(phase, Phase)
        assert rotation is None or isinstance(rotation, Rotation)
        run = _run(phase, rotation, circuit, layout, tables)
        joined = runs[-1].joined(run) if runs else None
        if joined is None:
            runs.append(run)
        else:
            runs[-1] = joined
    return runs


def _run(
    phase: Phase | None, rotation: Rotation | None, circuit: Circuit, layout: Layout, tables: dict[int, Entry]
) -> Run:
    q = circuit.num_qubits
    rotations, scale, axes = np.full((1, q), NONE), 1.0, None
    if rotation is not None:
        rotations, scale = np.asarray(rotation.parameters, dtype=np.int64).reshape(1, -1), rotation.scale
        axes = np.asarray(rotation.axes, dtype=np.float64)
        if rotations.shape != (1, q) or axes.shape != (q, 3):
            raise InputError(
                f"a rotation has {rotations.size} parameters and axes {axes.shape}: expected {q} of each"
            )
        _check_numbers(rotations, circuit)
        axes = None if np.abs(axes - [1.0, 0.0, 0.0]).max() <= X_AXIS else axes[None]
    common, diagonal, terms = NONE, None, None
    if phase is not None:
        if phase.diagonal.num_qubits != q:
            raise InputError(f"a phase acts on {phase.diagonal.num_qubits} qubits: expected {q}")
        _check_numbers(np.asarray(phase.parameters), circuit)
        if np.ndim(phase.parameters):
            terms = _phase_of_terms(phase)
        else:
            common = int(phase.parameters)
            diagonal = _entry(phase.diagonal, layout, tables)
    return Run(diagonal, terms, np.array([common]), rotations, np.array([scale]), axes)


def _entry(diagonal: Diagonal, layout: Layout, tables: dict[int, Entry]) -> Entry:
    if id(diagonal) not in tables:
        tables[id(diagonal)] = compact(diagonal, layout.size)
    return tables[id(diagonal)]


def _phase_of_terms(phase: Phase) -> Phase:
    if not isinstance(phase.diagonal, Ising):
        raise InputError("a phase with a parameter for each term: expected an Ising Hamiltonian")
    expected = (phase.diagonal.num_qubits + phase.diagonal.couplings.size,)
    if np.shape(phase.parameters) != expected:
        raise InputError(
            f"a phase has parameters {np.shape(phase.parameters)}: expected {expected}, one for each term"
        )
    return phase


def _check_numbers(numbers: NDArray, circuit: Circuit) -> None:
    if numbers.size and not FIXED <= numbers.min() <= numbers.max() < circuit.num_parameters:
        raise InputError(
            f"a layer has parameters {numbers.min()} to {numbers.max()}: the circuit has {circuit.num_parameters}"
        )
