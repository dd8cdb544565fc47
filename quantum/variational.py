"""QAOA and VQE on one instance: multipliers, encoding, circuit, tuning of angles, samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.ansatze import Ansatz, ansatz
from quantum.ansatze.angles import interpolated
from quantum.catch import Catch
from quantum.choices import Choices
from quantum.encodings import Encoding, encoding
from quantum.encodings.base import Encoded
from quantum.hamiltonians import state_bits, state_numbers
from quantum.landscape import Landscape, chunks
from quantum.objectives import Objective, objective
from quantum.tuning import Exact, Sampled, Target, Tuned, tune

if TYPE_CHECKING:
    from quantum.backends.base import Backend, Compiled
    from quantum.circuits import Circuit

MOST_TUNED_EXACTLY = 20
"""Qubits up to which angles are tuned on the exact distribution by default."""


@dataclass(eq=False)
class Run:
    """A circuit with tuned angles.

    Attributes:
        encoded: The Hamiltonian.
        circuit: The circuit.
        compiled: The same on the backend.
        tuned: Its angles.
        exact: Whether they were tuned on the exact distribution.
        bits: [shots, q] uint8, samples at these angles, if tuning has taken any.
    """

    encoded: Encoded
    circuit: Circuit
    compiled: Compiled
    tuned: Tuned
    exact: bool
    bits: NDArray | None = None

    def states(self) -> NDArray:
        """[K, q] uint8, basis states of the exact distribution."""
        if self.circuit.subspace is not None:
            return self.circuit.subspace.bits()
        return state_bits(np.arange(1 << self.circuit.num_qubits), self.circuit.num_qubits)


@dataclass(eq=False)
class Variational:
    """A variational method on one program.

    Attributes:
        catch: Takes all samples; holds the program.
        choices: How it is set up.
        backend: Runs its circuits.
        marginals: [n] float64, to start from.
        seed: Of all that is random.
        is_over: Whether to stop.
        landscape: Of the program, where what its strings are worth is looked up; None: it is computed.
        evaluations: Of all tunings.
    """

    catch: Catch
    choices: Choices
    backend: Backend
    marginals: NDArray
    seed: int
    is_over: Callable[[], bool]
    landscape: Landscape | None = None
    evaluations: int = 0
    _seeds: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.encoding: Encoding = encoding(self.choices.encoding)
        self.ansatz: Ansatz = ansatz(self.choices.ansatz)
        self.objective: Objective = objective(self.choices.objective)
        self.program = self.catch.subject.program

    def encode(self, multipliers: NDArray | None) -> Encoded:
        """The program as a Hamiltonian, at multipliers [m] if the encoding takes them."""
        return self.encoding.encode(self.program, multipliers if self.encoding.takes_multipliers else None)

    def minimize(self, multipliers: NDArray | None) -> Run:
        """Encodes the program at some multipliers, and tunes the angles of its circuit."""
        encoded = self.encode(multipliers)
        return self.tuned(encoded, self.start_of(encoded), self.choices.score)

    def start_of(self, encoded: Encoded) -> NDArray | None:
        """[q] float64, marginals for an ansatz that makes use of them, 1/2 for bits of slack; else None."""
        if not self.ansatz.warm:
            return None
        marginals = np.full(encoded.diagonal.num_qubits, 0.5)
        marginals[encoded.variables] = self.marginals
        return marginals

    def tuned(self, encoded: Encoded, marginals: NDArray | None, score: str) -> Run:
        """The circuit of a Hamiltonian with tuned angles, as many layers as chosen or grown to them.

        Args:
            encoded: The Hamiltonian.
            marginals: [q] float64, to start from; None for the equal superposition.
            score: What a sample is worth, see `Choices`.
        """
        depths = range(1, self.choices.layers + 1) if self.choices.angles == "grown" else (self.choices.layers,)
        rng = np.random.default_rng(self.seed)
        angles: NDArray | None = None
        for layers in depths:
            circuit = self.ansatz.circuit(encoded, layers, marginals)
            compiled = self.backend.compile(circuit)
            start = self.ansatz.start(encoded, layers, rng)
            if angles is not None:
                start = interpolated(angles.reshape(-1, start.shape[1]))
            target, exact = self._target(encoded, circuit, compiled, score)
            share = max(1, self.choices.evaluations // len(depths))
            tuned = tune(
                target,
                start.ravel(),
                share,
                frequencies=circuit.frequencies(),
                seed=self.seed,
                is_over=self.is_over,
            )
            self.evaluations += tuned.evaluations
            angles = tuned.angles
        bits = target.bits if isinstance(target, Sampled) else None
        return Run(encoded, circuit, compiled, tuned, exact, bits)

    def _target(self, encoded: Encoded, circuit: Circuit, compiled: Compiled, score: str) -> tuple[Target, bool]:
        """What is minimized, and whether it is exact."""
        simulator, wish = compiled.simulator, self.choices.tuning
        if wish == "exact" and simulator is None:
            raise InputError(
                f"backend {self.choices.backend} knows no exact distribution: expected tuning samples"
            )
        small = simulator is not None and simulator.num_states <= 1 << MOST_TUNED_EXACTLY
        if simulator is not None and (wish == "exact" or (wish == "auto" and small)):
            energies = score == "energy"
            scores = simulator.energies_of(encoded.diagonal) if energies else self._scores(encoded, circuit)
            return Exact(simulator, scores, self.objective), True

        def worth(bits: NDArray) -> NDArray:
            objectives, feasible = self.catch.take(encoded.decode(bits))
            if score == "energy":
                return encoded.diagonal.energy(bits)
            return np.where(feasible, objectives, self.program.worst)

        return Sampled(compiled, worth, self.objective, self.choices.shots, self.next_seed()), False

    def _scores(self, encoded: Encoded, circuit: Circuit) -> NDArray:
        """[K] float64, what the basis states of a circuit are worth as strings of the program."""
        q, known = circuit.num_qubits, self.landscape

        def worth(bits: NDArray) -> NDArray:
            x = encoded.decode(bits)
            return self.program.scores(x) if known is None else known.scores[state_numbers(x)]

        if circuit.subspace is not None:
            return worth(circuit.subspace.bits())
        return np.concatenate([worth(state_bits(part, q)) for part in chunks(q)])

    def next_seed(self) -> int:
        """A seed that no other call of this run has had."""
        self._seeds += 1
        return (self.seed * 1009 + self._seeds) * 100_003 % 2**31

    def sample(self, run: Run) -> NDArray:
        """[shots, q] uint8, samples at the tuned angles, taken by the catch; if time is up, those of tuning."""
        if run.bits is not None and self.is_over():
            return run.bits
        bits = run.compiled.sample(run.tuned.angles, self.choices.shots, self.next_seed())
        self.catch.take(run.encoded.decode(bits))
        return bits
