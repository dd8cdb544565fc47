from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum.hamiltonians import Ising, state_bits
from quantum.recursive import Reduction, least, strongest


def random_ising(seed: int, q: int) -> Ising:
    rng = np.random.default_rng(seed)
    return Ising.of(rng.normal(), rng.normal(size=q), np.triu(rng.normal(size=(q, q)), 1))


@given(st.integers(0, 10**6), st.integers(2, 7))
@settings(max_examples=40, deadline=None)
def test_what_is_left_has_the_energy_of_the_whole(seed: int, q: int) -> None:
    ising, rng = random_ising(seed, q), np.random.default_rng(seed)
    reduction = Reduction.of(ising)
    while reduction.ising.num_qubits > 1:
        position = int(rng.integers(reduction.ising.num_qubits))
        other = int(rng.integers(-1, reduction.ising.num_qubits))
        reduction = reduction.remove(position, -1 if other == position else other, int(rng.choice([-1, 1])))
        left = state_bits(np.arange(2**reduction.ising.num_qubits), reduction.ising.num_qubits)
        np.testing.assert_allclose(ising.energy(reduction.expand(left)), reduction.ising.energies(), atol=1e-9)


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_the_ground_states_own_correlations_lead_to_it(seed: int) -> None:
    ising = random_ising(seed, 7)
    reduction = Reduction.of(ising)
    while reduction.ising.num_qubits > 2:
        ground = least(reduction.ising)
        reduction = reduction.remove(*strongest(reduction.ising, ground[None], np.ones(1)))
    found = ising.energy(reduction.expand(least(reduction.ising)))
    np.testing.assert_allclose(found, ising.energies().min())


def test_the_strongest_correlation_is_found_by_its_sign() -> None:
    ising = Ising.of(0.0, np.array([0.1, 0.0, 0.0]), np.array([[0, 0, 0], [0, 0, 1.0], [0, 1.0, 0]]))
    bits = np.array([[0, 0, 1], [1, 1, 0], [0, 1, 0]], dtype=np.uint8)
    assert strongest(ising, bits, np.full(3, 1 / 3)) == (2, 1, -1)
    assert strongest(ising, bits[[0, 2]], np.array([0.5, 0.5]))[2] == -1
