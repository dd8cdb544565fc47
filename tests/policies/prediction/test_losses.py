from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from policies.prediction import losses
from policies.prediction.network import platt

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
LOSSES: list[Loss] = [losses.cross_entropy, losses.contrastive, losses.contrast, losses.ranking, losses.negatives]


def case(seed: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    """Logits with ties, values with solutions of zeros alone and ones alone, and weights."""
    rng = np.random.default_rng(seed)
    s, b = rng.integers(1, 6), rng.integers(2, 12)
    values = rng.random((s, b)) < rng.random((s, 1))
    if seed % 3 == 0:
        values[-1] = seed % 2
    logits = torch.from_numpy(rng.normal(scale=3, size=b).round(1)).to(dtype)
    weights = rng.random(s)
    return logits, torch.from_numpy(values), torch.from_numpy(weights / weights.sum())


def naive(logits: Tensor, values: Tensor, weights: Tensor) -> dict[str, float]:
    """All losses by their definitions."""
    f, found = logits.tolist(), {"cross_entropy": 0.0, "contrast": 0.0, "ranking": 0.0, "auc": 0.0}
    p, counted = [1 / (1 + math.exp(-x)) for x in f], 0.0
    for row, weight in zip(values.tolist(), weights.tolist(), strict=True):
        ones = [i for i, x in enumerate(row) if x]
        zeros = [i for i, x in enumerate(row) if not x]
        right = [math.log(p[i] if x else 1 - p[i]) for i, x in enumerate(row)]
        found["cross_entropy"] -= weight * sum(right) / len(row)
        if ones:
            share = sum(math.exp(10 * f[i]) for i in ones) / sum(math.exp(10 * x) for x in f)
            found["contrast"] -= weight * math.log(share)
        pairs = [(i, j) for i in ones for j in zeros]
        if pairs:
            lacking = [max(0.0, 0.9 - (p[i] - p[j])) for i, j in pairs]
            found["ranking"] += weight * sum(lacking) / len(pairs)
            above = [(f[i] > f[j]) + 0.5 * (f[i] == f[j]) for i, j in pairs]
            found["auc"] += weight * sum(above) / len(pairs)
            counted += weight
    found["auc"] = found["auc"] / counted if counted else 0.5
    found["contrastive"] = found["contrast"] + 0.01 * found["ranking"]
    return found


@pytest.mark.parametrize("seed", range(40))
def test_losses_are_what_they_are_defined_as(seed: int) -> None:
    given = case(seed)
    wanted = naive(*given)
    for name in ("cross_entropy", "contrast", "ranking", "contrastive"):
        assert float(getattr(losses, name)(*given)) == pytest.approx(wanted[name], rel=1e-9, abs=1e-12)
    assert losses.agreement(*given)["auc"] == pytest.approx(wanted["auc"])


@pytest.mark.parametrize("seed", range(12))
def test_gradients(seed: int) -> None:
    logits, values, weights = case(seed)
    logits = (logits + torch.linspace(0, 0.03, len(logits), dtype=torch.float64)).requires_grad_()

    def disturbed(given: Tensor) -> Tensor:
        return losses.negatives(given, values, weights, generator=torch.Generator().manual_seed(seed))

    assert torch.autograd.gradcheck(disturbed, [logits])
    for loss in (losses.cross_entropy, losses.contrastive, losses.ranking):
        assert torch.autograd.gradcheck(lambda given, loss=loss: loss(given, values, weights), [logits])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("size", [0.0, 1e3, 1e30])
def test_any_logits_have_finite_loss_and_gradient(loss: Loss, size: float) -> None:
    for seed in range(6):
        logits, values, weights = case(seed, torch.float32)
        logits = (logits.sign() * size).requires_grad_()
        found = loss(logits, values, weights)
        found.backward()
        assert found.isfinite()
        assert logits.grad is not None
        assert logits.grad.isfinite().all()


@pytest.mark.parametrize("loss", LOSSES)
def test_a_pool_of_zeros(loss: Loss) -> None:
    logits = torch.tensor([1.0, -1.0], requires_grad=True)
    found = loss(logits, torch.zeros(3, 2, dtype=torch.bool), torch.ones(3) / 3)
    found.backward()
    assert found.isfinite()
    if loss in (losses.contrast, losses.ranking, losses.contrastive):
        assert found.item() == 0.0


@pytest.mark.parametrize("seed", range(10))
def test_disturbed_solutions_exchange_a_tenth_of_the_ones(seed: int) -> None:
    values = torch.rand(5, 60, generator=torch.Generator().manual_seed(seed)) < 0.4
    values[0], values[1] = False, True
    found = losses.disturbed(values, torch.Generator().manual_seed(seed))
    assert torch.equal(found.sum(1), values.sum(1))
    lost = (values & ~found).sum(1)
    assert lost.tolist() == [0, 0, *(max(1, round(0.1 * k)) for k in values.sum(1).tolist()[2:])]


def test_losses_prefer_the_pool() -> None:
    values = torch.arange(40).remainder(5).eq(0).expand(3, -1)
    right = torch.where(values[0], 3.0, -3.0)
    for loss in LOSSES:
        at = [float(loss(sign * right, values, torch.ones(3) / 3)) for sign in (1, 0, -1)]
        assert at[0] < at[1] < at[2]


def test_precision_counts_the_ones_of_the_best() -> None:
    values = torch.tensor([[True, True, False, False], [False, False, True, True]])
    found = losses.agreement(torch.tensor([3.0, 0.0, 2.0, 1.0]), values, torch.tensor([0.9, 0.1]))
    assert found["precision"] == 0.5
    assert found["auc"] == pytest.approx(0.9 * 0.5 + 0.1 * 0.5)


def test_calibration_finds_scale_and_shift() -> None:
    x = torch.linspace(-4, 4, 200, dtype=torch.float64)
    scale, shift = platt(7 * x + 100, (0.5 * x - 2).sigmoid(), torch.ones_like(x))
    assert scale == pytest.approx(0.5 / 7, rel=1e-3)
    assert scale * 100 + shift == pytest.approx(-2, rel=1e-3)
    p = (scale * (7 * x + 100) + shift).sigmoid()
    assert losses.calibration_error(p, (0.5 * x - 2).sigmoid(), torch.ones_like(x)) < 1e-3
    assert losses.calibration_error(torch.ones(3), torch.zeros(3), torch.ones(3)) == 1.0


@pytest.mark.parametrize("size", [0.0, 1.0, 1e6])
def test_calibration_of_logits_that_separate_or_are_equal(size: float) -> None:
    wanted = torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    scale, shift = platt(size * wanted, wanted, torch.ones_like(wanted))
    p = (scale * size * wanted + shift).sigmoid()
    assert p.isfinite().all()
    assert p.mean() == pytest.approx(0.25, abs=1e-3)
    assert size == 0 or p[3] > 0.99
