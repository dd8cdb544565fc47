"""Mixers that stay where some constraints hold: XY and Grover mixers on registers with a fixed number of ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import SolverError
from quantum.ansatze.angles import schedule
from quantum.circuits import Circuit, Exchange, Layer, Phase, Reflection, Subspace
from quantum.encodings.base import Encoded
from quantum.hamiltonians import normalized


def registers_of(encoded: Encoded) -> Subspace:
    """The states in which rows of the form `sum of some variables = k` hold, each variable being in one of them.

    Rows are taken in their order, if they share no variable with those before.

    Raises:
        SolverError: If such rows do not reach every qubit.
    """
    program, free = encoded.program, np.ones(encoded.program.num_variables, dtype=bool)
    registers, ones = [], []
    for row in range(program.num_rows):
        span = slice(*program.A.indptr[row : row + 2])
        columns, values, side = program.A.indices[span], program.A.data[span], program.lower[row]
        columns, values = columns[values != 0], values[values != 0]
        unit = columns.size > 0 and np.all(values == 1.0) and program.upper[row] == side == np.round(side)
        if unit and np.isinf(program.shortfall[row]) and np.isinf(program.surplus[row]) and free[columns].all():
            if not 0 <= side <= columns.size:
                raise SolverError(f"row {row} asks for {side:g} ones among {columns.size} variables")
            free[columns] = False
            registers.append(tuple(int(q) for q in encoded.variables[np.sort(columns)]))
            ones.append(int(side))
    if free.any() or encoded.diagonal.num_qubits > free.size:
        raise SolverError(
            "XY and Grover mixers need each qubit in a row `sum = k`: this encoding has "
            f"{int(free.sum()) + encoded.diagonal.num_qubits - free.size} qubits in none"
        )
    return Subspace(tuple(registers), tuple(ones))


def rounds(register: tuple[int, ...]) -> list[tuple[int, int]]:
    """All pairs of a register in rounds of disjoint ones, which run at the same time (circle method)."""
    ring: list[int | None] = list(register)
    if len(ring) % 2:
        ring.append(None)
    pairs = []
    for _ in range(len(ring) - 1):
        half = len(ring) // 2
        for a, b in zip(ring[:half], reversed(ring[half:]), strict=True):
            if a is not None and b is not None:
                pairs.append((a, b))
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return pairs


def _alternate(encoded: Encoded, layers: int, mixer: Callable[[Subspace, int], list[Layer]]) -> Circuit:
    space = registers_of(encoded)
    scaled = normalized(encoded.diagonal)
    made: list[Layer] = []
    for layer in range(layers):
        made += [Phase(scaled, 2 * layer), *mixer(space, 2 * layer + 1)]
    return Circuit(space.num_qubits, tuple(made), 2 * layers, subspace=space)


@dataclass(frozen=True)
class XY:
    """QAOA in a subspace with exchanges of all pairs of each register as mixer (Hadfield et al. 2019)."""

    name = "xy"
    summary = "QAOA with XY mixers, which keep sums of variables (Hadfield et al. 2019)"
    warm = False

    def circuit(self, encoded: Encoded, layers: int, marginals: NDArray | None = None) -> Circuit:
        """See `Ansatz`; marginals are of no use to it."""

        def mixer(space: Subspace, parameter: int) -> list[Layer]:
            pairs = [pair for register in space.registers for pair in rounds(register)]
            return [Exchange(np.array(pairs, dtype=np.int64).reshape(-1, 2), parameter)]

        return _alternate(encoded, layers, mixer)

    def start(self, encoded: Encoded, layers: int, rng: np.random.Generator) -> NDArray:
        """See `Ansatz`. The initial state is the highest of the exchanges, so their angles are negative."""
        phases, mixers = schedule(layers)
        return np.column_stack([phases, -mixers])


@dataclass(frozen=True)
class Grover:
    """QAOA in a subspace with reflections about each register's initial state (Bärtschi and Eidenbenz 2020)."""

    name = "grover"
    summary = "QAOA with Grover mixers on registers (Bärtschi and Eidenbenz 2020)"
    warm = False

    def circuit(self, encoded: Encoded, layers: int, marginals: NDArray | None = None) -> Circuit:
        """See `Ansatz`; marginals are of no use to it."""

        def mixer(space: Subspace, parameter: int) -> list[Layer]:
            return [Reflection(register, parameter) for register in range(len(space.registers))]

        return _alternate(encoded, layers, mixer)

    def start(self, encoded: Encoded, layers: int, rng: np.random.Generator) -> NDArray:
        """See `Ansatz`. A reflection has eigenvalues 0 and 1, so its angles are larger than those of exchanges."""
        phases, mixers = schedule(layers)
        return np.column_stack([phases, -np.pi * mixers])
