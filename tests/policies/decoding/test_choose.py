"""Actions from logits: frequencies, support and streams of random numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from co_gym.errors import InputError
from policies.decoding.choose import Greedy, Sampling, inverted, restrict

LOGITS = torch.tensor([0.3, -torch.inf, 2.0, 1.0, -1.5, -torch.inf, 0.0])
DRAWS = 40_000


def rows(logits: torch.Tensor) -> torch.Tensor:
    return logits.expand(4, DRAWS // 4, -1).contiguous()


def assert_frequencies(actions: torch.Tensor, probability: torch.Tensor) -> None:
    """Chi-square; a correct sampler fails once in a million seeds."""
    counts = np.bincount(actions.flatten().numpy(), minlength=len(probability))
    possible = probability.numpy() > 0
    assert counts[~possible].sum() == 0
    expected = probability.double().numpy()[possible]
    assert stats.chisquare(counts[possible], DRAWS * expected / expected.sum()).pvalue > 1e-6


def test_greedy_takes_the_lowest_of_the_most_probable() -> None:
    logits = torch.tensor([[[1.0, 3.0, 3.0], [-torch.inf, 0.0, -torch.inf]]])
    assert Greedy()(logits).tolist() == [[1, 1]]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_draws_follow_the_softmax(temperature: float) -> None:
    actions = Sampling(temperature, seed=3)(rows(LOGITS))
    assert actions.shape == (4, DRAWS // 4)
    assert actions.dtype is torch.int64
    assert_frequencies(actions, (LOGITS / temperature).softmax(-1))


def test_plain_operations_draw_the_same() -> None:
    uniform = torch.rand(4, DRAWS // 4, generator=torch.Generator().manual_seed(5))
    assert_frequencies(inverted(rows(LOGITS), uniform), LOGITS.softmax(-1))


def test_plain_operations_never_leave_the_support() -> None:
    logits = torch.tensor([-torch.inf, 0.0, -100.0, -torch.inf])
    ends = torch.tensor([0.0, 1 - 2**-24])
    assert inverted(logits.expand(2, 4), ends).tolist() == [1, 1]


def test_draws_are_restricted() -> None:
    kept = torch.where(LOGITS >= 0.3, LOGITS, -torch.inf)
    assert_frequencies(Sampling(top_k=3)(rows(LOGITS)), kept.softmax(-1))
    share = float(LOGITS.softmax(-1)[2])
    assert set(Sampling(top_p=share - 0.01)(rows(LOGITS)).flatten().tolist()) == {2}
    assert set(Sampling(top_p=share + 0.01)(rows(LOGITS)).flatten().tolist()) == {2, 3}


@given(
    values=st.lists(st.integers(-4, 4), min_size=1, max_size=8),
    top_k=st.integers(0, 9),
    top_p=st.sampled_from([0.1, 0.33, 0.5, 0.77, 0.95, 1.0]),
)
def test_restriction_is_that_of_the_definition(values: list[int], top_k: int, top_p: float) -> None:
    logits = torch.tensor(values, dtype=torch.float64)
    order = sorted(range(len(values)), key=lambda i: (-values[i], i))[: top_k or len(values)]
    weights = np.exp([float(values[i]) for i in order])
    probability, kept, total = weights / weights.sum(), [], 0.0
    for i, p in zip(order, probability, strict=True):
        if total >= top_p - 1e-12 and top_p < 1:
            break
        kept.append(i)
        total += p
    found = restrict(logits, top_k, top_p)
    if not np.isclose(total, top_p) and not any(np.isclose(np.cumsum(probability), top_p)):
        assert sorted(kept) == torch.isfinite(found).nonzero().flatten().tolist()
    finite = torch.isfinite(found)
    assert torch.equal(found[finite], logits[finite])


def test_inadmissible_actions_stay_out_of_the_restriction() -> None:
    assert torch.isfinite(restrict(LOGITS, top_k=6)).tolist() == torch.isfinite(LOGITS).tolist()


def test_streams() -> None:
    choose, other = Sampling(seed=1), Sampling(seed=1)
    first, second = choose(rows(LOGITS)), choose(rows(LOGITS))
    assert torch.equal(first, other(rows(LOGITS)))
    assert not torch.equal(first, second)
    choose.reseed(1, 2, 3)
    third = choose(rows(LOGITS))
    choose.reseed(1, 2, 4)
    assert not torch.equal(third, choose(rows(LOGITS)))
    choose.reseed(1)
    assert torch.equal(first, choose(rows(LOGITS)))


@pytest.mark.parametrize(
    "wrong", [{"temperature": 0.0}, {"top_k": -1}, {"top_p": 0.0}, {"top_p": 1.1}, {"seed": -1}]
)
def test_wrong_arguments(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Sampling(**wrong)  # type: ignore[arg-type]
