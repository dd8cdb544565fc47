"""Gates on one and two qubits, merged into blocks and put in an order that takes few passes over a state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantum.kernels.gates import BLOCK, ONE, SWEEP, TWO


@dataclass(frozen=True, eq=False)
class Gate:
    """The matrix sum_t factors_t exp(i weights_t . angles) on one or two qubits.

    Attributes:
        qubits: The first is the least significant in the matrix.
        angles: Numbers of w angles.
        weights: [T, w] float64.
        factors: [T, D, D] complex128.
    """

    qubits: tuple[int, ...]
    angles: list[int]
    weights: NDArray
    factors: NDArray

    @property
    def diagonal(self) -> bool:
        """Whether it is diagonal at all angles."""
        return _diagonal(self.factors)

    def on(self, qubits: tuple[int, ...]) -> Gate:
        """The same on more qubits, or on its own in another order."""
        if qubits == self.qubits:
            return self
        if len(self.qubits) == 2:
            swap = [0, 2, 1, 3]
            return Gate(qubits, self.angles, self.weights, self.factors[:, swap][:, :, swap])
        parts = (np.eye(2)[None], self.factors) if self.qubits[0] == qubits[0] else (self.factors, np.eye(2)[None])
        return Gate(qubits, self.angles, self.weights, np.array([np.kron(*pair) for pair in _pairs(*parts)]))

    def after(self, other: Gate) -> Gate | None:
        """Both as one gate on the same qubits, where one of them has no angles."""
        if self.angles and other.angles:
            return None
        factors = self.factors @ other.factors
        kept = self if self.angles else other
        return Gate(self.qubits, kept.angles, kept.weights, factors)


class _Block:
    """Gates one after the other on the same one or two qubits, and blocks on one of them that come before.

    Attributes:
        diagonal: Whether the product of its gates is diagonal at generic angles, and so at all.
    """

    def __init__(self, qubits: tuple[int, ...], generic: NDArray) -> None:
        self.qubits = qubits
        self.gates: list[Gate] = []
        self.before: list[_Block] = []
        self.diagonal = True
        self._generic = generic
        self._product = np.eye(1 << len(qubits), dtype=np.complex128)

    def add(self, gate: Gate) -> None:
        """Takes the next gate, on its qubits or one of them."""
        gate = gate.on(self.qubits)
        waves = np.exp(1j * gate.weights @ self._generic[gate.angles])
        self._product = np.einsum("t,tij->ij", waves, gate.factors) @ self._product
        self.diagonal = _diagonal(self._product)
        both = gate.after(self.gates[-1]) if self.gates else None
        if both is None:
            self.gates.append(gate)
        else:
            self.gates[-1] = both

    def parts(self) -> list[_Block]:
        """Itself with those before it merged in, or after them where it is diagonal without them."""
        if not self.before or self.diagonal:
            return [*self.before, self]
        merged = _Block(self.qubits, self._generic)
        for block in (*self.before, self):
            for gate in block.gates:
                merged.add(gate)
        return [merged]


@dataclass(frozen=True, eq=False)
class Schedule:
    """A program for the kernels.

    Attributes:
        terms: Arguments of `quantum.kernels.gates.matrices` after the angles.
        diagonal: Blocks that are parts of sweeps [d], and the arguments of `sweep_tables` on them.
        initial: Blocks [i] that act on a qubit first, and their qubits.
        operations: See `quantum.kernels.gates.execute`.
        num_sweeps: Number of sweeps.
    """

    terms: tuple[NDArray, ...]
    diagonal: tuple[NDArray, ...]
    initial: tuple[NDArray, NDArray]
    operations: NDArray
    num_sweeps: int


def schedule(gates: list[Gate], num_qubits: int, num_angles: int) -> Schedule:
    """Merges gates and orders what comes of it.

    Args:
        gates: In their order.
        num_qubits: q.
        num_angles: How many angles they have.
    """
    generic = np.random.default_rng(0).normal(size=num_angles)
    blocks = [part for block in _fuse(gates, generic) for part in block.parts()]
    order = _Order([block.diagonal for block in blocks])
    for number, block in enumerate(blocks):
        order.add(number, block.qubits)
    order.close()
    rows = np.array(order.rows, dtype=np.int64).reshape(-1, 4)
    sweeps = np.array(order.diagonal, dtype=np.int64).reshape(-1, 4)
    initial = np.array(order.initial, dtype=np.int64).reshape(-1, 2)
    return Schedule(_terms(blocks), tuple(sweeps.T), (initial[:, 0], initial[:, 1]), rows, order.num_sweeps)


def _fuse(gates: list[Gate], generic: NDArray) -> list[_Block]:
    """Blocks of gates.

    A diagonal gate on two qubits opens none, and none is continued by a gate on one qubit once it is diagonal:
    sweeps take any number of diagonal blocks.
    """
    done: list[_Block] = []
    open_on: dict[int, _Block] = {}
    for gate in gates:
        owners = list(dict.fromkeys(open_on[q] for q in gate.qubits if q in open_on))
        inside = owners and set(gate.qubits) <= set(owners[0].qubits)
        if inside and (len(gate.qubits) == len(owners[0].qubits) or not owners[0].diagonal):
            owners[0].add(gate)
            continue
        made = _Block(gate.qubits, generic)
        for owner in owners:
            if len(owner.qubits) == 2 or gate.diagonal:
                done.append(owner)
                for qubit in owner.qubits:
                    del open_on[qubit]
            else:
                made.before.append(owner)
        made.add(gate)
        if len(gate.qubits) == 2 and gate.diagonal:
            done.append(made)
        else:
            open_on.update(dict.fromkeys(gate.qubits, made))
    return done + list(dict.fromkeys(open_on[q] for q in sorted(open_on)))


class _Order:
    """Operations around one open sweep: those before it, its diagonal blocks, those after it."""

    def __init__(self, diagonal_blocks: list[bool]) -> None:
        self.rows: list[tuple[int, int, int, int]] = []
        self.diagonal: list[tuple[int, int, int, int]] = []
        self.initial: list[tuple[int, int]] = []
        self.num_sweeps = 0
        self._kinds = diagonal_blocks
        self._touched: set[int] = set()
        self._swept: set[int] = set()
        self._late: set[int] = set()
        self._before: list[tuple[int, int, int, int]] = []
        self._after: list[tuple[int, int, int, int]] = []

    def add(self, number: int, qubits: tuple[int, ...]) -> None:
        """Takes the next block."""
        first, second = (*qubits, -1)[:2]
        if len(qubits) == 1 and first not in self._touched:
            self.initial.append((number, first))
        elif self._kinds[number]:
            if self._late.intersection(qubits):
                self._next()
            self._swept.update(qubits)
            self.diagonal.append((number, self.num_sweeps, first, second))
        else:
            row = (ONE if second < 0 else TWO, number, first, second)
            if self._swept.union(self._late).isdisjoint(qubits):
                self._before.append(row)
            else:
                self._late.update(qubits)
                self._after.append(row)
        self._touched.update(qubits)

    def _next(self) -> None:
        """Closes the sweep and opens another one after all others."""
        self.rows += _low_first(self._before)
        if self._swept:
            self.rows.append((SWEEP, self.num_sweeps, -1, -1))
            self.num_sweeps += 1
        self._before, self._after, self._swept, self._late = self._after, [], set(), set()

    def close(self) -> None:
        """Writes what is left."""
        while self._before or self._swept or self._after:
            self._next()


def _low_first(rows: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Operations that commute, those within blocks of the state first."""
    used = [q for row in rows for q in row[2:] if q >= 0]
    return sorted(rows, key=lambda row: max(row[2:]) >= BLOCK) if len(set(used)) == len(used) else rows


