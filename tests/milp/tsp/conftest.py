"""Random instances and brute force shared by the tests."""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray


def _symmetric(rng: np.random.Generator, n: int, low: int = 1, high: int = 100) -> NDArray:
    upper = np.triu(rng.integers(low, high, (n, n)), 1)
    return upper + upper.T


def _euclidean(rng: np.random.Generator, n: int, side: int = 1000) -> NDArray:
    points = rng.integers(0, side, (n, 2))
    return np.rint(np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))).astype(np.int64)


def _tours(n: int) -> NDArray:
    return np.array([(0, *p) for p in permutations(range(1, n)) if n < 4 or p[0] < p[-1]])


def _lengths(distances: NDArray, tours: NDArray) -> NDArray:
    return distances[tours, np.roll(tours, -1, axis=1)].sum(axis=1)


@pytest.fixture(scope="session")
def tsp() -> SimpleNamespace:
    """symmetric(rng, n, low, high), euclidean(rng, n, side): int64 [n, n]; tours(n): every tour once;
    lengths(distances, tours)."""
    return SimpleNamespace(symmetric=_symmetric, euclidean=_euclidean, tours=_tours, lengths=_lengths)
