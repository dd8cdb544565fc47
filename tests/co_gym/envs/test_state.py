"""Starts of a state taken out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from co_gym import InputError
from co_gym.envs import KnapsackEnv, MISEnv, TSPEnv, TwoOptEnv

GENERATOR = torch.Generator().manual_seed(0)
POINTS = torch.rand(3, 6, 2, generator=GENERATOR)
EDGES = torch.rand(3, 6, 6, generator=GENERATOR) < 0.2
CASES: dict[str, tuple[Callable[..., Any], dict[str, torch.Tensor]]] = {
    "tsp": (TSPEnv, {"coordinates": POINTS}),
    "two-opt": (TwoOptEnv, {"coordinates": POINTS}),
    "knapsack": (
        KnapsackEnv,
        {
            "profits": torch.arange(18).view(3, 6),
            "weights": torch.arange(18).view(3, 6) % 5 + 1,
            "capacity": torch.tensor([7, 9, 11]),
        },
    ),
    "mis": (MISEnv, {"weights": torch.ones(3, 6), "adjacency": EDGES.triu(1) | EDGES.triu(1).transpose(1, 2)}),
}


def first(state: Any) -> torch.Tensor:
    return state.action_mask.to(torch.uint8).argmax(-1)


@pytest.mark.parametrize("backend", ["auto", "torch"])
@pytest.mark.parametrize("name", CASES)
def test_taken_starts_go_on_as_the_old_ones_do(name: str, backend: str) -> None:
    make, data = CASES[name]
    environment = make(backend=backend)
    state = environment.reset(data, num_starts=4)
    environment.step(state, first(state))
    before = {key: value.clone() for key, value in state.tensors().items()}
    index = torch.tensor([[0, 0, 3, 1, 2], [3, 3, 3, 3, 3], [2, 1, 0, 3, 0]])
    taken = state.take_starts(index)
    assert taken.batch_size == (3, 5)
    rows = torch.arange(3).unsqueeze(1)
    environment.step(taken, first(taken))
    assert all(torch.equal(value, before[key]) for key, value in state.tensors().items())
    environment.step(state, first(state))
    for key, value in state.tensors().items():
        assert torch.equal(value[rows, index], taken.tensors()[key])
    assert taken.active == int((~taken.done).sum())
    assert torch.equal(environment.objective(taken), environment.objective(state)[rows, index])


@pytest.mark.parametrize("name", CASES)
def test_a_state_without_starts_is_one_start(name: str) -> None:
    make, data = CASES[name]
    environment = make()
    state = environment.reset(data)
    taken = state.take_starts(torch.zeros(3, 2, dtype=torch.int64))
    assert taken.num_starts == 2
    environment.step(taken, first(taken))
    environment.step(state, first(state))
    for key, value in state.tensors().items():
        assert torch.equal(value.unsqueeze(1).expand_as(taken.tensors()[key]), taken.tensors()[key])


def test_new_rows_of_a_taken_state_leave_the_old_instances_alone() -> None:
    environment = TSPEnv()
    state = environment.reset({"coordinates": POINTS.clone()}, num_starts=2)
    taken = state.take_starts(torch.tensor([[1], [0], [1]]))
    environment.reset_rows(taken, torch.tensor([1]), {"coordinates": POINTS[:1]})
    assert torch.equal(state.data["coordinates"], POINTS)


def test_an_index_of_another_shape() -> None:
    state = TSPEnv().reset({"coordinates": POINTS}, num_starts=2)
    with pytest.raises(InputError, match=r"index has shape \[2, 1\]: expected \[3, S\]"):
        state.take_starts(torch.zeros(2, 1, dtype=torch.int64))