def _terms(blocks: list[_Block]) -> tuple[NDArray, ...]:
    gates = [gate for block in blocks for gate in block.gates]
    starts = np.cumsum([0] + [len(block.gates) for block in blocks])
    firsts = np.cumsum([0] + [len(gate.weights) for gate in gates])
    width = max((len(gate.angles) for gate in gates), default=0)
    which, weights = np.zeros((firsts[-1], width), dtype=np.int64), np.zeros((firsts[-1], width))
    factors = np.zeros((firsts[-1], 4, 4), dtype=np.complex128)
    for gate, first, last in zip(gates, firsts[:-1], firsts[1:], strict=True):
        size = gate.factors.shape[1]
        which[first:last, : len(gate.angles)] = gate.angles
        weights[first:last, : len(gate.angles)] = gate.weights
        factors[first:last, :size, :size] = gate.factors
    return starts, firsts, which, weights, factors


def _pairs(first: NDArray, second: NDArray) -> list[tuple[NDArray, NDArray]]:
    """Matrices [n or 1, D, D] of two arrays side by side."""
    return [(first[t % len(first)], second[t % len(second)]) for t in range(max(len(first), len(second)))]


def _diagonal(matrices: NDArray) -> bool:
    rest = matrices * (1.0 - np.eye(matrices.shape[-1]))
    return bool(np.abs(rest).max(initial=0.0) < 1e-12)
