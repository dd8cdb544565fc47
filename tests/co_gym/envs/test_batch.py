from __future__ import annotations

import pytest
import torch

from co_gym import InputError, problem
from co_gym.envs import KnapsackEnv, MISEnv, MultiKnapsackEnv, TSPEnv, TwoOptEnv, stack
from co_gym.envs.tours import are_tours


def test_graphs_become_lists_above_a_size() -> None:
    large = problem("mis").generate(600, distribution="barabasi-albert")
    assert "indices" in stack(large)
    assert "adjacency" in stack(large, sparse=False)
    assert stack(large)["weights"].dtype is torch.int64


@pytest.mark.parametrize(
    ("instances", "message"),
    [
        ([], "at least one"),
        ([*problem("tsp").generate(4), *problem("mis").generate(4)], "one problem: found mis, tsp"),
        ([*problem("tsp").generate(4), *problem("tsp").generate(6)], "4 to 6 cities"),
        (problem("qap").generate(4), "unknown problem"),
        ([*problem("knapsack").generate(4), *problem("knapsack").generate(4, distribution="unit")], "integral"),
    ],
)
def test_what_cannot_share_a_batch(instances: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        stack(instances)


@pytest.mark.parametrize(
    ("env", "data", "message"),
    [
        (TSPEnv, {"places": torch.rand(2, 5, 2)}, "unknown key"),
        (TSPEnv, {}, "coordinates or distances"),
        (TSPEnv, {"coordinates": torch.rand(2, 5, 3)}, "expected \\[B, n, 2\\]"),
        (TSPEnv, {"coordinates": torch.ones(2, 5, 2, dtype=torch.int64)}, "dtype"),
        (TwoOptEnv, {"coordinates": torch.rand(2, 1, 2)}, "at least 2"),
        (TwoOptEnv, {"coordinates": torch.rand(1, 3, 2), "tour": torch.tensor([[0, 1, 1]])}, "permutations"),
        (KnapsackEnv, {"profits": torch.rand(2, 5)}, "needs"),
        (KnapsackEnv, {"profits": torch.rand(2, 5), "weights": torch.rand(2, 6)}, "weights has shape"),
        (MultiKnapsackEnv, {"profits": [1]}, "expected a tensor"),
        (MISEnv, {"weights": torch.rand(2, 5)}, "adjacency or both"),
        (MISEnv, {"weights": torch.rand(2, 5), "adjacency": torch.rand(2, 5, 5)}, "expected bool"),
    ],
)
def test_data_of_the_wrong_kind(env: type, data: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        env().reset(data)


def test_integral_weights_under_a_fractional_capacity_are_exact() -> None:
    instance = problem("knapsack").instance({"profits": [1, 1], "weights": [6, 7], "capacity": 12.9999999999})
    env = KnapsackEnv()
    state = env.reset(stack([instance]))
    env.step(state, torch.tensor([0]))
    assert state.all_done


def test_nothing_fits_at_reset() -> None:
    state = KnapsackEnv().reset(
        {"profits": torch.ones(2, 3), "weights": torch.ones(2, 3), "capacity": torch.tensor([0.5, 1.0])},
        num_starts=2,
    )
    assert state.done.tolist() == [[True, True], [True, True]]
    assert state.steps.tolist() == [[0, 0], [1, 1]]


def test_start_tours() -> None:
    points = torch.tensor([[[0.0, 0], [1, 0], [3, 0], [7, 0]]])
    nearest = TwoOptEnv(start="nearest-neighbour").reset({"coordinates": points}, num_starts=3)
    assert nearest.tour.tolist() == [[[0, 1, 2, 3], [1, 0, 2, 3], [2, 1, 0, 3]]]
    assert nearest.length.tolist() == [[14.0, 14.0, 14.0]]
    given = torch.tensor([[3, 0, 2, 1]])
    assert TwoOptEnv().reset({"coordinates": points, "tour": given}, num_starts=2).tour[:, 1].equal(given)
    with pytest.raises(InputError, match="num_starts=1"):
        TwoOptEnv().reset({"coordinates": points, "tour": given.unsqueeze(1)}, num_starts=2)
    with pytest.raises(InputError, match="max_steps 0"):
        TwoOptEnv(max_steps=0)


def test_are_tours() -> None:
    tours = torch.tensor([[0, 1, 2], [0, 1, 1], [0, 1, 3], [2, 0, 1]])
    assert are_tours(tours).tolist() == [True, False, False, True]
