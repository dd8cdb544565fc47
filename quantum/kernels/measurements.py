"""Expectation values of Pauli strings and samples of a state vector."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK, COLUMNS = 1 << 12, 1 << 8
"""Amplitudes that are transformed together: those of a block, and columns of the matrix of blocks."""


@njit(cache=True, nogil=True, fastmath=True)
def _overlaps(re: NDArray, im: NDArray, flips: int, imaginary: bool, out: NDArray) -> None:
    """Writes the real or the imaginary part of conj(state[x ^ flips]) state[x]."""
    if not flips:
        for x in range(out.size):
            out[x] = 0.0 if imaginary else re[x] * re[x] + im[x] * im[x]
        return
    for x in range(out.size):
        y = x ^ flips
        out[x] = re[y] * im[x] - im[y] * re[x] if imaginary else re[y] * re[x] + im[y] * im[x]


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _butterfly(zero: NDArray, one: NDArray) -> None:
    for x in range(zero.size):
        a, b = zero[x], one[x]
        zero[x] = a + b
        one[x] = a - b


@njit(cache=True, nogil=True, fastmath=True)
def _transform(values: NDArray) -> None:
    """Walsh-Hadamard transform in place: values_z becomes sum_x (-1)^|x & z| values_x."""
    size = min(values.size, BLOCK)
    for start in range(0, values.size, size):
        stride = 1
        while stride < size:
            for base in range(start, start + size, 2 * stride):
                _butterfly(values[base : base + stride], values[base + stride : base + 2 * stride])
            stride *= 2
    for column in range(0, size, COLUMNS):
        stride = size
        while stride < values.size:
            for outer in range(0, values.size, 2 * stride):
                for base in range(outer + column, outer + stride, size):
                    _butterfly(values[base : base + COLUMNS], values[base + stride : base + stride + COLUMNS])
            stride *= 2


@njit(cache=True, nogil=True, fastmath=True)
def _signed_sum(values: NDArray, mask: int) -> float:
    total = 0.0
    for x in range(values.size):
        parity = x & mask
        parity ^= parity >> 16
        parity ^= parity >> 8
        parity ^= parity >> 4
        parity ^= parity >> 2
        parity ^= parity >> 1
        total += values[x] * (1 - 2 * (parity & 1))
    return total


@njit(cache=True, nogil=True)
def pauli_sum(
    re: NDArray,
    im: NDArray,
    starts: NDArray,
    flips: NDArray,
    imaginary: NDArray,
    signs: NDArray,
    coefficients: NDArray,
) -> float:
    """Expectation of a sum of Pauli strings, which come in groups of the same flips and the same part.

    A group of more strings than qubits shares a Walsh-Hadamard transform.

    Args:
        re: [2^q] float64.
        im: [2^q] float64.
        starts: [g + 1] int64, first string of each group.
        flips: [g] int64, qubits with X or Y.
        imaginary: [g] bool, whether the number of Y is odd.
        signs: [t] int64, qubits with Z or Y.
        coefficients: [t] float64, the sign that the Y make included.
    """
    total, values, q = 0.0, np.empty(re.size), int(np.log2(re.size))
    for g in range(flips.size):
        _overlaps(re, im, flips[g], imaginary[g], values)
        many = starts[g + 1] - starts[g] > q
        if many:
            _transform(values)
        for t in range(starts[g], starts[g + 1]):
            total += coefficients[t] * (values[signs[t]] if many else _signed_sum(values, signs[t]))
    return total


@njit(cache=True, nogil=True)
def draw(re: NDArray, im: NDArray, uniforms: NDArray) -> NDArray:
    """[shots] int64, numbers of basis states, ascending, by inversion.

    Args:
        re: [2^q] float64.
        im: [2^q] float64.
        uniforms: [shots] float64 in [0, 1), ascending.
    """
    norm = 0.0
    for x in range(re.size):
        norm += re[x] * re[x] + im[x] * im[x]
    out = np.empty(uniforms.size, dtype=np.int64)
    done, last, total = 0, 0, 0.0
    for x in range(re.size):
        weight = re[x] * re[x] + im[x] * im[x]
        if weight > 0.0:
            last = x
            total += weight
            while done < uniforms.size and uniforms[done] * norm < total:
                out[done] = x
                done += 1
    out[done:] = last
    return out
