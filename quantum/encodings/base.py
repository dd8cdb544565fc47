"""What an encoding is: a program in, a Hamiltonian and the meaning of its bits out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError, SolverError
from quantum.hamiltonians import Ising, Table
from quantum.lagrangian import multiplier_box, relaxation
from quantum.programs import BinaryProgram


@dataclass(frozen=True, eq=False)
class Encoded:
    """A Hamiltonian and what its bits mean.

    Attributes:
        diagonal: Energy of the bits, to be minimized.
        variables: [n] int64, qubit of each variable of the program; the other qubits are bits of slack.
        program: The program.
    """

    diagonal: Ising | Table
    variables: NDArray
    program: BinaryProgram

    def decode(self, bits: NDArray) -> NDArray:
        """Values [..., n] of the variables in bits [..., q]; of the same dtype."""
        return np.asarray(bits)[..., self.variables]

    def terms(self, who: str) -> Ising:
        """The Hamiltonian as a sum of terms.

        Raises:
            SolverError: If it is none; `who` needs it.
        """
        if not isinstance(self.diagonal, Ising):
            raise SolverError(f"{who} needs a Hamiltonian of terms: this encoding's is a table of energies")
        return self.diagonal


class Encoding(Protocol):
    """A way to write a program as a Hamiltonian; its constants are fields of a dataclass."""

    @property
    def name(self) -> str:
        """Name in the registry."""

    @property
    def summary(self) -> str:
        """One line, with the source."""

    @property
    def exact(self) -> bool:
        """Whether every minimum, decoded, is an optimum of the program, if that has a solution."""

    @property
    def takes_multipliers(self) -> bool:
        """Whether `encode` reads multipliers of the rows."""

    def encode(self, program: BinaryProgram, multipliers: NDArray | None = None) -> Encoded:
        """The program as a Hamiltonian.

        Args:
            program: The program.
            multipliers: [m] float64, inside of `quantum.lagrangian.multiplier_box`; each encoding that takes them
                says what it does without.

        Raises:
            InputError: If the multipliers have another shape or are outside of the box, or none are taken.
            SolverError: If the program cannot be encoded in this way.
        """


def multipliers_or_duals(program: BinaryProgram, multipliers: NDArray | None) -> NDArray:
    """[m] float64, the multipliers if they are given, after a check, else the dual values of the LP relaxation.

    Raises:
        InputError: If they have another shape or are outside of the box.
        SolverError: If none are given and the relaxation has no solution.
    """
    if multipliers is not None:
        return checked_multipliers(program, multipliers)
    relaxed = relaxation(program)
    if relaxed.duals is None:
        raise SolverError(f"the LP relaxation is {relaxed.status}: it gives no multipliers")
    return relaxed.duals


def checked_multipliers(program: BinaryProgram, multipliers: NDArray) -> NDArray:
    """[m] float64, the multipliers, if they are inside of their box.

    Raises:
        InputError: If not, or if they have another shape.
    """
    multipliers = np.asarray(multipliers, dtype=np.float64)
    if multipliers.shape != (program.num_rows,):
        raise InputError(f"multipliers have shape {multipliers.shape}: expected ({program.num_rows},)")
    low, high = multiplier_box(program)
    inside = np.isfinite(multipliers) & (low <= multipliers) & (multipliers <= high)
    if not inside.all():
        i = int(np.argmin(inside))
        raise InputError(f"multiplier of row {i} is {multipliers[i]:g}: expected one in [{low[i]:g}, {high[i]:g}]")
    return multipliers


def check_constants(positive: bool = True, **constants: float) -> None:
    """Checks constants of an encoding.

    Args:
        positive: Whether 0 is refused too.
        constants: By name.

    Raises:
        InputError: If one is negative, infinite or NaN, or 0 where it may not be.
    """
    for name, value in constants.items():
        if not (np.isfinite(value) and (value > 0 if positive else value >= 0)):
            raise InputError(f"{name} is {value}: expected a {'positive' if positive else 'non-negative'} number")
