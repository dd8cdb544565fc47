"""Layers of circuits in a subspace of basis states.

A register's gates mix only states that agree outside of it. `groups` [d, G] int32 holds the positions of these:
row l are the states with the register in its l-th state. Tiles of some groups are copied together, so that all
gates of a layer on a register cost one pass over the state, with contiguous inner loops.

Backward kernels take the state and the costate *after* a gate exp(-i angle H), undo it on both, and return
2 Im <costate|H|state>, the derivative of 2 Re <costate|state> by the angle.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

TILE = 2048
"""Amplitudes of a tile, about."""


@njit(cache=True, nogil=True, fastmath=True)
def phase(state: NDArray, energies: NDArray, angle: float, begin: int, end: int) -> None:
    """Multiplies the amplitudes [begin, end) by exp(-i angle energy)."""
    for k in range(begin, end):
        turn = angle * energies[k]
        c, s = np.cos(turn), np.sin(turn)
        re, im = state[k].real, state[k].imag
        state[k] = complex(re * c + im * s, im * c - re * s)


@njit(cache=True, nogil=True, fastmath=True)
def phase_back(state: NDArray, costate: NDArray, energies: NDArray, angle: float, begin: int, end: int) -> float:
    """Undoes `phase` on state and costate; the derivative by the angle, over the states [begin, end)."""
    total = 0.0
    for k in range(begin, end):
        turn = angle * energies[k]
        c, s = np.cos(turn), np.sin(turn)
        re, im, cre, cim = state[k].real, state[k].imag, costate[k].real, costate[k].imag
        total += energies[k] * (cre * im - cim * re)
        state[k] = complex(re * c - im * s, im * c + re * s)
        costate[k] = complex(cre * c - cim * s, cim * c + cre * s)
    return 2.0 * total


@njit(cache=True, nogil=True, fastmath=True)
def overlaps(costate: NDArray, state: NDArray, weights: NDArray, begin: int, end: int) -> None:
    """Writes 2 Im(conj(costate) state) of the states [begin, end)."""
    for k in range(begin, end):
        weights[k] = 2.0 * (costate[k].real * state[k].imag - costate[k].imag * state[k].real)


@njit(cache=True, nogil=True)
def quadratic(places: NDArray, linear: NDArray, couplings: NDArray, out: NDArray) -> None:
    """Writes sum_i linear_i b_i + sum_{i<j} couplings_ij b_i b_j of all states.

    Args:
        places: [K, m] uint8, the qubits that are 1 in each state, ascending.
        linear: [q] float64.
        couplings: [q, q] float64, upper triangular.
        out: [K] float64.
    """
    for k in range(out.size):
        total = 0.0
        for i in range(places.shape[1]):
            row = places[k, i]
            total += linear[row]
            for j in range(i + 1, places.shape[1]):
                total += couplings[row, places[k, j]]
        out[k] = total


@njit(cache=True, nogil=True)
def moments(places: NDArray, weights: NDArray, first: NDArray, second: NDArray) -> None:
    """Writes sums of weights over the states in which qubit i is 1, and i and j > i are: [q], [q, q]."""
    first[:] = 0.0
    second[:] = 0.0
    for k in range(places.shape[0]):
        for i in range(places.shape[1]):
            row = places[k, i]
            first[row] += weights[k]
            for j in range(i + 1, places.shape[1]):
                second[row, places[k, j]] += weights[k]


@njit(cache=True, nogil=True, inline="always")
def _load(state: NDArray, groups: NDArray, start: int, width: int, re: NDArray, im: NDArray) -> None:
    for row in range(groups.shape[0]):
        for j in range(width):
            one = state[groups[row, start + j]]
            re[row, j] = one.real
            im[row, j] = one.imag


@njit(cache=True, nogil=True, inline="always")
def _store(state: NDArray, groups: NDArray, start: int, width: int, re: NDArray, im: NDArray) -> None:
    for row in range(groups.shape[0]):
        for j in range(width):
            state[groups[row, start + j]] = complex(re[row, j], im[row, j])


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _turn(re: NDArray, im: NDArray, a: int, b: int, c: float, s: float, width: int) -> None:
    """Applies exp(-i angle) of an exchange to rows a and b, c and s being the angle's cosine and sine."""
    for j in range(width):
        ar, ai, br, bi = re[a, j], im[a, j], re[b, j], im[b, j]
        re[a, j] = c * ar + s * bi
        im[a, j] = c * ai - s * br
        re[b, j] = c * br + s * ai
        im[b, j] = c * bi - s * ar


