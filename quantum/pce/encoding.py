"""Variables as correlators of k qubits, and their measurement in three settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations, islice
from math import comb

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.circuits import Circuit
from quantum.paulis import Paulis, basis_change

MOST_FOR_PAIRS = 12
"""Qubits up to which correlators of two are preferred to those of three, by default."""


@dataclass(frozen=True)
class PauliCorrelations:
    """Variable i is the sign of X...X, Y...Y or Z...Z (i mod 3) on the (i div 3)-th choice of k of n qubits.

    At most 3 C(n, k) variables (Sciorilli et al. 2025). Strings of one kind commute qubit by qubit, so that three
    circuits measure all.

    Attributes:
        num_variables: m.
        num_qubits: n.
        k: Qubits of a correlator.
        paulis: The m strings.

    Raises:
        InputError: If there are more variables than strings.
    """

    num_variables: int
    num_qubits: int
    k: int
    paulis: Paulis = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.num_qubits:
            raise InputError(f"correlators of {self.k} qubits: expected 1 to {self.num_qubits}")
        most = 3 * comb(self.num_qubits, self.k)
        if self.num_variables > most:
            raise InputError(
                f"{self.num_variables} variables on {self.num_qubits} qubits: correlators of {self.k} are {most}"
            )
        kind = np.arange(self.num_variables) % 3
        where = self._supports()[np.arange(self.num_variables) // 3]
        strings = Paulis(self.num_qubits, np.where(kind < 2, where, 0), np.where(kind > 0, where, 0))
        object.__setattr__(self, "paulis", strings)

    @classmethod
    def smallest(cls, num_variables: int, k: int | None = None, qubits: int | None = None) -> PauliCorrelations:
        """With the fewest qubits, or as many as are given.

        Args:
            num_variables: m.
            k: Qubits of a correlator; None for 2, or 3 where that would take more than `MOST_FOR_PAIRS` qubits.
            qubits: None for the fewest.

        Raises:
            InputError: If there are too few qubits, or k is not positive.
        """
        if k is None:
            pairs, triples = (comb(qubits or MOST_FOR_PAIRS, size) for size in (2, 3))
            k = 2 if num_variables <= 3 * pairs or triples < pairs else 3
        n = max(k, 1)
        while qubits is None and 3 * comb(n, k) < num_variables:
            n += 1
        return cls(num_variables, n if qubits is None else qubits, k)

    def settings(self, circuit: Circuit) -> tuple[Circuit, Circuit, Circuit]:
        """The circuit followed by the changes of basis after which X, Y and Z of each qubit are measured."""
        axes = [np.tile(axis, (self.num_qubits, 1)) for axis in np.eye(3)]
        x, y, z = (
            Circuit(
                self.num_qubits, (*circuit.layers, basis_change(axis)), circuit.num_parameters, circuit.initial
            )
            for axis in axes
        )
        return x, y, z

    def estimate(self, samples: tuple[NDArray, NDArray, NDArray]) -> NDArray:
        """[m] float64, estimates of the correlators from bits [shots, n] measured in each of the settings."""
        supports = self._supports()
        correlators = np.empty(self.num_variables)
        for kind, bits in enumerate(samples):
            wanted = correlators[kind::3].size
            inside = (supports[:wanted, None] >> np.arange(self.num_qubits)) & 1
            odd = (np.asarray(bits, dtype=np.int64) @ inside.T) & 1
            correlators[kind::3] = 1.0 - 2.0 * odd.mean(axis=0)
        return correlators

    def decode(self, correlators: NDArray) -> NDArray:
        """[m] uint8, bits from correlators [m]: 1 where negative."""
        return (np.asarray(correlators) < 0).astype(np.uint8)

    def _supports(self) -> NDArray:
        """[ceil(m / 3)] int64, masks of the qubits of correlators."""
        chosen = islice(combinations(range(self.num_qubits), self.k), -(-self.num_variables // 3))
        return np.array([sum(1 << q for q in one) for one in chosen], dtype=np.int64)
