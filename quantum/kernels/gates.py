"""State vectors under gates on one and two qubits, real and imaginary parts in arrays of their own.

A program is a list of operations: matrices on one or two qubits, and sweeps, the product of any number of diagonal
gates. Consecutive operations that act within blocks of 2^BLOCK amplitudes are done block by block, in the cache.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK = 11
"""Qubits within a block."""

SWEEP, ONE, TWO = 0, 1, 2
"""Kinds of operations."""


@njit(cache=True, nogil=True)
def matrices(
    angles: NDArray, starts: NDArray, terms: NDArray, which: NDArray, weights: NDArray, factors: NDArray
) -> NDArray:
    """[blocks, 4, 4] complex128, products of gates, each sum_t factors_t exp(i weights_t . angles).

    Args:
        angles: [a] float64.
        starts: [blocks + 1] int64, first gate of each block.
        terms: [gates + 1] int64, first term of each gate.
        which: [t, w] int64, numbers of angles.
        weights: [t, w] float64, factors of these.
        factors: [t, 4, 4] complex128.
    """
    out = np.zeros((starts.size - 1, 4, 4), dtype=np.complex128)
    gate, product = np.empty((4, 4), dtype=np.complex128), np.empty((4, 4), dtype=np.complex128)
    for block in range(starts.size - 1):
        for g in range(starts[block], starts[block + 1]):
            gate[:] = 0.0
            for t in range(terms[g], terms[g + 1]):
                turn = 0.0
                for j in range(which.shape[1]):
                    turn += weights[t, j] * angles[which[t, j]]
                phase = complex(np.cos(turn), np.sin(turn))
                for row in range(4):
                    for column in range(4):
                        gate[row, column] += phase * factors[t, row, column]
            if g == starts[block]:
                out[block] = gate
                continue
            for row in range(4):
                for column in range(4):
                    total = 0j
                    for k in range(4):
                        total += gate[row, k] * out[block, k, column]
                    product[row, column] = total
            out[block] = product
    return out


@njit(cache=True, nogil=True)
def sweep_tables(
    found: NDArray, owners: NDArray, first: NDArray, second: NDArray, num_sweeps: int, q: int
) -> NDArray:
    """Diagonal blocks of each sweep as products of r_i where qubit i is 1 and of r_ij where i and j are.

    A constant factor is left out: it is a global phase.

    Args:
        found: [d, 4, 4] complex128, matrices of the blocks.
        owners: [d] int64, sweep of each block.
        first: [d] int64, its first qubit.
        second: [d] int64, its second, -1 for none.
        num_sweeps: s.
        q: Number of qubits.

    Returns:
        [s, q, q] complex128, r_ij, and r_i on the diagonal.
    """
    ratios = np.ones((num_sweeps, q, q), dtype=np.complex128)
    for d in range(owners.size):
        s, a, b = owners[d], first[d], second[d]
        zero, one = found[d, 0, 0], found[d, 1, 1]
        ratios[s, a, a] *= one / zero
        if b >= 0:
            other = found[d, 2, 2]
            both = found[d, 3, 3] * zero / (one * other)
            ratios[s, b, b] *= other / zero
            ratios[s, a, b] *= both
            ratios[s, b, a] *= both
    return ratios


@njit(cache=True, nogil=True, fastmath=True)
def product_state(vectors: NDArray, re: NDArray, im: NDArray) -> None:
    """Writes the product of states of qubits [q, 2], the first qubit being the least significant."""
    re[0], im[0] = 1.0, 0.0
    for k in range(vectors.shape[0]):
        zero, one = vectors[k, 0], vectors[k, 1]
        size = 1 << k
        for x in range(size):
            r, i = re[x], im[x]
            re[size + x] = r * one.real - i * one.imag
            im[size + x] = r * one.imag + i * one.real
            re[x] = r * zero.real - i * zero.imag
            im[x] = r * zero.imag + i * zero.real


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _mix(r0: NDArray, i0: NDArray, r1: NDArray, i1: NDArray, m: NDArray) -> None:
    """Applies a matrix to pairs of amplitudes."""
    ar, ai, br, bi = m[0, 0].real, m[0, 0].imag, m[0, 1].real, m[0, 1].imag
    cr, ci, dr, di = m[1, 0].real, m[1, 0].imag, m[1, 1].real, m[1, 1].imag
    for x in range(r0.size):
        a, b, c, d = r0[x], i0[x], r1[x], i1[x]
        r0[x] = ar * a - ai * b + br * c - bi * d
        i0[x] = ar * b + ai * a + br * d + bi * c
        r1[x] = cr * a - ci * b + dr * c - di * d
        i1[x] = cr * b + ci * a + dr * d + di * c


@njit(cache=True, nogil=True, fastmath=True)
def _one(re: NDArray, im: NDArray, qubit: int, m: NDArray) -> None:
    stride = 1 << qubit
    for a in range(0, re.size, 2 * stride):
        b, c = a + stride, a + 2 * stride
        _mix(re[a:b], im[a:b], re[b:c], im[b:c], m)


@njit(cache=True, nogil=True, fastmath=True)
def _two(re: NDArray, im: NDArray, first: int, second: int, m: NDArray) -> None:
    """Applies a matrix whose rows count 2 * (second qubit) + (first qubit)."""
    low, high = 1 << min(first, second), 1 << max(first, second)
    one, other = 1 << first, 1 << second
    for outer in range(0, re.size, 2 * high):
        for middle in range(outer, outer + high, 2 * low):
            for x0 in range(middle, middle + low):
                x1, x2, x3 = x0 + one, x0 + other, x0 + one + other
                s0, s1 = complex(re[x0], im[x0]), complex(re[x1], im[x1])
                s2, s3 = complex(re[x2], im[x2]), complex(re[x3], im[x3])
                t0 = m[0, 0] * s0 + m[0, 1] * s1 + m[0, 2] * s2 + m[0, 3] * s3
                t1 = m[1, 0] * s0 + m[1, 1] * s1 + m[1, 2] * s2 + m[1, 3] * s3
                t2 = m[2, 0] * s0 + m[2, 1] * s1 + m[2, 2] * s2 + m[2, 3] * s3
                t3 = m[3, 0] * s0 + m[3, 1] * s1 + m[3, 2] * s2 + m[3, 3] * s3
                re[x0], im[x0], re[x1], im[x1] = t0.real, t0.imag, t1.real, t1.imag
                re[x2], im[x2], re[x3], im[x3] = t2.real, t2.imag, t3.real, t3.imag


@njit(cache=True, nogil=True, fastmath=True)
def _double(re: NDArray, im: NDArray, start: complex, factors: NDArray, count: int) -> None:
    """Writes start times the product of factors_i over the bits i < count of each number."""
    re[0], im[0] = start.real, start.imag
    for i in range(count):
        size, fr, fi = 1 << i, factors[i].real, factors[i].imag
        for x in range(size):
            re[size + x] = re[x] * fr - im[x] * fi
            im[size + x] = re[x] * fi + im[x] * fr


@njit(cache=True, nogil=True, fastmath=True)
def _times(re: NDArray, im: NDArray, by_re: NDArray, by_im: NDArray) -> None:
    for x in range(re.size):
        r, i = re[x], im[x]
        re[x] = r * by_re[x] - i * by_im[x]
        im[x] = r * by_im[x] + i * by_re[x]


@njit(cache=True, nogil=True)
def _low_table(ratios: NDArray, count: int, re: NDArray, im: NDArray, felt: NDArray) -> None:
    """Writes the factors of a sweep that its first qubits make alone."""
    re[0], im[0] = 1.0, 0.0
    spare_re, spare_im = np.empty(1 << count), np.empty(1 << count)
    for k in range(count):
        for j in range(k):
            felt[j] = ratios[k, j]
        _double(spare_re, spare_im, ratios[k, k], felt, k)
        size = 1 << k
        re[size : 2 * size] = re[:size]
        im[size : 2 * size] = im[:size]
        _times(re[size : 2 * size], im[size : 2 * size], spare_re[:size], spare_im[:size])


@njit(cache=True, nogil=True)
def _high_factors(ratios: NDArray, number: int, low: int, felt: NDArray) -> complex:
    """The factor that the qubits from `low` on make alone at a block's number; writes what the others feel."""
    q = ratios.shape[0]
    felt[:] = 1.0
    constant = 1.0 + 0.0j
    for j in range(low, q):
        if number >> (j - low) & 1:
            constant *= ratios[j, j]
            for k in range(low, j):
                if number >> (k - low) & 1:
                    constant *= ratios[j, k]
            for i in range(low):
                felt[i] *= ratios[j, i]
    return constant


