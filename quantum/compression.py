"""What methods share that hold many variables in few qubits: ansatz, training, rounding, result.

A state stands for bits through expectation values of Pauli strings. The angles of a hardware-efficient circuit
are trained on a function of the state, or on several one after the other, with exact gradients, from several
starts; each trained state is rounded to bits, which local search improves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import SolverError
from quantum.circuits import FIXED, Circuit, Phase, Rotation
from quantum.hamiltonians import Ising, Quadratic
from quantum.refinement import Refinement
from quantum.training import Function, Training

if TYPE_CHECKING:
    from quantum.simulator import Simulator

MOST_QUBITS = 24
"""A state vector is not made for more."""

IsOver = Callable[[], bool]
OnStep = Callable[[int, float], None]
OnBits = Callable[[NDArray], None]
"""Told of bits [c, q] uint8."""


def never() -> bool:
    """For a search without a time limit."""
    return False


@dataclass(frozen=True, eq=False)
class Compressed:
    """What a compressing method found.

    Attributes:
        bits: [q] uint8, the best bits found.
        energy: Theirs.
        energy_before: The best energy found before local search.
        num_variables: q.
        num_qubits: Qubits that held them.
        num_parameters: Angles of the circuit; 0 without one.
        evaluations: Evaluations of the trained function with its gradient.
        losses: [evaluations] float64, values of that function, in their order, over all starts.
        runs: Trained states of which the bits were taken.
        interrupted: Whether `is_over` ended the search.
        bound: Proven lower bound of all energies; -inf where the method has none.
    """

    bits: NDArray
    energy: float
    energy_before: float
    num_variables: int
    num_qubits: int
    num_parameters: int
    evaluations: int
    losses: NDArray
    runs: int
    interrupted: bool
    bound: float = -np.inf


class Relaxed(Protocol):
    """A quadratic function of bits in terms of quantum states of fewer qubits."""

    @property
    def num_qubits(self) -> int:
        """Number of qubits, n."""

    def loss(self, state: NDArray) -> tuple[float, NDArray]:
        """What is minimized over states [2^n] complex, and the costate [2^n] complex.

        With a small change d of the state it changes by 2 Re <costate|d>.
        """

    def round(self, state: NDArray, rng: np.random.Generator, is_over: IsOver) -> NDArray:
        """[c, q] uint8, at least one candidate of bits for a state."""


@dataclass
class Best:
    """The best bits so far, before and after local search.

    Attributes:
        function: Energy.
        refinement: Local search.
        on_bits: Told of all candidates, before local search.
        bits: The best after it.
        energy: Theirs.
        energy_before: The best energy before it.
    """

    function: Quadratic | Ising
    refinement: Refinement
    on_bits: OnBits | None = None
    bits: NDArray = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    energy: float = np.inf
    energy_before: float = np.inf

    def offer(self, candidates: NDArray) -> None:
        """Takes the best of candidates [c, q], and improves it."""
        if self.on_bits is not None:
            self.on_bits(candidates)
        energies = self.function.energy(candidates)
        chosen = int(np.argmin(energies))
        self.energy_before = min(self.energy_before, float(energies[chosen]))
        refined = self.refinement(candidates[chosen])
        energy = float(self.function.energy(refined))
        if energy < self.energy:
            self.bits, self.energy = refined, energy


def brickwork(num_qubits: int, layers: int) -> Circuit:
    """Rotations of each qubit about y and z, entangling gates of neighbours on a ring, even and odd in turn.

    The gates are exp(-i pi/4 Z Z), up to rotations about z a controlled-Z; there is one more layer of rotations
    than of gates.
    """
    rotations = [np.tile(axis, (num_qubits, 1)) for axis in ([0.0, 1.0, 0.0], [0.0, 0.0, 1.0])]
    bricks = [_entangler(num_qubits, first) for first in (0, 1)]
    made: list[Phase | Rotation] = []
    numbers = np.arange(num_qubits)
    for layer in range(layers + 1):
        for part, axes in enumerate(rotations):
            made.append(Rotation(axes, numbers + (2 * layer + part) * num_qubits))
        if layer < layers and num_qubits > 1:
            made.append(bricks[layer % 2])
    return Circuit(num_qubits, tuple(made), 2 * (layers + 1) * num_qubits, np.zeros(num_qubits))


def _entangler(num_qubits: int, first: int) -> Phase:
    ring = [(a, a + 1) for a in range(num_qubits - 1)] + [(0, num_qubits - 1)] * (num_qubits % 2 == 0)
    where = np.array(ring[first::2] if num_qubits > 2 else ring[:1], dtype=np.int64)
    return Phase(Ising(0.0, np.zeros(num_qubits), where, np.full(len(where), np.pi / 4)), FIXED)


def checked_qubits(num_qubits: int, method: str) -> int:
    """So many qubits.

    Raises:
        SolverError: If there are more than a simulator holds.
    """
    if num_qubits > MOST_QUBITS:
        raise SolverError(f"{method} needs {num_qubits} qubits: the simulator holds at most {MOST_QUBITS}")
    return num_qubits


def train(
    stages: Sequence[Relaxed],
    best: Best,
    layers: int,
    *,
    steps: int,
    seed: int,
    on_step: OnStep | None = None,
    is_over: IsOver = never,
) -> Compressed:
    """Minimizes losses over the angles of a brickwork circuit, from new random angles until the steps are used.

    Args:
        stages: Losses and their rounding, of as many qubits. Angles go from one to the next, and each rounds.
        best: Keeps the bits.
        layers: Of the circuit.
        steps: Evaluations of loss and gradient, at least 1.
        seed: Of angles and rounding.
        on_step: Called after each evaluation with its number, from 1 on, and the loss.
        is_over: Asked after each evaluation, and during rounding; what was found until then is returned.

    Raises:
        InputError: If there are no steps.
    """
    from quantum.simulator import Simulator

    circuit = brickwork(stages[0].num_qubits, layers)
    simulator, rng = Simulator(circuit), np.random.default_rng(seed)
    functions = [_function(simulator, stage) for stage in stages]
    training = Training(functions, circuit.num_parameters, steps, on_step, is_over)
    runs = 0
    for angles in training.runs(rng):
        best.offer(stages[runs % len(stages)].round(simulator.state(angles), rng, is_over))
        runs += 1
    return Compressed(
        bits=best.bits,
        energy=best.energy,
        energy_before=best.energy_before,
        num_variables=best.bits.size,
        num_qubits=circuit.num_qubits,
        num_parameters=circuit.num_parameters,
        evaluations=len(training.losses),
        losses=np.array(training.losses),
        runs=runs,
        interrupted=training.interrupted,
    )


def _function(simulator: Simulator, stage: Relaxed) -> Function:
    def value_and_gradient(angles: NDArray) -> tuple[float, NDArray]:
        value = np.inf

        def costate(state: NDArray) -> NDArray:
            nonlocal value
            value, made = stage.loss(state)
            return made

        gradient = simulator.pullback(angles, costate)
        return value, gradient

    return value_and_gradient
