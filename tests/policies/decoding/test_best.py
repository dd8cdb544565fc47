"""The best of many candidates, compared with sorting them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from policies.decoding.best import Best


@given(
    values=st.lists(st.integers(0, 3), min_size=48, max_size=48),
    maximize=st.booleans(),
    order=st.permutations(range(4)),
)
def test_ties_go_to_the_lowest_augmentation_and_start(values: list[int], maximize: bool, order: list[int]) -> None:
    """2 instances, 4 augmentations, 6 starts; offered two augmentations at a time in any order."""
    objective = torch.tensor(values).view(2, 4, 6)
    best = Best(2, maximize)
    start = torch.tensor([3, 0, 5, 1, 4, 2])
    for pair in (order[:2], order[2:]):
        instance, turn = torch.tensor([0, 1, 0, 1]), torch.tensor(sorted(pair * 2))
        found = objective[instance, turn][:, start]
        solution = torch.stack([instance, turn], 1).unsqueeze(1).expand(-1, 6, -1)
        solution = torch.cat([solution, start.view(1, 6, 1).expand(4, -1, -1)], 2)
        best.offer(instance, turn, start.expand(4, -1), solution, found)
    kept = best.solutions(True)
    for b in range(2):
        sign = -1 if maximize else 1
        value, turn_, start_ = min((sign * int(objective[b, a, s]), a, s) for a in range(4) for s in range(6))
        assert (sign * int(kept.objective[b]), int(kept.augmentation[b]), int(kept.start[b])) == (
            value,
            turn_,
            start_,
        )
        assert kept.solution[b].tolist() == [b, turn_, start_]


def test_a_missing_solution_is_an_error() -> None:
    best = Best(2, True)
    one = torch.zeros(1, dtype=torch.int64)
    best.offer(one, one, one.view(1, 1), one.view(1, 1, 1), one.view(1, 1))
    assert best.have(torch.tensor([0]))
    assert not best.have(torch.tensor([0, 1]))
    with pytest.raises(RuntimeError, match="no solution"):
        best.solutions(True)
