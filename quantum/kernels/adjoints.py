"""Layers backward on a state and its costate, with the overlaps that derivatives are (Jones and Gacon 2020).

The passes of `layers` in reverse order, with tiles half as large, as registers hold those of both. The generator
of a rotation commutes with it, so its overlap is taken from a tile while that is rotated back. Overlaps of
rotations about x are those of states that grow by one over the cosine with every rotation undone before. Sums
over one block are in the precision of the state, sums of those in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from quantum.kernels.layers import compiled, lanes_of, parallel, place_of, width_of
from quantum.kernels.mixers import mix_both
from quantum.kernels.phases import advance_both, bind, slope
from quantum.kernels.tiles import accumulate, load, store


@compiled
def add_rows(rows: NDArray, sums: NDArray, at: int, count: int) -> None:
    """Add the sum of each row, of numbers in the precision of the state, to sums[at], ..."""
    width = width_of(rows)
    for j in range(count):
        for lane in range(width):
            sums[at + j] += np.float64(rows[j * width + lane])


@compiled
def first_pass_back(
    x: NDArray, y: NDArray, u: NDArray, v: NDArray, phase: Any, moves: NDArray, start: int, stop: int, keep: bool,
    sums: NDArray,
) -> None:  # fmt: skip
    """Undo `first_pass` from amplitude start to stop.

    Args:
        x: [N] real parts of the state.
        y: [N] imaginary parts.
        u: [N] real parts of the costate.
        v: [N] imaginary parts.
        phase: The inverse one.
        moves: The inverse ones.
        start: First amplitude.
        stop: Where the last one ends.
        keep: Whether state and costate are needed any longer.
        sums: [1 + S] or [1 + 3 S] float64; Im <costate| D |state> and the overlaps of each qubit are added.
    """
    width, lanes = width_of(x), lanes_of(x)
    each = 1 if moves.ndim == 1 else 3
    rows = np.zeros((1 + each * (lanes + 2)) * width, x.dtype)
    for at in range(start, stop, 4 * width):
        a, b, c, d = load(x, at, width, 4), load(y, at, width, 4), load(u, at, width, 4), load(v, at, width, 4)
        a, b, c, d, across = mix_both(a, b, c, d, moves, lanes, False)
        a, b, c, d, within = mix_both(a, b, c, d, moves, 0, True)
        accumulate(rows, 0, slope(phase, a, b, c, d, at))
        accumulate(rows, 1, within)
        accumulate(rows, 1 + each * lanes, across)
        if keep:
            a, b, c, d = advance_both(phase, a, b, c, d, at)
            store(x, at, width, a)
            store(y, at, width, b)
            store(u, at, width, c)
            store(v, at, width, d)
    add_rows(rows, sums, 0, 1 + each * (lanes + 2))


@compiled
def strided_pass_back(
    x: NDArray, y: NDArray, u: NDArray, v: NDArray, moves: NDArray, slot: int, qubit: int, start: int, stop: int,
    sums: NDArray,
) -> None:  # fmt: skip
    """Undo `strided_pass` on tiles from start to stop; see `first_pass_back`."""
    width, lanes = width_of(x), lanes_of(x)
    each = 1 if moves.ndim == 1 else 3
    rows = np.zeros(each * 2 * width, x.dtype)
    stride = 1 << qubit
    for tile in range(start, stop):
        at = place_of(tile, qubit, lanes, 2)
        a, b, c, d = load(x, at, stride, 4), load(y, at, stride, 4), load(u, at, stride, 4), load(v, at, stride, 4)
        a, b, c, d, across = mix_both(a, b, c, d, moves, slot, False)
        accumulate(rows, 0, across)
        store(x, at, stride, a)
        store(y, at, stride, b)
        store(u, at, stride, c)
        store(v, at, stride, d)
    add_rows(rows, sums, 1 + each * slot, each * 2)


@compiled
def low_passes_back(
    x: NDArray, y: NDArray, u: NDArray, v: NDArray, phase: Any, moves: NDArray, plan: NDArray, bits: int,
    block: int, keep: bool, sums: NDArray,
) -> None:  # fmt: skip
    """Undo `low_passes`; see `first_pass_back`."""
    lanes = lanes_of(x)
    tiles = 1 << (bits - lanes - 2)
    for k in range(plan.size - 1, -1, -1):
        if plan[k] + 2 <= bits:
            slot = lanes + 2 + 2 * k
            strided_pass_back(x, y, u, v, moves, slot, plan[k], block * tiles, (block + 1) * tiles, sums)
    first_pass_back(x, y, u, v, phase, moves, block << bits, (block + 1) << bits, keep, sums)


def _backward(
    x: NDArray, y: NDArray, u: NDArray, v: NDArray, diagonal: Any, angles: NDArray, factors: NDArray,
    moves: NDArray, plan: NDArray, bits: int, keep: bool, sums: NDArray,
) -> None:  # fmt: skip
    """Undo `forward`, last layer first; the inverse moves are given.

    Args:
        x: [N] real parts of the state.
        y: [N] imaginary parts.
        u: [N] real parts of the costate.
        v: [N] imaginary parts.
        diagonal: See `phases`.
        angles: [L] float64, of the phases to undo.
        factors: [L] float64, by which both are multiplied.
        moves: [L, S] tangents or [L, S, 4] matrices, the inverse ones.
        plan: [k] int64.
        bits: Qubits of a block.
        keep: Whether state and costate at the beginning are needed.
        sums: [L, 1 + S] or [L, 1 + 3 S] float64, to which overlaps are added.
    """
    lanes, size = lanes_of(x), sums.shape[1]
    parts, share = x.size >> bits, 1 << (bits - lanes - 2)
    own = np.zeros((parts, size))
    for layer in range(angles.size - 1, -1, -1):
        phase, row = bind(diagonal, -angles[layer], factors[layer], x), moves[layer]
        for k in range(plan.size - 1, -1, -1):
            if plan[k] + 2 > bits:
                for part in prange(parts):
                    strided_pass_back(
                        x, y, u, v, row, lanes + 2 + 2 * k, plan[k], part * share, (part + 1) * share, own[part]
                    )  # fmt: skip
        for block in prange(parts):
            low_passes_back(x, y, u, v, phase, row, plan, bits, block, keep or layer > 0, own[block])
        for part in range(parts):
            sums[layer] += own[part]
        own[:] = 0.0


backward: Any = compiled(_backward)
backward_threads: Any = parallel(_backward)
