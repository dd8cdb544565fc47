"""Quantum random access optimization as a method for quadratic functions of bits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.compression import Best, Compressed, IsOver, OnBits, OnStep, checked_qubits, never, train
from quantum.hamiltonians import Ising, Quadratic
from quantum.paulis import Paulis
from quantum.qrao.encoding import RandomAccessCode
from quantum.qrao.exact import lowest
from quantum.qrao.grouping import groups
from quantum.qrao.rounding import Rounding, magic, semideterministic
from quantum.refinement import Moves, Refinement


@dataclass(frozen=True, eq=False)
class Relaxation:
    """States as bits by a random access code; see `quantum.compression.Relaxed`."""

    code: RandomAccessCode
    rounding: Rounding
    shots: int
    hamiltonian: tuple[Paulis, NDArray, float] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hamiltonian", self.code.hamiltonian())

    @property
    def num_qubits(self) -> int:
        """Number of qubits."""
        return self.code.num_qubits

    def loss(self, state: NDArray) -> tuple[float, NDArray]:
        """Relaxed energy."""
        strings, coefficients, offset = self.hamiltonian
        costate = strings.apply(state, coefficients)
        return offset + float(np.vdot(state, costate).real), costate

    def round(self, state: NDArray, rng: np.random.Generator, is_over: IsOver) -> NDArray:
        """[c, m] uint8, one candidate, or one for each shot."""
        if self.rounding == "semideterministic":
            return semideterministic(self.code, state, rng)
        return magic(self.code, state, self.shots, rng, is_over)


@dataclass(frozen=True)
class QRAO:
    """Quantum random access optimization (Fuller et al. 2021; codes of two: Teramoto et al. 2023).

    Coupled variables may not share a qubit, so that a function in which all variables are coupled takes as many
    qubits as variables.

    Attributes:
        per_qubit: Variables that may share a qubit, 1 to 3.
        layers: Of the circuit.
        exact: Take the lowest eigenvector of the relaxation, and no circuit; for few qubits. Its eigenvalue is a
            lower bound, up to rounding.
        rounding: How bits are made of states. Signs are better after training a circuit; lowest eigenvectors of
            functions without fields may have none, and need magic rounding.
        shots: Of magic rounding, for each state.
        moves: Local search on the bits afterwards.

    Raises:
        InputError: If a number is out of its range, or there is no such rounding.
    """

    without: ClassVar[str] = "entanglement"
    """What `plain` is without."""

    per_qubit: int = 3
    layers: int = 3
    exact: bool = False
    rounding: Rounding = "semideterministic"
    shots: int = 256
    moves: Moves = "flip"

    def __post_init__(self) -> None:
        if self.per_qubit not in (1, 2, 3):
            raise InputError(f"per_qubit is {self.per_qubit}: expected 1, 2 or 3")
        if self.rounding not in ("magic", "semideterministic"):
            raise InputError(f"rounding is '{self.rounding}': expected magic or semideterministic")
        if self.layers < 0 or self.shots < 1:
            raise InputError(f"{self.layers} layers and {self.shots} shots: expected at least 0 and 1")

    def relaxed(self, function: Quadratic | Ising) -> Relaxation:
        """The code and the relaxed energy.

        Raises:
            InputError: If it takes too many qubits.
        """
        ising = function.ising() if isinstance(function, Quadratic) else function
        shared = groups(ising, self.per_qubit)
        checked_qubits(len(shared), "QRAO")
        return Relaxation(RandomAccessCode(ising, shared), self.rounding, self.shots)

    def solve(
        self,
        function: Quadratic | Ising,
        *,
        steps: int = 300,
        seed: int = 0,
        on_step: OnStep | None = None,
        on_bits: OnBits | None = None,
        is_over: IsOver = never,
    ) -> Compressed:
        """See `quantum.compression.train` and, for `on_bits`, `quantum.compression.Best`.

        An exact relaxation has no steps.

        Raises:
            InputError: See `relaxed`; or if there are no steps.
        """
        relaxed = self.relaxed(function)
        best = Best(function, Refinement(function, self.moves), on_bits)
        if not self.exact:
            return train(
                [relaxed],
                best,
                self.layers,
                steps=steps,
                seed=seed,
                on_step=on_step,
                is_over=is_over,
            )
        strings, coefficients, offset = relaxed.hamiltonian
        value, state = lowest(strings, coefficients, seed, is_over)
        best.offer(relaxed.round(state, np.random.default_rng(seed), is_over))
        return Compressed(
            bits=best.bits,
            energy=best.energy,
            energy_before=best.energy_before,
            num_variables=best.bits.size,
            num_qubits=relaxed.num_qubits,
            num_parameters=0,
            evaluations=0,
            losses=np.zeros(0),
            runs=1,
            interrupted=bool(np.isinf(value)),
            bound=value + offset,
        )

    def plain(
        self,
        function: Quadratic | Ising,
        *,
        steps: int = 300,
        seed: int = 0,
        on_bits: OnBits,
        is_over: IsOver = never,
    ) -> None:
        """Trains product states; see `solve`."""
        product = replace(self, layers=0, exact=False)
        product.solve(function, steps=steps, seed=seed, on_bits=on_bits, is_over=is_over)
