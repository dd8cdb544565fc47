from __future__ import annotations

import numpy as np
import pytest

from quantum.kernels.layers import phase_alone
from quantum.states import State


@pytest.mark.parametrize("kind", [np.float64, np.uint8, np.uint16])
@pytest.mark.parametrize(("dtype", "atol"), [(np.float64, 1e-12), (np.float32, 3e-7)])
@pytest.mark.parametrize("angle", [0.0, 0.37, -11.0, 123.456, 4321.0])
def test_phases_are_exponentials_at_any_angle(kind: type, dtype: type, atol: float, angle: float) -> None:
    rng = np.random.default_rng(0)
    table = rng.integers(0, 200, size=1024).astype(kind)
    if kind is np.float64:
        table += rng.random(1024)
    state = State.empty(1024, dtype)
    state.real[:], state.imag[:] = rng.normal(size=1024), rng.normal(size=1024)
    before = state.real.astype(float) + 1j * state.imag
    phase_alone(state.real, state.imag, (table, 0.5, 90.0), angle)
    expected = before * np.exp(-0.5j * angle * (table.astype(float) - 90.0))
    tolerance = 10 * atol + 1e-15 * abs(angle) * 200
    np.testing.assert_allclose(state.real + 1j * state.imag.astype(float), expected, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_memory_of_states_begins_at_a_cache_line(dtype: type) -> None:
    for size in (512, 1024, 4096):
        state = State.empty(size, dtype)
        assert state.real.ctypes.data % 64 == state.imag.ctypes.data % 64 == 0
        assert state.real.shape == state.imag.shape == (size,)
