from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum.hamiltonians import state_bits
from quantum.kernels.reductions import expectation, moments, overlaps, product_state


@given(st.integers(0, 10**6), st.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_moments_are_sums_of_weights_times_spins(seed: int, q: int) -> None:
    weights = np.random.default_rng(seed).normal(size=2**q)
    spins = 1.0 - 2.0 * state_bits(np.arange(2**q), q)
    first, second = np.empty(q), np.zeros((q, q))
    moments(weights.copy(), first, second)
    np.testing.assert_allclose(first, weights @ spins, atol=1e-11)
    np.testing.assert_allclose(second, np.triu(np.einsum("x,xi,xj->ij", weights, spins, spins), 1), atol=1e-11)


@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([np.float64, np.float32]))
@settings(max_examples=30, deadline=None)
def test_product_states_are_kronecker_products(seed: int, q: int, dtype: type) -> None:
    angles = np.random.default_rng(seed).normal(size=q)
    cosines, sines = np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)
    expected = np.ones(1)
    for cos, sin in zip(cosines, sines, strict=True):
        expected = np.kron([cos, sin], expected)
    x, y = np.full(128, np.nan, dtype), np.full(128, np.nan, dtype)
    product_state(x, y, cosines, sines)
    np.testing.assert_allclose(x[: 2**q], expected, atol=1e-6)
    assert not x[2**q :].any()
    assert not y.any()


def test_sums_over_amplitudes_are_in_double_precision() -> None:
    rng = np.random.default_rng(0)
    x, y, u, v = (rng.normal(size=1000).astype(np.float32) for _ in range(4))
    energies = rng.normal(size=1000)
    psi, other = x.astype(float) + 1j * y, u.astype(float) + 1j * v
    np.testing.assert_allclose(expectation(x, y, energies), np.abs(psi) ** 2 @ energies, rtol=1e-12)
    out = np.empty(1000)
    overlaps(x, y, u, v, out)
    np.testing.assert_allclose(out, (other.conj() * psi).imag, atol=1e-13)
