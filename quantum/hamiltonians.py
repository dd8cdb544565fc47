"""Quadratic functions of bits and of spins, from one to the other and to Qiskit's operators.

Bits and spins: z = 1 - 2 b, so that bit 1 is spin -1, the eigenvalue of Z at |1>. Bit i of a state's number,
counted from the least significant, is qubit i, as in Qiskit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.errors import InputError

if TYPE_CHECKING:
    from qiskit.quantum_info import SparsePauliOp

MOST_QUBITS = 30
"""A table of energies is not made for more."""


class Diagonal(Protocol):
    """A Hamiltonian that is diagonal in the computational basis."""

    @property
    def num_qubits(self) -> int:
        """How many qubits it acts on."""

    def energies(self) -> NDArray:
        """[2^q] float64, energy of each basis state."""

    def energy(self, bits: NDArray) -> NDArray:
        """[...] float64, energy of bits [..., q]."""

    @property
    def scale(self) -> float:
        """Half the root mean square change of energy by the flip of a bit; 1 for a constant.

        Angles of phases are in units of its inverse, so that they are alike for all instances.
        """

    def scaled(self, factor: float) -> Diagonal:
        """All energies times a factor."""


@dataclass(frozen=True, eq=False)
class Quadratic:
    """offset + sum_i linear_i b_i + sum_k weights_k b_i b_j over bits: a QUBO.

    Attributes:
        offset: Constant.
        linear: [q] float64.
        pairs: [k, 2] int64, i < j, each pair once.
        weights: [k] float64.
    """

    offset: float
    linear: NDArray
    pairs: NDArray
    weights: NDArray

    @classmethod
    def of(cls, offset: float, linear: NDArray, Q: sparse.spmatrix | NDArray) -> Quadratic:
        """From offset + linear'b + b'Qb, for any square Q."""
        Q = sparse.csr_matrix(Q)
        upper = sparse.coo_matrix(sparse.triu(Q + Q.T, k=1))
        upper.eliminate_zeros()
        pairs = np.column_stack([upper.row, upper.col]).astype(np.int64)
        return cls(float(offset), np.asarray(linear, dtype=np.float64) + Q.diagonal(), pairs, upper.data)

    @property
    def num_qubits(self) -> int:
        """Number of qubits."""
        return int(self.linear.size)

    def energy(self, bits: NDArray) -> NDArray:
        """[...] float64, at bits [..., q]."""
        bits = np.asarray(bits, dtype=np.float64)
        both = bits[..., self.pairs[:, 0]] * bits[..., self.pairs[:, 1]]
        return bits @ self.linear + both @ self.weights + self.offset

    def energies(self) -> NDArray:
        """See `Diagonal`."""
        return self.ising().energies()

    def ising(self) -> Ising:
        """The same in spins."""
        q, quarter = self.num_qubits, self.weights / 4.0
        fields = -self.linear / 2.0
        for end in (0, 1):
            fields -= np.bincount(self.pairs[:, end], quarter, minlength=q)
        offset = self.offset + float(self.linear.sum()) / 2.0 + float(quarter.sum())
        return Ising(offset, fields, self.pairs, quarter)


@dataclass(frozen=True, eq=False)
class Ising:
    """offset + sum_i fields_i z_i + sum_k couplings_k z_i z_j over spins.

    Attributes:
        offset: Constant.
        fields: [q] float64.
        pairs: [k, 2] int64, i < j, each pair once.
        couplings: [k] float64.
    """

    offset: float
    fields: NDArray
    pairs: NDArray
    couplings: NDArray

    @classmethod
    def of(cls, offset: float, fields: NDArray, couplings: NDArray) -> Ising:
        """From symmetric couplings [q, q] with zeros on the diagonal, each of which counts once."""
        first, second = np.nonzero(np.triu(couplings, k=1))
        pairs = np.column_stack([first, second]).astype(np.int64)
        return cls(float(offset), np.asarray(fields, dtype=np.float64), pairs, couplings[first, second])

    def matrix(self) -> NDArray:
        """[q, q] float64, the symmetric couplings."""
        dense = np.zeros((self.num_qubits,) * 2)
        dense[self.pairs[:, 0], self.pairs[:, 1]] = self.couplings
        return dense + dense.T

    @property
    def num_qubits(self) -> int:
        """Number of qubits."""
        return int(self.fields.size)

    def energy(self, bits: NDArray) -> NDArray:
        """[...] float64, at bits [..., q]."""
        spins = 1.0 - 2.0 * np.asarray(bits, dtype=np.float64)
        both = spins[..., self.pairs[:, 0]] * spins[..., self.pairs[:, 1]]
        return spins @ self.fields + both @ self.couplings + self.offset

    def energies(self) -> NDArray:
        """See `Diagonal`.

        Raises:
            InputError: If there are too many qubits for a table.
        """
        from quantum.kernels.energies import table

        if self.num_qubits > MOST_QUBITS:
            raise InputError(f"{self.num_qubits} qubits: a table of energies holds at most {MOST_QUBITS}")
        first, second = self.pairs[:, 0].copy(), self.pairs[:, 1].copy()
        return table(float(self.offset), self.fields, first, second, self.couplings)

    def quadratic(self) -> Quadratic:
        """The same in bits."""
        linear = -2.0 * self.fields
        for end in (0, 1):
            linear -= 2.0 * np.bincount(self.pairs[:, end], self.couplings, minlength=self.num_qubits)
        offset = self.offset + float(self.fields.sum()) + float(self.couplings.sum())
        return Quadratic(offset, linear, self.pairs, 4.0 * self.couplings)

    def scaled(self, factor: float) -> Ising:
        """All coefficients times a factor."""
        return Ising(factor * self.offset, factor * self.fields, self.pairs, factor * self.couplings)

    @property
    def scale(self) -> float:
        """See `Diagonal`: the root mean square field that a spin feels, its own and that of the others."""
        squares = np.sum(self.fields**2) + 2.0 * np.sum(self.couplings**2)
        return float(np.sqrt(squares / max(self.num_qubits, 1))) or 1.0

    def operator(self) -> SparsePauliOp:
        """As Qiskit's operator, with the constant."""
        from qiskit.quantum_info import SparsePauliOp

        terms: list[tuple[str, list[int], float]] = [("", [], self.offset)]
        terms += [("Z", [i], h) for i, h in enumerate(self.fields.tolist()) if h]
        pairs = zip(self.pairs.tolist(), self.couplings.tolist(), strict=True)
        terms += [("ZZ", pair, weight) for pair, weight in pairs if weight]
        return SparsePauliOp.from_sparse_list(terms, num_qubits=self.num_qubits)

    @classmethod
    def from_operator(cls, operator: SparsePauliOp) -> Ising:
        """Of an operator with real coefficients and terms of at most two Z.

        Raises:
            InputError: If it has other terms.
        """
        q, offset, fields = operator.num_qubits, 0.0, np.zeros(operator.num_qubits)
        couplings: dict[tuple[int, int], float] = {}
        for label, where, value in operator.to_sparse_list():
            if set(label) - {"Z"} or len(where) > 2 or abs(value.imag) > 1e-12:
                raise InputError(f"term {value} {label} on {where}: expected real terms of at most two Z")
            if not where:
                offset += value.real
            elif len(where) == 1:
                fields[where[0]] += value.real
            else:
                pair = (min(where), max(where))
                couplings[pair] = couplings.get(pair, 0.0) + value.real
        assert q == fields.size
        pairs = np.array(list(couplings), dtype=np.int64).reshape(-1, 2)
        return cls(offset, fields, pairs, np.array(list(couplings.values())))


