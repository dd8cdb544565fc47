"""Features and layers of the networks that score candidates, float32."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from policies.kernels.fastmath import log1p_positive, vectorized

Floats = NDArray[np.float32]
LIMIT = np.float32(10.0)
NOISE, RELATIVE_NOISE = np.float32(1e-8), np.float32(1e-6)
TINY, SPREAD = 1e-12, 1e-9
"""Least number of which a logarithm is taken, and what is added to a deviation that may be zero."""
ZERO = np.float32(0.0)
ONE = np.float32(1.0)


@vectorized
def standardize(x: Floats, mean: Floats, scale: Floats, out: Floats) -> None:
    """Writes (x - mean) * scale, limited to [-10, 10]; x and out [n, F]."""
    for i in range(x.shape[0]):
        for f in range(x.shape[1]):
            out[i, f] = min(max((x[i, f] - mean[f]) * scale[f], -LIMIT), LIMIT)


@vectorized
def inputs(features: Floats, mean: Floats, scale: Floats, out: Floats) -> None:
    """Writes what the perceptron sees of the candidates, [k, 2 F].

    First the features squashed and standardized, then squashed and relative to the other candidates; see
    `policies.branching.hybrid.Hybrid`.

    Args:
        features: [k, F].
        mean: [F]; of the squashed features in training.
        scale: [F]; one over their deviation.
        out: [k, 2 F].
    """
    k, F = features.shape
    center, spread = np.zeros(F, np.float32), np.zeros(F, np.float32)
    share = ONE / np.float32(k)
    for i in range(k):
        for f in range(F):
            x = features[i, f]
            size = log1p_positive(abs(x))
            y = size if x >= ZERO else -size
            out[i, F + f] = y
            center[f] += y
            out[i, f] = min(max((y - mean[f]) * scale[f], -LIMIT), LIMIT)
    for f in range(F):
        center[f] *= share
    for i in range(k):
        for f in range(F):
            y = out[i, F + f] - center[f]
            out[i, F + f] = y
            spread[f] += y * y
    for f in range(F):
        noise = NOISE + RELATIVE_NOISE * center[f] * center[f]
        spread[f] = ONE / np.sqrt(spread[f] * share + noise)
    for i in range(k):
        for f in range(F):
            out[i, F + f] = min(max(out[i, F + f] * spread[f], -LIMIT), LIMIT)


@vectorized
def add_relu(x: Floats, bias: Floats) -> None:
    """Sets x to relu(x + bias); x [n, d], bias [d]."""
    for i in range(x.shape[0]):
        for k in range(x.shape[1]):
            x[i, k] = max(x[i, k] + bias[k], ZERO)


@vectorized
def sum_relu(x: Floats, y: Floats, bias: Floats) -> None:
    """Sets x to relu(x + y + bias); x and y [n, d], bias [d]."""
    for i in range(x.shape[0]):
        for k in range(x.shape[1]):
            x[i, k] = max(x[i, k] + y[i, k] + bias[k], ZERO)


@vectorized
def modulate_relu(x: Floats, bias: Floats, films: Floats, columns: NDArray, first: int) -> None:
    """Sets x to relu(scale * (x + bias) + shift), by the films of the candidates.

    Args:
        x: [k, d].
        bias: [d].
        films: [n, layers * 2 d]; scale and shift of each layer for each column.
        columns: integers [k]; the candidates.
        first: Where in a row of `films` this layer begins.
    """
    d = x.shape[1]
    for i in range(x.shape[0]):
        film = films[columns[i]]
        for k in range(d):
            x[i, k] = max((x[i, k] + bias[k]) * film[first + k] + film[first + d + k], ZERO)


@njit(cache=True, nogil=True)
def best_blend(scores: NDArray, others: NDArray, weight: float) -> int:
    """Position of the largest of scores + weight * log(others), both [k] in deviations from their means.

    What does not differ counts as zero.
    """
    k = scores.size
    logs = np.empty(k)
    mean, mean_log = 0.0, 0.0
    for i in range(k):
        logs[i] = math.log(max(others[i], TINY))
        mean += scores[i]
        mean_log += logs[i]
    mean, mean_log = mean / k, mean_log / k
    square, square_log = 0.0, 0.0
    for i in range(k):
        square += (scores[i] - mean) ** 2
        square_log += (logs[i] - mean_log) ** 2
    scale = 1.0 / (math.sqrt(square / k) + SPREAD)
    scale_log = weight / (math.sqrt(square_log / k) + SPREAD)
    best, highest = 0, -math.inf
    for i in range(k):
        value = (scores[i] - mean) * scale + (logs[i] - mean_log) * scale_log
        if value > highest:
            best, highest = i, value
    return best