@njit(cache=True, nogil=True)
def execute(re: NDArray, im: NDArray, operations: NDArray, found: NDArray, ratios: NDArray) -> None:
    """Applies operations to a state, in place.

    Args:
        re: [2^q] float64.
        im: [2^q] float64.
        operations: [n, 4] int64: kind, block (or number of the sweep), first qubit, second qubit.
        found: [blocks, 4, 4] complex128.
        ratios: [s, q, q] complex128, of sweeps.
    """
    q = ratios.shape[1]
    low = min(q, BLOCK)
    size, num_sweeps = 1 << low, len(ratios)
    low_re, low_im = np.empty((num_sweeps, size)), np.empty((num_sweeps, size))
    spare_re, spare_im, felt = np.empty(size), np.empty(size), np.empty(low, dtype=np.complex128)
    for s in range(num_sweeps):
        _low_table(ratios[s], low, low_re[s], low_im[s], felt)
    begin = 0
    while begin < len(operations):
        kind, block, a, b = operations[begin]
        if kind != SWEEP and max(a, b) >= low:
            if kind == ONE:
                _one(re, im, a, found[block])
            else:
                _two(re, im, a, b, found[block])
            begin += 1
            continue
        end = begin
        while end < len(operations) and (operations[end, 0] == SWEEP or max(operations[end, 2:]) < low):
            end += 1
        for number in range(re.size >> low):
            part_re, part_im = re[number * size : (number + 1) * size], im[number * size : (number + 1) * size]
            for t in range(begin, end):
                kind, block, a, b = operations[t]
                if kind == ONE:
                    _one(part_re, part_im, a, found[block])
                elif kind == TWO:
                    _two(part_re, part_im, a, b, found[block])
                else:
                    _times(part_re, part_im, low_re[block], low_im[block])
                    if number:
                        constant = _high_factors(ratios[block], number, low, felt)
                        _double(spare_re, spare_im, constant, felt, low)
                        _times(part_re, part_im, spare_re, spare_im)
        begin = end
