from __future__ import annotations

import numpy as np
import pytest

from quantum.tuning import spsa, tune

GOAL = np.linspace(-0.5, 0.5, 16)


def smooth(angles: np.ndarray) -> tuple[float, np.ndarray]:
    """A bowl with waves, whose minimum is 0 at the goal."""
    away = angles - GOAL[: angles.size]
    value = float(np.sum(2.0 - 2.0 * np.cos(away)) + np.sum(away**2))
    return value, 2.0 * np.sin(away) + 2.0 * away


@pytest.mark.parametrize("size", [2, 16])
def test_gradients_lead_to_the_minimum(size: int) -> None:
    found = tune(smooth, np.zeros(size), 100)
    assert found.value < 1e-8
    np.testing.assert_allclose(found.angles, GOAL[:size], atol=1e-4)
    assert found.evaluations == len(found.history) < 40


@pytest.mark.parametrize(("size", "evaluations", "enough"), [(2, 60, 0.01), (4, 120, 0.05), (16, 600, 0.1)])
def test_without_gradients_noise_is_no_obstacle(size: int, evaluations: int, enough: float) -> None:
    rng = np.random.default_rng(0)
    found = tune(lambda t: (smooth(t)[0] + 0.01 * rng.normal(), None), np.zeros(size), evaluations)
    start = smooth(np.zeros(size))[0]
    assert smooth(found.angles)[0] < enough * start + 0.02
    assert found.evaluations <= evaluations


def test_the_budget_and_the_clock_are_kept() -> None:
    calls = []

    def target(angles: np.ndarray) -> tuple[float, np.ndarray]:
        calls.append(angles)
        return smooth(angles)

    assert tune(target, np.zeros(16), 3).evaluations == 3 == len(calls)
    calls.clear()
    found = tune(target, np.zeros(16), 100, is_over=lambda: len(calls) >= 2)
    assert found.evaluations == 2
    assert tune(target, np.zeros(16), 100, is_over=lambda: True).evaluations == 1


def test_a_circuit_without_angles_is_evaluated_once() -> None:
    found = tune(lambda t: (1.5, t), np.zeros(0), 10)
    assert (found.evaluations, found.value) == (1, 1.5)


def test_spsa_is_the_same_for_the_same_seed() -> None:
    runs = [spsa(lambda t: smooth(t)[0], np.zeros(16), 20, np.random.default_rng(3)) for _ in range(2)]
    np.testing.assert_array_equal(*runs)
