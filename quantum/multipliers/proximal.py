"""The maximum of a model less a squared distance, by an active-set method in the dual."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REGULARIZATION = 1e-13
"""Added to the diagonal, where planes are scaled to length 1, so that parallel planes have unique weights."""

OPTIMAL = 1e-12
"""Reduced costs down to minus this, relative to the numbers that they are made of, are 0."""

LEAST_SIZE = 1e-6
"""Planes with slopes that are shorter than this, relative to the longest, are not scaled to length 1."""


def proximal_maximum(
    errors: NDArray, slopes: NDArray, low: NDArray, high: NDArray, weights: NDArray
) -> tuple[NDArray, NDArray]:
    """The step d that maximizes min_k (errors_k + slopes_k d) - |d|^2 / 2 from low to high.

    Its dual, min |M'z|^2 / 2 + q'z with z >= 0 and sum of the planes' weights 1, has one weight for each plane and
    one for each finite bound; d = M'z. The active-set method keeps a set of positive weights and solves for them
    (as Lawson and Hanson 1974 for least squares), starting at those of the last call.

    Args:
        errors: [K] float64, from 0 on.
        slopes: [K, m] float64.
        low: [m] float64, at most 0, may hold -inf.
        high: [m] float64, at least 0, may hold inf.
        weights: [K + 2m] float64, from 0 on, those of planes with sum 1: where to begin.

    Returns:
        d and the weights z, of planes, of `low` and of `high`.
    """
    K, m = slopes.shape
    finite = np.concatenate([np.ones(K, dtype=bool), np.isfinite(low), np.isfinite(high)])
    normals = np.vstack([slopes, np.eye(m), -np.eye(m)])[finite]
    costs = np.concatenate([errors, -low, high])[finite]
    plane = (np.arange(finite.size) < K).astype(np.float64)[finite]
    sizes = np.linalg.norm(normals, axis=1)
    sizes = np.maximum(sizes, LEAST_SIZE * float(sizes.max()) or 1.0)
    normals /= sizes[:, None]
    z = _active_set(normals @ normals.T, costs / sizes, plane / sizes, weights[finite] * sizes)
    found = np.zeros(finite.size)
    found[finite] = z / sizes
    return np.clip(normals.T @ z, low, high), found


def _active_set(gram: NDArray, costs: NDArray, plane: NDArray, z: NDArray) -> NDArray:
    """Minimize z'gram z / 2 + costs z over z >= 0 with plane'z = 1, from a z that is feasible."""
    gram = gram + REGULARIZATION * np.eye(costs.size)
    active, barred = z > 0, np.zeros(costs.size, dtype=bool)
    for _ in range(20 * z.size):
        target, price = _stationary(gram, costs, plane, active)
        negative = active & (target <= 0)
        if negative.any():
            ratios = np.where(negative, 0.0, np.inf)
            np.divide(z, z - target, out=ratios, where=negative & (z > 0))
            first = int(ratios.argmin())
            barred[first] = z[first] == 0.0  # entered for an error of rounding
            z = np.maximum(z + ratios[first] * np.where(active, target - z, 0.0), 0.0)
            z[first], active[first] = 0.0, False
            continue
        z = target
        tolerance = OPTIMAL * (z.sum() + costs + abs(price) * plane)
        reduced = np.where(active | barred, 0.0, gram @ z + costs - price * plane + tolerance)
        enters = int(reduced.argmin())
        if reduced[enters] >= 0:
            break
        active[enters] = True
    return z


def _stationary(gram: NDArray, costs: NDArray, plane: NDArray, active: NDArray) -> tuple[NDArray, float]:
    """The minimum over active weights of any sign, the others being 0, and the price of the sum."""
    where = np.flatnonzero(active)
    k = where.size
    system = np.zeros((k + 1, k + 1))
    system[:k, :k] = gram[np.ix_(where, where)]
    system[:k, k] = -plane[where]
    system[k, :k] = plane[where]
    solution = np.linalg.solve(system, np.append(-costs[where], 1.0))
    target = np.zeros(active.size)
    target[where] = solution[:k]
    return target, float(solution[k])
