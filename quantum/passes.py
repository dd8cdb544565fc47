"""In which order the compiled loops rotate the qubits of a state, and with what numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_TANGENT = 4.0
"""Rotations about x of greater tangents are made in two halves, so that no product of tangents overflows."""


@dataclass(frozen=True, eq=False)
class Passes:
    """Passes over memory, see `quantum.kernels.layers`.

    Attributes:
        qubits: [S] int64, qubit of each slot of a layer's moves, -1 where nothing is rotated.
        plan: [k] int64, lowest qubit of each pass but the first.
        bits: Qubits of a block of the cache.
        order: [S] int64, slots in the order in which rotations are undone.
    """

    qubits: NDArray
    plan: NDArray
    bits: int
    order: NDArray

    @classmethod
    def of(cls, num_qubits: int, size: int, lanes: int, rows: int, block: int) -> Passes:
        """Passes of tiles of 2^rows rows.

        Args:
            num_qubits: Qubits that are rotated.
            size: Qubits that there is memory for, at least lanes + 2 rows.
            lanes: Qubits of a row.
            rows: Qubits of the numbers of a tile's rows.
            block: Qubits of a block at most; fewer where passes would not end at its end.
        """
        first = lanes + rows
        bits = size if size <= block else block - (block - first) % rows
        plan = [*range(first, min(bits, size - rows), rows), *range(bits, size - rows, rows), size - rows]
        slots = [*range(first), *(low + j for low in plan for j in range(rows))]
        qubits = [q if q < num_qubits and q not in slots[:at] else -1 for at, q in enumerate(slots)]
        passes = np.arange(first, len(slots)).reshape(-1, rows)[::-1].ravel()
        order = np.concatenate([passes, np.arange(lanes, first), np.arange(lanes)])
        return cls(np.array(qubits), np.array(plan), bits, order)

    def tangents(self, halves: NDArray, dtype: type) -> NDArray:
        """[L, S] of a type, tangents in their slots, from those [L, q] of the qubits."""
        spread = np.concatenate([halves, np.zeros((halves.shape[0], 1))], axis=1)
        return np.ascontiguousarray(spread[:, self.qubits], dtype=dtype)

    def matrices(self, halves: NDArray, axes: NDArray, dtype: type) -> NDArray:
        """[L, S, 4] of a type, first columns of exp(-i half axis . sigma) in their slots.

        Args:
            halves: [L, q] float64, half the angles.
            axes: [L, q, 3] float64, unit vectors.
            dtype: Of the state.
        """
        made = np.zeros((halves.shape[0], halves.shape[1] + 1, 4))
        made[:, -1, 0] = 1.0
        made[:, :-1, 0] = np.cos(halves)
        made[:, :-1, 1:] = np.sin(halves)[..., None] * axes[..., [2, 1, 0]] * np.array([-1.0, 1.0, -1.0])
        return np.ascontiguousarray(made[:, self.qubits], dtype=dtype)

    def slopes(self, sums: NDArray, tangents: NDArray) -> tuple[NDArray, NDArray]:
        """Overlaps of normalized states from those of states that grow as rotations about x are undone.

        Args:
            sums: [L, 1 + S] float64, of the phase and of each slot.
            tangents: [L, S].

        Returns:
            [L] of the phase and [L, q] of each qubit, float64.
        """
        growth = np.cumprod(1.0 + tangents[:, self.order].astype(np.float64) ** 2, axis=1)
        before = np.concatenate([np.ones((sums.shape[0], 1)), growth[:, :-1]], axis=1)
        shares = np.zeros_like(sums[:, 1:])
        shares[:, self.order] = sums[:, 1:][:, self.order] / before
        return sums[:, 0] / growth[:, -1], self.by_qubit(shares)[:, :, 0]

    def by_qubit(self, sums: NDArray) -> NDArray:
        """[L, q, c] float64, sums [L, c S] of slots in the order of the qubits."""
        parts = sums.reshape(sums.shape[0], self.qubits.size, -1)
        where = np.flatnonzero(self.qubits >= 0)
        made = np.empty((parts.shape[0], where.size, parts.shape[2]))
        made[:, self.qubits[where]] = parts[:, where]
        return made


def halved(tangents: NDArray, halves: NDArray) -> tuple[NDArray, NDArray]:
    """Layers in two halves where a tangent is too great.

    Args:
        tangents: [L, q] float64.
        halves: [L, q] float64, half the angles.

    Returns:
        The tangents of all layers, and [L'] int64, the layer that each is of.
    """
    layers = np.arange(tangents.shape[0])
    great = np.abs(tangents).max(axis=1, initial=0.0) > MOST_TANGENT
    if not great.any():
        return tangents, layers
    reduced = halves - np.pi * np.rint(halves / np.pi)
    split = np.where(great[:, None], np.tan(0.5 * reduced), tangents)
    numbers = np.repeat(layers, 1 + great)
    return split[numbers], numbers
