from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum.multipliers.models import LinearMaster
from quantum.multipliers.proximal import proximal_maximum


def planes(seed: int) -> tuple[np.ndarray, ...]:
    """Planes, some of them parallel, equal or through the centre, and a box with the centre at its boundary."""
    rng = np.random.default_rng(seed)
    m, K = int(rng.integers(1, 12)), int(rng.integers(1, 25))
    slopes = rng.integers(-3, 4, size=(K, m)).astype(float) if seed % 2 else rng.normal(size=(K, m))
    errors = rng.random(K) * (rng.random(K) < 0.6) * 10.0 ** rng.integers(-3, 3)
    slopes[-1], errors[-1] = slopes[0], errors[0]
    low = np.where(rng.random(m) < 0.3, 0.0, -rng.random(m))
    high = np.where(rng.random(m) < 0.3, 0.0, rng.random(m))
    return errors, slopes, low, high


@given(st.integers(0, 10**6), st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_proximal_step_is_optimal_by_duality(seed: int, bounded: bool) -> None:
    errors, slopes, low, high = planes(seed)
    if not bounded:
        low = np.where(low < -0.5, -np.inf, low)
        high = np.where(high > 0.5, np.inf, high)
    start = np.zeros(errors.size + 2 * low.size)
    start[0] = 1.0
    d, z = proximal_maximum(errors, slopes, low, high, start)
    assert ((d >= low) & (d <= high)).all()
    assert (z >= 0).all()
    assert z[: errors.size].sum() == pytest.approx(1.0)
    unit = np.eye(low.size)
    normals = np.vstack([slopes, unit, -unit])
    costs = np.concatenate([errors, -low, high])
    used = z > 0
    primal = np.min(errors + slopes @ d) - d @ d / 2
    dual = np.sum((normals.T @ z) ** 2) / 2 + costs[used] @ z[used]
    assert primal == pytest.approx(dual, rel=1e-7, abs=1e-7)
    again, _ = proximal_maximum(errors, slopes, low, high, z)
    np.testing.assert_allclose(again, d, atol=1e-6)


@given(st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_no_random_step_is_better_than_the_maximum_of_the_model(seed: int) -> None:
    errors, slopes, low, high = planes(seed)
    master = LinearMaster(low.size)
    master.maximum(errors[:1] + 1.0, slopes[:1], 2.0 * low, 3.0 * high)
    d = master.maximum(errors, slopes, low, high)
    assert ((d >= low) & (d <= high)).all()
    others = np.random.default_rng(seed).uniform(low, high, size=(200, low.size))
    others = np.vstack([others, d + 0.01 * (others - d)])
    assert (errors + others @ slopes.T).min(axis=1).max() <= np.min(errors + slopes @ d) + 1e-6
