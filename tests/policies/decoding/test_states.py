"""States begun, completed and given other solutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from co_gym.envs import TwoOptEnv
from co_gym.errors import InputError
from policies.decoding.choose import Greedy, Sampling
from policies.decoding.states import begin, with_solution
from policies.policy import ConstructivePolicy


def test_completion_is_the_rollout_of_the_policy(tsp: ConstructivePolicy, cities: Callable[..., Any]) -> None:
    with torch.no_grad():
        encoding = tsp.encode(cities(3, 7))
    expected = tsp.rollout(encoding, Sampling(seed=4), num_starts=5, record=True)
    found = tsp.complete(encoding, begin(tsp, encoding, 5), Sampling(seed=4), record=True)
    assert torch.equal(found.reward, expected.reward)
    assert torch.equal(torch.stack(found.actions), torch.stack(expected.actions))
    assert torch.equal(tsp.evaluate(encoding, found)[0], tsp.evaluate(encoding, expected)[0])


def test_a_free_start_is_an_episode_of_the_bare_environment(
    knapsack: ConstructivePolicy, items: Callable[..., Any]
) -> None:
    with torch.no_grad():
        encoding = knapsack.encode(items(3, 6))
    begun = begin(knapsack, encoding, None)
    assert begun.done.shape == (3, 1)
    assert int(begun.steps.max()) == 0
    environment: Any = knapsack.environment
    bare = environment.reset(encoding.data)
    done = knapsack.complete(encoding, begun, Greedy(), record=True)
    for action in done.actions:
        environment.step(bare, action[:, 0])
    assert bare.all_done
    assert torch.equal(environment.objective(bare), environment.objective(done.state)[:, 0])


def test_solutions_from_elsewhere_are_valued(tsp: ConstructivePolicy, cities: Callable[..., Any]) -> None:
    data = cities(1, 5)
    with torch.no_grad():
        encoding = tsp.encode(data)
    state = tsp.complete(encoding, begin(tsp, encoding, 2), Greedy()).state
    tour = torch.tensor([[[0, 1, 2, 3, 4], [0, 2, 4, 1, 3]]])
    points = data["coordinates"][0, tour[0]].double()
    expected = (points - points.roll(-1, 1)).norm(dim=-1).sum(-1).float()
    assert torch.allclose(tsp.environment.objective(with_solution(state, tour))[0], expected)


def test_states_that_hold_no_solution_of_their_own(cities: Callable[..., Any]) -> None:
    state = TwoOptEnv().reset(cities(1, 5), num_starts=2)
    with pytest.raises(InputError, match="TwoOptState"):
        with_solution(state, state.current)
