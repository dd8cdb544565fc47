from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from co_gym.errors import InputError
from quantum.ansatze.angles import MIXERS, PHASES, fixed, interpolated, ramp, schedule
from quantum.hamiltonians import Ising


def energy_per_spin(glasses: list[np.ndarray], phases: np.ndarray, mixers: np.ndarray) -> float:
    """Mean over glasses, by the definition of QAOA."""
    total = 0.0
    for energies in glasses:
        q = energies.size.bit_length() - 1
        state = np.full(energies.size, energies.size**-0.5, dtype=complex)
        for phase, mixer in zip(phases, mixers, strict=True):
            state = (state * np.exp(-1j * phase * energies)).reshape((2,) * q)
            for axis in range(q):
                state = np.cos(mixer) * state + 1j * np.sin(mixer) * np.flip(state, axis)
            state = state.ravel()
        total += float(np.abs(state) ** 2 @ energies) / q / len(glasses)
    return total


@pytest.fixture(scope="module")
def glasses() -> list[np.ndarray]:
    """Energies of Sherrington-Kirkpatrick models of 10 spins."""
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        ising = Ising.of(0.0, np.zeros(10), np.triu(rng.normal(size=(10, 10)), 1))
        found.append(ising.scaled(1.0 / ising.scale).energies())
    return found


def test_fixed_angles_are_close_to_the_best_for_glasses(glasses: list[np.ndarray]) -> None:
    for layers in (1, 2, 3):
        phases, mixers = fixed(layers)
        value = energy_per_spin(glasses, phases, mixers)
        best = minimize(
            lambda t, p=layers: energy_per_spin(glasses, t[:p], t[p:]), np.concatenate([phases, mixers]),
            method="Powell", options={"maxfev": 150},
        ).fun  # fmt: skip
        assert best <= value <= 0.97 * best


def test_more_layers_of_fixed_angles_are_better(glasses: list[np.ndarray]) -> None:
    values = [energy_per_spin(glasses[:3], *fixed(layers)) for layers in range(1, len(PHASES) + 1)]
    assert np.all(np.diff(values) < 0)


def test_every_table_entry_has_its_layers() -> None:
    assert [len(row) for row in PHASES] == [len(row) for row in MIXERS] == list(range(1, 9))
    for layers in (0, 9):
        with pytest.raises(InputError, match="expected 1 to 8"):
            fixed(layers)
    np.testing.assert_array_equal(schedule(20), ramp(20))


def test_interpolation_keeps_straight_lines_and_their_ends() -> None:
    angles = np.column_stack([np.linspace(0.2, 0.8, 4), np.linspace(0.9, 0.3, 4)])
    found = interpolated(angles)
    assert found.shape == (5, 2)
    np.testing.assert_allclose(found[0], angles[0])
    np.testing.assert_allclose(found[-1], angles[-1])
    assert np.all(np.diff(found[:, 0]) > 0)
    assert np.all(np.diff(found[:, 1]) < 0)
    np.testing.assert_allclose(interpolated(np.array([[0.4, 0.1]])), [[0.4, 0.1]] * 2)
