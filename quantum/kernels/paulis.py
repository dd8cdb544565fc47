"""Pauli strings on state vectors, by bit masks.

A string with masks x and z is i^|x & z| X^x Z^z, so that Y stands where both have a bit: it takes the amplitude of
b to b ^ x, times i^|x & z| (-1)^|b & z|. Amplitudes are visited in blocks that stay in the cache for all strings.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK = 1 << 11
"""Amplitudes of a block."""


@njit(cache=True, nogil=True, inline="always")
def _parity(word: int) -> int:
    word ^= word >> 16
    word ^= word >> 8
    word ^= word >> 4
    word ^= word >> 2
    word ^= word >> 1
    return word & 1


@njit(cache=True, nogil=True)
def _phase(x: int, z: int) -> complex:
    """i^|x & z|."""
    both, phase = x & z, 1.0 + 0.0j
    while both:
        both &= both - 1
        phase *= 1.0j
    return phase


@njit(cache=True, nogil=True, fastmath=True)
def apply(state: NDArray, x: NDArray, z: NDArray, coefficients: NDArray) -> NDArray:
    """[2^n] complex128, sum_t coefficients_t P_t |state>.

    Args:
        state: [2^n] complex.
        x: [t] int64, qubits with X or Y.
        z: [t] int64, qubits with Z or Y.
        coefficients: [t] float64.
    """
    result = np.zeros(state.size, dtype=np.complex128)
    block = min(BLOCK, state.size)
    factors = np.empty(x.size, dtype=np.complex128)
    for t in range(x.size):
        factors[t] = coefficients[t] * _phase(x[t], z[t])
    for start in range(0, state.size, block):
        for t in range(x.size):
            flip, mask, real, imag = x[t], z[t], factors[t].real, factors[t].imag
            for b in range(start, start + block):
                source = b ^ flip
                sign = 1.0 - 2.0 * _parity(source & mask)
                value = state[source]
                result[b] += complex(
                    sign * (real * value.real - imag * value.imag), sign * (real * value.imag + imag * value.real)
                )
    return result


@njit(cache=True, nogil=True, fastmath=True)
def expectations(state: NDArray, x: NDArray, z: NDArray) -> NDArray:
    """[t] float64, <state| P_t |state>; arguments as those of `apply`."""
    result = np.zeros(x.size)
    block = min(BLOCK, state.size)
    for start in range(0, state.size, block):
        for t in range(x.size):
            flip, mask, total = x[t], z[t], 0.0
            phase = _phase(flip, mask)
            real, imag = phase.real, phase.imag
            for b in range(start, start + block):
                image, value = state[b ^ flip], state[b]
                dot = image.real * value.real + image.imag * value.imag
                cross = image.real * value.imag - image.imag * value.real
                total += (1.0 - 2.0 * _parity(b & mask)) * (real * dot - imag * cross)
            result[t] += total
    return result


@njit(cache=True, nogil=True)
def measure_along(state: NDArray, axes: NDArray, choices: NDArray, uniforms: NDArray) -> NDArray:
    """[shots, n] uint8, outcomes of measuring each qubit along an axis, 0 for the end that the axis points to.

    Qubits are measured one after the other, from the last, and each halves the state: about 2^(n + 1) steps.

    Args:
        state: [2^n] complex, of norm 1.
        axes: [n, c, 3] float64, unit vectors: c axes that each qubit may be measured along.
        choices: [shots, n] int64, which of them it is.
        uniforms: [shots, n] float64, from 0 to 1: the chances.
    """
    shots, n = choices.shape
    outcomes = np.empty((shots, n), dtype=np.uint8)
    left = np.empty(state.size, dtype=np.complex128)
    for shot in range(shots):
        left[:] = state
        norm = 1.0
        for q in range(n - 1, -1, -1):
            half = 1 << q
            vx, vy, vz = axes[q, choices[shot, q]]
            zero, one, cross = 0.0, 0.0, 0.0j
            for b in range(half):
                low, high = left[b], left[half + b]
                zero += low.real * low.real + low.imag * low.imag
                one += high.real * high.real + high.imag * high.imag
                cross += low.conjugate() * high
            along = vx * 2.0 * cross.real + vy * 2.0 * cross.imag + vz * (zero - one)
            outcome = 0 if uniforms[shot, q] * 2.0 * norm < norm + along else 1
            outcomes[shot, q] = outcome
            sign = 1.0 - 2.0 * outcome
            norm = 0.5 * (norm + sign * along)
            c, s = np.sqrt(0.5 * (1.0 + sign * vz)), np.sqrt(max(0.5 * (1.0 - sign * vz), 0.0))
            length = np.sqrt(vx * vx + vy * vy)
            turn = complex(sign * vx / length, -sign * vy / length) if length > 0.0 else 1.0 + 0.0j
            for b in range(half):
                left[b] = c * left[b] + s * turn * left[half + b]
    return outcomes
