import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from policies.tasks.relaxation import relaxation


def solved(profits, weights):
    found = linprog(-profits, A_ub=weights, b_ub=np.ones(len(weights)), bounds=(0, 1))
    return -found.fun, -found.ineqlin.marginals


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), m=st.integers(1, 6), n=st.integers(1, 40), load=st.floats(0.1, 10.0))
def test_the_bound_is_that_of_a_simplex_method(seed, m, n, load):
    rng = np.random.default_rng(seed)
    weights = rng.random((2, m, n)) + 1e-3
    weights /= np.maximum(weights.sum(-1, keepdims=True) / load, weights.max(-1, keepdims=True))
    profits = 2 * rng.random((2, n))
    x, prices = relaxation(*map(torch.from_numpy, (profits, weights)), torch.ones(2, n, dtype=torch.bool))
    for b in range(2):
        bound, _ = solved(profits[b], weights[b])
        priced = profits[b] - prices[b].numpy() @ weights[b]
        dual = prices[b].sum().item() + np.maximum(priced, 0).sum()
        assert (weights[b] @ x[b].numpy()).max() <= 1 + 1e-9
        assert profits[b] @ x[b].numpy() == pytest.approx(bound, rel=1e-4)
        assert dual == pytest.approx(bound, rel=1e-4)


def test_prices_are_the_dual_values():
    rng = np.random.default_rng(3)
    weights, profits = rng.random((1, 3, 30)) / 6, 2 * rng.random((1, 30))
    _, prices = relaxation(*map(torch.from_numpy, (profits, weights)), torch.ones(1, 30, dtype=torch.bool))
    np.testing.assert_allclose(prices[0].numpy(), solved(profits[0], weights[0])[1], atol=1e-5)


def test_equal_items_share_what_is_left():
    profits, weights = torch.ones(1, 4).double(), torch.full((1, 1, 4), 0.5).double()
    x, _ = relaxation(profits, weights, torch.ones(1, 4, dtype=torch.bool))
    np.testing.assert_allclose(x[0].numpy(), np.full(4, 0.5), atol=1e-6)


def test_items_that_take_no_part_change_nothing():
    rng = np.random.default_rng(5)
    weights, profits = torch.from_numpy(rng.random((1, 2, 8)) / 2), torch.from_numpy(rng.random((1, 8)))
    mask = torch.tensor([[True] * 5 + [False] * 3])
    weights, profits = weights * mask.unsqueeze(1), profits * mask
    x, prices = relaxation(profits, weights, mask)
    fewer, same = relaxation(profits[:, :5], weights[:, :, :5], mask[:, :5])
    torch.testing.assert_close(x[:, :5], fewer, rtol=0, atol=1e-6)
    torch.testing.assert_close(prices, same, rtol=0, atol=1e-6)
    assert not x[:, 5:].any()


@pytest.mark.parametrize("mask", [True, False])
def test_nothing_to_pack_is_no_accident(mask):
    x, prices = relaxation(torch.zeros(1, 3).double(), torch.zeros(1, 2, 3).double(), torch.full((1, 3), mask))
    assert x.isfinite().all()
    assert prices.isfinite().all()