@njit(cache=True, nogil=True, fastmath=True)
def exchange(
    state: NDArray, groups: NDArray, first: NDArray, second: NDArray, angle: float, begin: int, end: int
) -> None:
    """Exchanges of one register, on the groups [begin, end).

    Args:
        state: [K] complex.
        groups: [d, G] int32.
        first: [t] int32, states of the register, in the order of the gates.
        second: [t] int32, those that they are exchanged with.
        angle: Of all of them.
        begin: First group.
        end: One after the last.
    """
    d = groups.shape[0]
    tile = max(1, min(end - begin, TILE // d))
    re, im = np.empty((d, tile), dtype=state.real.dtype), np.empty((d, tile), dtype=state.real.dtype)
    c, s = re.dtype.type(np.cos(angle)), re.dtype.type(np.sin(angle))
    for start in range(begin, end, tile):
        width = min(tile, end - start)
        _load(state, groups, start, width, re, im)
        for t in range(first.size):
            _turn(re, im, first[t], second[t], c, s, width)
        _store(state, groups, start, width, re, im)


@njit(cache=True, nogil=True, fastmath=True)
def exchange_back(
    state: NDArray,
    costate: NDArray,
    groups: NDArray,
    first: NDArray,
    second: NDArray,
    angle: float,
    begin: int,
    end: int,
) -> float:
    """Undoes `exchange` on state and costate; the derivative by the angle, over the groups [begin, end)."""
    d = groups.shape[0]
    tile = max(1, min(end - begin, TILE // d))
    kind = state.real.dtype
    re, im = np.empty((d, tile), dtype=kind), np.empty((d, tile), dtype=kind)
    cre, cim = np.empty((d, tile), dtype=kind), np.empty((d, tile), dtype=kind)
    c, s = kind.type(np.cos(angle)), kind.type(-np.sin(angle))
    total = 0.0
    for start in range(begin, end, tile):
        width = min(tile, end - start)
        _load(state, groups, start, width, re, im)
        _load(costate, groups, start, width, cre, cim)
        for t in range(first.size - 1, -1, -1):
            a, b = first[t], second[t]
            for j in range(width):
                total += cre[a, j] * im[b, j] - cim[a, j] * re[b, j] + cre[b, j] * im[a, j] - cim[b, j] * re[a, j]
            _turn(re, im, a, b, c, s, width)
            _turn(cre, cim, a, b, c, s, width)
        _store(state, groups, start, width, re, im)
        _store(costate, groups, start, width, cre, cim)
    return 2.0 * total


@njit(cache=True, nogil=True, fastmath=True)
def reflect(state: NDArray, groups: NDArray, angle: float, begin: int, end: int) -> None:
    """Applies I - (1 - exp(-i angle)) |s><s| to a register, s its equal superposition."""
    d = groups.shape[0]
    factor = (1.0 - np.exp(-1j * angle)) / d
    for g in range(begin, end):
        total = 0j
        for row in range(d):
            total += state[groups[row, g]]
        total *= factor
        for row in range(d):
            state[groups[row, g]] -= total


@njit(cache=True, nogil=True, fastmath=True)
def reflect_back(state: NDArray, costate: NDArray, groups: NDArray, angle: float, begin: int, end: int) -> float:
    """Undoes `reflect` on state and costate; the derivative by the angle, over the groups [begin, end)."""
    d = groups.shape[0]
    factor = (1.0 - np.exp(1j * angle)) / d
    total = 0.0
    for g in range(begin, end):
        mine, other = 0j, 0j
        for row in range(d):
            mine += state[groups[row, g]]
            other += costate[groups[row, g]]
        total += (other.real * mine.imag - other.imag * mine.real) / d
        mine *= factor
        other *= factor
        for row in range(d):
            state[groups[row, g]] -= mine
            costate[groups[row, g]] -= other
    return 2.0 * total
