"""Layers of phases and rotations over a whole state.

Passes over memory: the first takes tiles of consecutive rows, with the phase and the lowest qubits; each other one
takes tiles of rows at a stride, with three qubits more. As long as strides are within a block of the cache, all
passes work on one block before they go to the next. A plan [k] int64 holds the lowest qubit of each other pass.

Passes work on a range of tiles, so that threads can share a layer; with any number of them results are the same.
"""

from __future__ import annotations

from typing import Any

from numba import njit, prange
from numpy.typing import NDArray

from quantum.kernels.mixers import mix
from quantum.kernels.phases import advance, bind
from quantum.kernels.tiles import load, store

compiled: Any = njit(cache=True, nogil=True, error_model="numpy")
parallel: Any = njit(cache=True, nogil=True, error_model="numpy", parallel=True)


@compiled
def width_of(x: NDArray) -> int:
    """How many numbers a row has."""
    return 64 // x.itemsize


@compiled
def lanes_of(x: NDArray) -> int:
    """How many qubits a row has."""
    return 3 if x.itemsize == 8 else 4


@compiled
def first_pass(x: NDArray, y: NDArray, phase: Any, moves: NDArray, start: int, stop: int) -> None:
    """Phase, then rotations of the lowest qubits, on amplitudes from start to stop."""
    width, lanes = width_of(x), lanes_of(x)
    for at in range(start, stop, 8 * width):
        a, b = load(x, at, width, 8), load(y, at, width, 8)
        a, b = advance(phase, a, b, at)
        a, b = mix(a, b, moves, 0, True)
        a, b = mix(a, b, moves, lanes, False)
        store(x, at, width, a)
        store(y, at, width, b)


@compiled
def place_of(tile: int, qubit: int, lanes: int, count: int) -> int:
    """Where a tile begins, numbers of whose rows are `count` qubits from `qubit` on."""
    shift = qubit - lanes
    return (((tile >> shift) << (shift + count)) + (tile & ((1 << shift) - 1))) << lanes


@compiled
def strided_pass(x: NDArray, y: NDArray, moves: NDArray, slot: int, qubit: int, start: int, stop: int) -> None:
    """Rotations of three qubits from `qubit` on, on tiles from start to stop."""
    lanes, stride = lanes_of(x), 1 << qubit
    for tile in range(start, stop):
        at = place_of(tile, qubit, lanes, 3)
        a, b = load(x, at, stride, 8), load(y, at, stride, 8)
        a, b = mix(a, b, moves, slot, False)
        store(x, at, stride, a)
        store(y, at, stride, b)


@compiled
def low_passes(x: NDArray, y: NDArray, phase: Any, moves: NDArray, plan: NDArray, bits: int, block: int) -> None:
    """All passes within a block of 2^bits amplitudes."""
    lanes = lanes_of(x)
    first_pass(x, y, phase, moves, block << bits, (block + 1) << bits)
    tiles = 1 << (bits - lanes - 3)
    for k in range(plan.size):
        if plan[k] + 3 <= bits:
            strided_pass(x, y, moves, lanes + 3 + 3 * k, plan[k], block * tiles, (block + 1) * tiles)


def _forward(
    x: NDArray,
    y: NDArray,
    diagonal: Any,
    angles: NDArray,
    factors: NDArray,
    moves: NDArray,
    plan: NDArray,
    bits: int,
) -> None:
    """Layers one after the other.

    Args:
        x: [N] real parts.
        y: [N] imaginary parts.
        diagonal: See `phases`.
        angles: [L] float64, of phases.
        factors: [L] float64, by which the state is multiplied.
        moves: [L, S] tangents or [L, S, 4] matrices, see `mixers`.
        plan: [k] int64.
        bits: Qubits of a block.
    """
    lanes = lanes_of(x)
    parts, share = x.size >> bits, 1 << (bits - lanes - 3)
    for layer in range(angles.size):
        phase, row = bind(diagonal, angles[layer], factors[layer], x), moves[layer]
        for block in prange(parts):
            low_passes(x, y, phase, row, plan, bits, block)
        for k in range(plan.size):
            if plan[k] + 3 > bits:
                for part in prange(parts):
                    strided_pass(x, y, row, lanes + 3 + 3 * k, plan[k], part * share, (part + 1) * share)


forward: Any = compiled(_forward)
forward_threads: Any = parallel(_forward)


@compiled
def phase_alone(x: NDArray, y: NDArray, diagonal: Any, angle: float) -> None:
    """A phase and nothing else."""
    width = width_of(x)
    phase = bind(diagonal, angle, 1.0, x)
    for at in range(0, x.size, 8 * width):
        a, b = advance(phase, load(x, at, width, 8), load(y, at, width, 8), at)
        store(x, at, width, a)
        store(y, at, width, b)
