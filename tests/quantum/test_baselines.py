from __future__ import annotations

import numpy as np
import pytest

from quantum.baselines import LEAST, SWEEPS, annealed_bits, rounded_bits, uniform_bits
from quantum.hamiltonians import Ising


def test_annealing_finds_ground_states_of_glasses() -> None:
    hits = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        ising = Ising.of(0.0, rng.normal(size=12), np.triu(rng.normal(size=(12, 12)), 1))
        bits = annealed_bits(ising, 20 * SWEEPS, seed)
        assert bits.shape == (20, 12)
        hits += ising.energy(bits).min() <= ising.energies().min() + 1e-9
        np.testing.assert_array_equal(bits, annealed_bits(ising, 20 * SWEEPS, seed))
    assert hits >= 9


def test_annealing_of_nothing_but_a_constant() -> None:
    assert annealed_bits(Ising.of(1.0, np.zeros(3), np.zeros((3, 3))), 100, 0).shape == (1, 3)


def test_bits_have_their_marginals() -> None:
    rng = np.random.default_rng(0)
    assert uniform_bits(5, 20_000, rng).mean(axis=0) == pytest.approx(0.5, abs=0.02)
    marginals = np.array([0.0, 0.3, 0.5, 1.0])
    found = rounded_bits(marginals, 20_000, rng).mean(axis=0)
    assert found == pytest.approx(np.clip(marginals, LEAST, 1 - LEAST), abs=0.02)
