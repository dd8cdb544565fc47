"""Large batches stay small."""

from __future__ import annotations

import subprocess
import sys

import pytest

TENSORS = """
import torch
from co_gym.envs import RandomPolicy, TSPEnv
environment, policy = TSPEnv(), RandomPolicy(0)
state = environment.reset({"coordinates": torch.rand(16384, 100, 2)})
while not state.all_done:
    environment.step(state, policy(state))
assert environment.reward(state).shape == (16384,)
"""

VECTOR = """
import gymnasium
import co_gym
envs = gymnasium.make_vec("co_gym/TSP-v0", num_envs=16384, num_nodes=100)
observation, info = envs.reset(seed=0)
for _ in range(101):
    observation, *_ = envs.step(observation["action_mask"].argmax(1))
"""

PEAK = "\nimport resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


@pytest.mark.parametrize("code", [TENSORS, VECTOR], ids=["tensors", "vector"])
def test_tsp_100_with_16384_rows_takes_less_than_a_gibibyte(code: str) -> None:
    command = [sys.executable, "-c", code + PEAK]
    kilobytes = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print(f"{kilobytes / 2**10:.0f} MiB, interpreter and libraries included")
    assert kilobytes < 2**20
