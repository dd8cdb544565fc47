from __future__ import annotations

import numpy as np
import pytest

from quantum.quality import best_of, quality, time_to_solution


def test_the_best_of_draws_is_what_drawing_gives() -> None:
    rng = np.random.default_rng(0)
    values, probabilities = rng.normal(size=30), rng.dirichlet(np.ones(30))
    for draws in (1, 3, 50):
        drawn = rng.choice(values, size=(20_000, draws), p=probabilities).min(axis=1)
        assert best_of(values, probabilities, draws) == pytest.approx(drawn.mean(), abs=5 * drawn.std() / 141)
    assert best_of(values, probabilities, 1) == pytest.approx(values @ probabilities)


def test_figures_of_a_known_distribution() -> None:
    objectives = np.array([-10.0, -8.0, -12.0, -5.0])
    feasible = np.array([True, True, False, True])
    found = quality(objectives, feasible, np.full(4, 0.25), optimum=-10.0, worst=0.0, uniform=0.25)
    assert found.feasible_fraction == 0.75
    assert found.mean_gap == pytest.approx((0.0 + 0.2 + 0.5) / 3)
    assert found.p_optimal == 0.25
    assert found.over_uniform == 1.0
    assert found.time_to_solution == pytest.approx(np.log(0.01) / np.log(0.75))
    assert 0.0 <= found.best_of_50_gap < 1e-5


def test_without_an_optimum_only_feasibility_is_known() -> None:
    found = quality(np.array([1.0, 2.0]), np.array([True, False]), np.array([0.4, 0.6]))
    assert found.feasible_fraction == 0.4
    assert found.p_optimal is None


def test_nothing_feasible_has_no_gap_and_takes_forever() -> None:
    found = quality(np.array([1.0, 2.0]), np.zeros(2, dtype=bool), np.array([0.4, 0.6]), optimum=1.0)
    assert (found.feasible_fraction, found.mean_gap, found.p_optimal, found.time_to_solution) == (0, None, 0, None)


def test_times_to_solution() -> None:
    assert time_to_solution(0.0) is None
    assert time_to_solution(1.0) == 1.0
    assert time_to_solution(0.5) == pytest.approx(6.6439, abs=1e-4)
