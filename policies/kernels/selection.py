"""Compatibilities of a selection decoder: a small network for each node of each state.

Arrays are float32. c instances with q queries each; n nodes; F dynamic features, C scalars, H hidden units. The
coefficients of an instance are [R, n], R = 1 + F + C + 2 H, in this order: a constant, one for each dynamic
feature, one for each scalar, the H inputs and the H outputs of the hidden units.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from policies.kernels.fastmath import vectorized

Floats = NDArray[np.float32]
ZERO = np.float32(0.0)
ONE = np.float32(1.0)


@vectorized
def compatibilities(coefficients: Floats, dynamic: Floats, scalars: Floats, hidden: Floats, out: Floats) -> None:
    """Writes sum(coefficient * feature) + sum over h of output_h * relu(input_h + hidden_h . features).

    Args:
        coefficients: [c, R, n].
        dynamic: [c, q, n, F].
        scalars: [c, q, C].
        hidden: [H, F + C].
        out: [c, q, n].
    """
    c, q, n, F = dynamic.shape
    C, H = scalars.shape[2], hidden.shape[0]
    x, z = np.empty((F, n), np.float32), np.empty(n, np.float32)
    for b in range(c):
        table = coefficients[b]
        for i in range(q):
            row = out[b, i]
            for f in range(F):
                for j in range(n):
                    x[f, j] = dynamic[b, i, j, f]
            for j in range(n):
                row[j] = table[0, j]
            for f in range(F):
                for j in range(n):
                    row[j] += table[1 + f, j] * x[f, j]
            for k in range(C):
                s = scalars[b, i, k]
                for j in range(n):
                    row[j] += s * table[1 + F + k, j]
            for h in range(H):
                _unit(coefficients, b, 1 + F + C + h, x, scalars, i, hidden, h, z)
                r = 1 + F + C + H + h
                for j in range(n):
                    row[j] += table[r, j] * max(z[j], ZERO)


@vectorized
def _unit(
    coefficients: Floats, b: int, r: int, x: Floats, scalars: Floats, i: int, hidden: Floats, h: int, z: Floats
) -> None:
    """What enters hidden unit h at each node in state i of instance b; row r of the coefficients is its input."""
    F, n = x.shape
    shift = ZERO
    for k in range(scalars.shape[2]):
        shift += hidden[h, F + k] * scalars[b, i, k]
    for j in range(n):
        z[j] = coefficients[b, r, j] + shift
    for f in range(F):
        w = hidden[h, f]
        for j in range(n):
            z[j] += w * x[f, j]


@vectorized
def compatibilities_backward(
    coefficients: Floats,
    dynamic: Floats,
    scalars: Floats,
    hidden: Floats,
    d_out: Floats,
    d_coefficients: Floats,
    d_hidden: Floats,
) -> None:
    """Adds the gradients, given those of the compatibilities [c, q, n], to `d_coefficients` and `d_hidden`."""
    c, q, n, F = dynamic.shape
    C, H = scalars.shape[2], hidden.shape[0]
    x, z = np.empty((F, n), np.float32), np.empty(n, np.float32)
    for b in range(c):
        table, grad = coefficients[b], d_coefficients[b]
        for i in range(q):
            d = d_out[b, i]
            for f in range(F):
                for j in range(n):
                    x[f, j] = dynamic[b, i, j, f]
            for j in range(n):
                grad[0, j] += d[j]
            for f in range(F):
                for j in range(n):
                    grad[1 + f, j] += d[j] * x[f, j]
            for k in range(C):
                s = scalars[b, i, k]
                for j in range(n):
                    grad[1 + F + k, j] += s * d[j]
            for h in range(H):
                _unit(coefficients, b, 1 + F + C + h, x, scalars, i, hidden, h, z)
                entering, leaving = 1 + F + C + h, 1 + F + C + H + h
                total = ZERO
                for j in range(n):
                    grad[leaving, j] += d[j] * max(z[j], ZERO)
                    z[j] = d[j] * table[leaving, j] * (ONE if z[j] > ZERO else ZERO)
                    grad[entering, j] += z[j]
                    total += z[j]
                for k in range(C):
                    d_hidden[h, F + k] += total * scalars[b, i, k]
                for f in range(F):
                    total = ZERO
                    for j in range(n):
                        total += z[j] * x[f, j]
                    d_hidden[h, f] += total
