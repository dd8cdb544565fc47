"""Maskable PPO of sb3-contrib trains on the environments as they are."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from sb3_contrib import MaskablePPO

import co_gym  # noqa: F401 - registers the ids

CASES = [
    ("co_gym/Knapsack-v0", {"num_items": 20, "reward": "dense"}, 40_000),
    (
        "co_gym/TSP-v0",
        {
            "num_nodes": 10,
            "reward": "dense",
            "observation": ["current_distances", "coordinates", "action_mask"],
        },
        40_000,
    ),
]


def mean_return(id: str, keywords: dict, policy: MaskablePPO | None, episodes: int = 200) -> float:
    """Mean return over fixed instances; of the random valid policy without a policy."""
    rng = np.random.default_rng(0)
    environment = gymnasium.make(id, **keywords)
    total = 0.0
    for episode in range(episodes):
        observation, info = environment.reset(seed=10_000 + episode)
        ended = False
        while not ended:
            if policy is None:
                action = rng.choice(np.flatnonzero(info["action_mask"]))
            else:
                action, _ = policy.predict(observation, action_masks=info["action_mask"], deterministic=True)
            observation, reward, ended, _, info = environment.step(int(action))
            total += reward
    return total / episodes


@pytest.mark.slow
@pytest.mark.parametrize(("id", "keywords", "steps"), CASES, ids=[case[0] for case in CASES])
def test_maskable_ppo_beats_random_choice(id: str, keywords: dict, steps: int) -> None:
    policy = MaskablePPO(
        "MultiInputPolicy",
        gymnasium.make(id, **keywords),
        seed=0,
        n_steps=1000,
        batch_size=250,
        gamma=1.0,
        learning_rate=1e-3,
    )
    policy.learn(steps)
    trained, random = mean_return(id, keywords, policy), mean_return(id, keywords, None)
    print(f"{id}: trained {trained:.3f}, random {random:.3f}")
    assert trained - random > 0.2 * abs(random)
