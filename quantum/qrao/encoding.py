"""Random access codes, and quadratic functions of bits as Hamiltonians of the qubits that hold them.

A qubit that holds s variables does so in s directions of its Bloch vector, which is (1 / sqrt s)(+-1, ..., +-1)
where their values are known: the codes (1, 1, 1), (2, 1, 0.85) and (3, 1, 0.79) (Fuller et al. 2021). A spin is
then sqrt(s) times the expectation of its Pauli matrix.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.circuits import Rotation
from quantum.hamiltonians import Ising
from quantum.paulis import Paulis, basis_change
from quantum.qrao.grouping import groups

DIRECTIONS = {1: (2,), 2: (0, 2), 3: (0, 1, 2)}
"""Of the variables of a qubit: 0 for X, 1 for Y, 2 for Z."""


@dataclass(frozen=True, eq=False)
class RandomAccessCode:
    """A function of m spins on n qubits.

    Attributes:
        ising: The function.
        groups: Variables of each qubit, 1 to 3, each variable once and no two of a qubit coupled.
        qubit: [m] int64, where each variable is.
        direction: [m] int64, in which direction: 0 for X, 1 for Y, 2 for Z.
        size: [m] int64, how many variables its qubit holds.
        variables: [m] Pauli matrices of the variables.
        terms: [m + k] Pauli strings of the fields and the couplings.

    Raises:
        InputError: If the groups are not as described.
    """

    ising: Ising
    groups: tuple[tuple[int, ...], ...]
    qubit: NDArray = field(init=False)
    direction: NDArray = field(init=False)
    size: NDArray = field(init=False)
    variables: Paulis = field(init=False)
    terms: Paulis = field(init=False)

    def __post_init__(self) -> None:
        m, n = self.ising.num_qubits, len(self.groups)
        if sorted(i for group in self.groups for i in group) != list(range(m)):
            raise InputError(f"groups of variables: expected each of 0..{m - 1} once")
        qubit, direction, size = (np.zeros(m, dtype=np.int64) for _ in range(3))
        for q, group in enumerate(self.groups):
            if len(group) not in DIRECTIONS:
                raise InputError(f"qubit {q} holds {len(group)} variables: expected 1 to 3")
            members = list(group)
            qubit[members], direction[members], size[members] = q, DIRECTIONS[len(group)], len(group)
        first, second = self.ising.pairs[:, 0], self.ising.pairs[:, 1]
        if np.any((qubit[first] == qubit[second]) & (self.ising.couplings != 0)):
            raise InputError("two coupled variables share a qubit: expected them on different ones")
        x, z = np.where(direction < 2, 1 << qubit, 0), np.where(direction > 0, 1 << qubit, 0)
        terms = [np.concatenate([mask, mask[first] ^ mask[second]]) for mask in (x, z)]
        parts: dict[str, NDArray | Paulis] = {"qubit": qubit, "direction": direction, "size": size}
        parts |= {"variables": Paulis(n, x, z), "terms": Paulis(n, *terms)}
        for name, value in parts.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, ising: Ising, per_qubit: int = 3) -> RandomAccessCode:
        """With greedily coloured groups; see `quantum.qrao.grouping.groups`."""
        return cls(ising, groups(ising, per_qubit))

    @property
    def num_qubits(self) -> int:
        """Number of qubits, n."""
        return len(self.groups)

    def hamiltonian(self, *, rounded: bool = False) -> tuple[Paulis, NDArray, float]:
        """Strings, coefficients and the constant.

        Args:
            rounded: False for the relaxation, whose energy at the code state of any bits is the function's value,
                so that its lowest eigenvalue is a lower bound. True for the expected value of magic rounding.
        """
        power = -0.5 if rounded else 0.5
        factor = self.size.astype(np.float64) ** power
        pairs = self.ising.pairs
        both = factor[pairs[:, 0]] * factor[pairs[:, 1]]
        coefficients = np.concatenate([self.ising.fields * factor, self.ising.couplings * both])
        used = coefficients != 0
        return (
            Paulis(self.num_qubits, self.terms.x[used], self.terms.z[used]),
            coefficients[used],
            self.ising.offset,
        )

    def magic_axes(self) -> tuple[NDArray, NDArray]:
        """Axes along which code states are opposite: [n, 4, 3] float64, and [n] int64, how many a qubit has."""
        axes, counts = np.zeros((self.num_qubits, 4, 3)), np.zeros(self.num_qubits, dtype=np.int64)
        axes[:, :, 2] = 1.0
        for q, group in enumerate(self.groups):
            s = len(group)
            counts[q] = 1 << (s - 1)
            signs = 1.0 - 2.0 * ((np.arange(counts[q])[:, None] >> np.arange(s)) & 1)
            axes[q, : counts[q]] = 0.0
            axes[q, : counts[q], list(DIRECTIONS[s])] = signs.T / np.sqrt(s)
        return axes, counts

    def measurement(self, choices: NDArray) -> Rotation:
        """Rotations before a measurement of each qubit along one of its magic axes, choices [n] int64."""
        axes, _ = self.magic_axes()
        return basis_change(axes[np.arange(self.num_qubits), choices])

    def decode(self, outcomes: NDArray, choices: NDArray) -> NDArray:
        """[..., m] uint8, bits of the variables from measured bits [..., n] along magic axes [..., n]."""
        axes, _ = self.magic_axes()
        negative = axes[self.qubit, np.asarray(choices)[..., self.qubit], self.direction] < 0
        return np.asarray(outcomes, dtype=np.uint8)[..., self.qubit] ^ negative.astype(np.uint8)