@dataclass(frozen=True, eq=False)
class Table:
    """Any diagonal Hamiltonian, by its energies; it runs on simulators only.

    Attributes:
        values: [2^q] float64.
    """

    values: NDArray

    @property
    def num_qubits(self) -> int:
        """Number of qubits."""
        return int(self.values.size).bit_length() - 1

    def energies(self) -> NDArray:
        """See `Diagonal`."""
        return self.values

    def energy(self, bits: NDArray) -> NDArray:
        """See `Diagonal`."""
        return self.values[state_numbers(bits)]

    @property
    def scale(self) -> float:
        """See `Diagonal`."""
        total = 0.0
        for qubit in range(self.num_qubits):
            halves = self.values.reshape(-1, 2, 1 << qubit)
            total += float(np.mean((halves[:, 0] - halves[:, 1]) ** 2)) / 4.0
        return float(np.sqrt(total / max(self.num_qubits, 1))) or 1.0

    def scaled(self, factor: float) -> Table:
        """See `Diagonal`."""
        return Table(factor * self.values)


D = TypeVar("D", Ising, Table, Ising | Table)


def normalized(diagonal: D) -> D:
    """The same in units of its scale, in which good angles are alike for all instances."""
    return diagonal.scaled(1.0 / diagonal.scale)


def state_numbers(bits: NDArray) -> NDArray:
    """[...] int64, numbers of the basis states with bits [..., q]."""
    bits = np.asarray(bits).astype(np.int64)
    return bits @ (np.int64(1) << np.arange(bits.shape[-1], dtype=np.int64))


def state_bits(numbers: NDArray, num_qubits: int) -> NDArray:
    """[..., q] uint8, bits of basis states with numbers [...]."""
    return ((np.asarray(numbers, dtype=np.int64)[..., None] >> np.arange(num_qubits)) & 1).astype(np.uint8)
