"""A PPO loop in the style of CleanRL (Huang et al. 2022) on the vector environment, as a user would write it."""

from __future__ import annotations

import gymnasium
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

import co_gym  # noqa: F401 - registers the ids


def masked(logits: torch.Tensor, mask: torch.Tensor) -> Categorical:
    return Categorical(logits=logits.masked_fill(mask == 0, -1e9))


def train(updates: int, num_envs: int = 64, num_steps: int = 16, seed: int = 0) -> list[float]:
    """Trains a network that scores each item from its profit, weight and what remains; mean returns by update."""
    torch.manual_seed(seed)
    envs = gymnasium.make_vec("co_gym/Knapsack-v0", num_envs=num_envs, num_items=20, reward="dense")
    score = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 1))
    value = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam([*score.parameters(), *value.parameters()], lr=5e-3)

    def features(observation: dict[str, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
        profits, weights, remaining = (
            torch.from_numpy(observation[k]) for k in ("profits", "weights", "remaining")
        )
        stacked = torch.stack([profits, weights, remaining.expand_as(profits)], dim=-1)
        return stacked, torch.from_numpy(observation["action_mask"])

    observation, _ = envs.reset(seed=seed)
    returns, running, finished = [], np.zeros(num_envs), []
    for _ in range(updates):
        rollout = []
        for _ in range(num_steps):
            x, mask = features(observation)
            with torch.no_grad():
                policy, v = masked(score(x).squeeze(-1), mask), value(x).mean(dim=(1, 2))
            action = policy.sample()
            observation, reward, ended, _, _ = envs.step(action.numpy())
            log_prob = policy.log_prob(action)
            rollout.append((x, mask, action, log_prob, v, torch.from_numpy(reward), torch.from_numpy(ended)))
            running += reward
            finished += running[ended].tolist()
            running[ended] = 0.0
        x, mask, action, old, v, reward, ended = (torch.stack(column) for column in zip(*rollout, strict=True))
        with torch.no_grad():
            ahead = value(features(observation)[0]).mean(dim=(1, 2)).double()
            target = torch.zeros_like(reward)
            for t in reversed(range(num_steps)):
                ahead = reward[t] + ahead * ~ended[t]
                target[t] = ahead
            advantage = target - v
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        for _ in range(4):
            policy = masked(score(x).squeeze(-1), mask)
            ratio = (policy.log_prob(action) - old).exp()
            gain = torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
            error = (value(x).mean(dim=(2, 3)) - target).square().mean()
            optimizer.zero_grad()
            (error - gain - 0.003 * policy.entropy().mean()).backward()
            optimizer.step()
        returns.append(float(np.mean(finished[-200:])))
    return returns


def test_ppo_learns_on_the_vector_environment() -> None:
    returns = train(updates=25)
    print(f"mean return: first {returns[0]:.2f}, last {returns[-1]:.2f}")
    assert returns[-1] > 1.08 * returns[0]
