"""Sums over all amplitudes, in float64, and what else takes one pass over a state."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

reduced: Any = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
"""For sums that may be taken in another order."""


@reduced
def product_state(x: NDArray, y: NDArray, cosines: NDArray, sines: NDArray) -> None:
    """Amplitudes cosines[q] of 0 and sines[q] of 1 at each qubit; what is beyond 2^q is 0.

    Args:
        x: [N] real parts.
        y: [N] imaginary parts.
        cosines: [q] of the type of x.
        sines: [q] of the type of x.
    """
    y[:] = 0.0
    x[1 << cosines.size :] = 0.0
    x[0] = 1.0
    for k in range(cosines.size):
        size = 1 << k
        for i in range(size):
            x[size + i] = sines[k] * x[i]
            x[i] = cosines[k] * x[i]


@reduced
def expectation(x: NDArray, y: NDArray, energies: NDArray) -> float:
    """Sum of probability times energy, over the [K] energies."""
    total = 0.0
    for i in range(energies.size):
        total += (np.float64(x[i]) * np.float64(x[i]) + np.float64(y[i]) * np.float64(y[i])) * energies[i]
    return total


@reduced
def probabilities(x: NDArray, y: NDArray, out: NDArray) -> None:
    """Write the probabilities of the first states to out [K] float64."""
    for i in range(out.size):
        out[i] = np.float64(x[i]) * np.float64(x[i]) + np.float64(y[i]) * np.float64(y[i])


@reduced
def weigh(x: NDArray, y: NDArray, weights: NDArray, u: NDArray, v: NDArray) -> None:
    """The costate u + i v of a diagonal observable: weights [K] float64 times the state."""
    for i in range(weights.size):
        u[i] = weights[i] * x[i]
        v[i] = weights[i] * y[i]
    u[weights.size :] = 0.0
    v[weights.size :] = 0.0


@reduced
def overlaps(x: NDArray, y: NDArray, u: NDArray, v: NDArray, out: NDArray) -> None:
    """Write Im conj(u + i v) (x + i y) of the first states to out [K] float64."""
    for i in range(out.size):
        out[i] = np.float64(u[i]) * np.float64(y[i]) - np.float64(v[i]) * np.float64(x[i])


@reduced
def moments(weights: NDArray, first: NDArray, second: NDArray) -> None:
    """Sums of weights times spins, and times products of two spins, in 6 * 2^q additions.

    The states are folded at their highest qubit, into sums for what is below it and differences for its own sums;
    the latter are folded in the same way.

    Args:
        weights: [2^q] float64, overwritten.
        first: [q] float64, out: sum of weights * z_i.
        second: [q, q] float64, out: sum of weights * z_i z_j for i < j.
    """
    differences = np.empty(max(weights.size >> 1, 1))
    for k in range(first.size - 1, -1, -1):
        size = 1 << k
        total = 0.0
        for i in range(size):
            difference = weights[i] - weights[size + i]
            weights[i] += weights[size + i]
            differences[i] = difference
            total += difference
        first[k] = total
        for j in range(k - 1, -1, -1):
            half = 1 << j
            total = 0.0
            for i in range(half):
                total += differences[i] - differences[half + i]
                differences[i] += differences[half + i]
            second[j, k] = total
