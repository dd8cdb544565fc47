import numpy as np
from numba import njit

from policies.kernels.fastmath import exp_nonpositive, log1p_positive, tanh


@njit
def all_exp(x, out):
    for i in range(len(x)):
        out[i] = exp_nonpositive(x[i])


@njit
def all_tanh(x, out):
    for i in range(len(x)):
        out[i] = tanh(x[i])


def test_exp_is_as_exact_as_it_says():
    x = np.linspace(-86.9, 0.0, 100_001, dtype=np.float32)
    out = np.empty_like(x)
    all_exp(x, out)
    exact = np.exp(x.astype(np.float64))
    assert (abs(out - exact) <= (4e-7 - 7e-8 * x) * exact).all()
    assert out[-1] == 1.0


def test_exp_has_a_floor_and_no_nan_at_minus_infinity():
    x = np.array([-88.0, -1e30, -np.inf], np.float32)
    out = np.empty_like(x)
    all_exp(x, out)
    np.testing.assert_allclose(out, np.exp(-87.0), rtol=6e-6)


def test_tanh_is_odd_and_close():
    x = np.linspace(-12, 12, 10_001, dtype=np.float32)
    out = np.empty_like(x)
    all_tanh(x, out)
    np.testing.assert_allclose(out, np.tanh(x.astype(np.float64)), atol=3e-7)
    np.testing.assert_array_equal(out, -out[::-1])


@njit
def all_log1p(x, out):
    for i in range(len(x)):
        out[i] = log1p_positive(x[i])


def test_log1p_is_as_exact_as_it_says():
    x = np.concatenate([[0.0], np.logspace(-37, 38, 200_001), np.linspace(0, 4, 100_001)]).astype(np.float32)
    out = np.empty_like(x)
    all_log1p(x, out)
    exact = np.log1p(x.astype(np.float64))
    assert (abs(out - exact) <= 3e-7 * exact).all()
