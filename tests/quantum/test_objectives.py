from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from co_gym.errors import InputError
from quantum.objectives import CVaR, Gibbs, Mean

OBJECTIVES = [Mean(), CVaR(0.25), CVaR(1.0), CVaR(0.01), Gibbs(0.7)]


@pytest.mark.parametrize("objective", OBJECTIVES)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_weights_are_the_derivative(objective: Mean, seed: int) -> None:
    rng = np.random.default_rng(seed)
    energies, p = rng.normal(size=12), rng.dirichlet(np.ones(12))
    change = rng.normal(size=12)
    change -= change.mean()
    change *= 1e-7 / np.abs(change).max()
    _, weights = objective(energies, p)
    slope = objective(energies, p + change)[0] - objective(energies, p - change)[0]
    assert slope == pytest.approx(2 * float(weights @ change), rel=1e-4, abs=1e-13)


@given(st.integers(0, 10**6), st.sampled_from([0.1, 0.25, 0.5, 1.0]))
@settings(max_examples=40, deadline=None)
def test_cvar_of_samples_is_the_mean_of_the_lowest(seed: int, alpha: float) -> None:
    energies = np.random.default_rng(seed).normal(size=40)
    value, _ = CVaR(alpha)(energies, np.full(40, 1 / 40))
    assert value == pytest.approx(np.sort(energies)[: round(40 * alpha)].mean())
    assert CVaR(alpha).for_energies(energies)(energies, np.full(40, 1 / 40))[0] == value


def test_cvar_of_everything_is_the_mean_and_gibbs_lies_below() -> None:
    rng = np.random.default_rng(0)
    energies, p = rng.normal(size=20), rng.dirichlet(np.ones(20))
    mean = Mean()(energies, p)[0]
    assert CVaR(1.0)(energies, p)[0] == pytest.approx(mean)
    assert Gibbs(1.0)(energies, p)[0] <= mean
    assert Gibbs(1e-6)(energies, p)[0] / 1e-6 == pytest.approx(mean, abs=1e-4)
    far = Gibbs(1.0)(energies + 1e4, p)[0]
    assert far == pytest.approx(1e4 + Gibbs(1.0)(energies, p)[0])


def test_constants_out_of_range_are_refused() -> None:
    for wrong in (0.0, -1.0, 1.5, float("nan")):
        with pytest.raises(InputError, match="alpha"):
            CVaR(wrong)
    for wrong in (0.0, float("nan")):
        with pytest.raises(InputError, match="eta"):
            Gibbs(wrong)
