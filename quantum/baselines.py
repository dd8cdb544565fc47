"""What a quantum method has to be compared with: samplers without anything quantum, for as many samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from quantum.hamiltonians import Ising

SWEEPS = 100
"""Of one annealing run."""
LEAST = 0.1
"""Marginals of rounding are kept so far away from 0 and 1, so that every string can be drawn."""


def uniform_bits(num_bits: int, shots: int, rng: np.random.Generator) -> NDArray:
    """[shots, n] uint8, independent and uniform."""
    return rng.integers(0, 2, size=(shots, num_bits), dtype=np.uint8)


def rounded_bits(marginals: NDArray, shots: int, rng: np.random.Generator, least: float = LEAST) -> NDArray:
    """[shots, n] uint8, each bit 1 with its marginal [n]: randomized rounding (Raghavan and Thompson 1987)."""
    return (rng.random((shots, marginals.size)) < np.clip(marginals, least, 1.0 - least)).astype(np.uint8)


def annealed_bits(ising: Ising, shots: int, seed: int) -> NDArray:
    """[shots / 100 or at least 1, q] uint8, by simulated annealing (Kirkpatrick et al. 1983).

    A run has 100 sweeps, from a temperature at which most flips are accepted to one at which hardly any is; there
    are as many sweeps in all as there are shots.
    """
    from quantum.kernels.annealing import anneal

    dense = sparse.csr_matrix(ising.matrix())
    felt = np.abs(ising.fields) + np.asarray(np.abs(dense).sum(axis=1)).ravel()
    sizes = np.concatenate([np.abs(ising.fields), np.abs(ising.couplings)])
    least = float(sizes[sizes > 0].min()) if (sizes > 0).any() else 1.0
    hot, cold = 2.0 * max(float(felt.max(initial=0.0)), least) / np.log(2.0), 2.0 * least / np.log(100.0)
    temperatures = np.geomspace(hot, max(cold, 1e-3 * hot), SWEEPS)
    starts, neighbours = dense.indptr.astype(np.int64), dense.indices.astype(np.int64)
    return anneal(
        ising.fields,
        starts,
        neighbours,
        dense.data,
        temperatures,
        max(1, shots // SWEEPS),
        np.random.default_rng(seed),
    )
