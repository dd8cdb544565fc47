"""REINFORCE (Williams 1992) on branching, as a user would write it: a small network on candidate features."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Categorical

import co_gym  # noqa: F401 - registers the ids
from milp.distributions.set_cover import set_cover

SETTINGS = {"separating/maxroundsroot": 0}
TRAIN, TEST = range(64), range(10_000, 10_060)


def keywords(numbers: range) -> dict[str, Any]:
    """Set covers of 100 rows and 200 columns, without cuts, of which few are solved at the root."""
    make = [set_cover(np.random.default_rng(i), rows=100, columns=200, density=0.1) for i in numbers]
    return {"instances": make, "observation": "khalil", "settings": SETTINGS}


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(72, 32), nn.ReLU(), nn.Linear(32, 1))


def features(observation: np.ndarray, mask: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
    """The candidates' features, each in [0, 1] among the candidates (Khalil et al. 2016), and their positions."""
    candidates = np.flatnonzero(mask)
    x = observation[candidates]
    low, high = x.min(axis=0), x.max(axis=0)
    return torch.from_numpy((x - low) / np.where(high > low, high - low, 1.0)), candidates


def train(episodes: int, seed: int = 0, num_envs: int = 4) -> nn.Module:
    """Learns from whole episodes; the baseline is the mean log of the nodes on the same instance so far."""
    torch.manual_seed(seed)
    score = network()
    optimizer = torch.optim.Adam(score.parameters(), lr=3e-3)
    envs = gymnasium.make_vec("co_gym/Branching-v0", num_envs=num_envs, **keywords(TRAIN))
    observation, info = envs.reset(seed=seed)
    instance = info["instance"].copy()
    trails: list[list[tuple[torch.Tensor, int]]] = [[] for _ in range(num_envs)]
    seen: dict[int, list[float]] = {}
    batch: list[tuple[list[tuple[torch.Tensor, int]], float]] = []
    finished = 0
    while finished < episodes:
        actions = np.zeros(num_envs, dtype=np.int64)
        for row in range(num_envs):
            x, candidates = features(observation["candidates"][row], observation["action_mask"][row])
            with torch.no_grad():
                choice = int(Categorical(logits=score(x).squeeze(-1)).sample())
            trails[row].append((x, choice))
            actions[row] = candidates[choice]
        observation, _, terminated, truncated, info = envs.step(actions)
        for row in np.flatnonzero(terminated | truncated).tolist():
            cost = float(np.log(info["final_info"]["nodes"][row]))
            before = seen.setdefault(int(instance[row]), [])
            if before:
                batch.append((trails[row], float(np.mean(before)) - cost))
            before.append(cost)
            instance[row], trails[row] = info["instance"][row], []
            finished += 1
        if len(batch) >= 16:
            losses = [
                -advantage * Categorical(logits=score(x).squeeze(-1)).log_prob(torch.tensor(choice))
                for trail, advantage in batch
                for x, choice in trail
            ]
            optimizer.zero_grad()
            (torch.stack(losses).sum() / len(batch)).backward()
            nn.utils.clip_grad_norm_(score.parameters(), 1.0)
            optimizer.step()
            batch = []
    envs.close()
    return score


def nodes(score: nn.Module | None) -> np.ndarray:
    """Nodes on each held-out instance, by the best score, or at random without a network."""
    rng = np.random.default_rng(0)
    env = gymnasium.make("co_gym/Branching-v0", **keywords(TEST), skip_solved=False)
    found = []
    for instance in range(len(TEST)):
        observation, info = env.reset(seed=instance, options={"instance": instance})
        ended = False
        while not ended:
            x, candidates = features(observation["candidates"], info["action_mask"])
            with torch.no_grad():
                choice = int(rng.integers(len(x))) if score is None else int(score(x).argmax())
            observation, _, terminated, truncated, info = env.step(int(candidates[choice]))
            ended = terminated or truncated
        found.append(info["nodes"])
    env.close()
    return np.array(found)


def interval(ratio: np.ndarray) -> tuple[float, float, float]:
    """Geometric mean of paired ratios with its 95 % bootstrap interval."""
    logs, rng = np.log(ratio), np.random.default_rng(0)
    means = rng.choice(logs, (2000, len(logs))).mean(axis=1)
    low, middle, high = np.exp([np.quantile(means, 0.025), logs.mean(), np.quantile(means, 0.975)])
    return float(low), float(middle), float(high)


@pytest.mark.slow
def test_reinforce_makes_smaller_trees_than_chance() -> None:
    torch.manual_seed(0)
    untrained, random = nodes(network()), nodes(None)
    trained = nodes(train(episodes=1000))
    low, middle, high = interval(trained / random)
    print(
        f"mean nodes on {len(TEST)} held-out set covers: random {random.mean():.1f}, "
        f"untrained {untrained.mean():.1f}, trained {trained.mean():.1f}; "
        f"trained / random {middle:.2f} ({low:.2f} to {high:.2f})"
    )
    assert high < 0.9
