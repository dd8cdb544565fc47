"""The gymnasium vector path beside the tensor path and beside SyncVectorEnv over plain Python environments.

Usage: python scripts/bench_gym.py [--num-envs 512] [--num-nodes 50] [--rounds 5]

TSP, whole episodes with precomputed actions on one thread: new instances at each reset, the final reward at the
end. Rates are million environment steps per second, medians over rounds in which every contestant takes its turn.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from co_gym.envs import TSPEnv
from co_gym.report.table import markdown


class PlainTSP(gymnasium.Env):
    """The travelling salesman problem as one would write it in a first draft: one instance, Python and NumPy."""

    def __init__(self, num_nodes: int) -> None:
        self.n = num_nodes
        self.action_space = gymnasium.spaces.Discrete(num_nodes)
        self.observation_space = gymnasium.spaces.Dict(
            {
                "coordinates": gymnasium.spaces.Box(0, 1, (num_nodes, 2), np.float32),
                "action_mask": gymnasium.spaces.MultiBinary(num_nodes),
            }
        )

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[dict, dict]:
        """A new instance."""
        super().reset(seed=seed)
        self.points = self.np_random.random((self.n, 2), dtype=np.float32)
        self.mask = np.ones(self.n, dtype=np.int8)
        self.tour: list[int] = []
        return self._observation(), {"action_mask": self.mask.copy()}

    def step(self, action: int) -> tuple[dict, float, bool, bool, dict]:
        """Goes to a city."""
        self.mask[action] = 0
        self.tour.append(int(action))
        ended = len(self.tour) == self.n
        reward = -sum(self._leg(i) for i in range(self.n)) if ended else 0.0
        return self._observation(), reward, ended, False, {"action_mask": self.mask.copy()}

    def _leg(self, i: int) -> float:
        return math.dist(self.points[self.tour[i]], self.points[self.tour[(i + 1) % self.n]])

    def _observation(self) -> dict:
        return {"coordinates": self.points.copy(), "action_mask": self.mask.copy()}


def vector_episode(envs: gymnasium.vector.VectorEnv, actions: np.ndarray) -> None:
    """One episode in every row; `DISABLED` resets by hand, `NEXT_STEP` takes one more step to do so."""
    for row in actions:
        envs.step(row)
    mode = envs.metadata["autoreset_mode"]
    if mode is AutoresetMode.NEXT_STEP:
        envs.step(actions[0])
    elif mode is AutoresetMode.DISABLED:
        envs.reset(options={"reset_mask": np.ones(envs.num_envs, dtype=bool)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num-envs", type=int, default=512)
    parser.add_argument("--num-nodes", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    B, n = args.num_envs, args.num_nodes
    actions = np.stack([np.random.default_rng(i).permutation(n) for i in range(B)]).T.copy()
    tensors = torch.from_numpy(actions)
    environment = TSPEnv()

    def tensor_episode() -> None:
        state = environment.reset({"coordinates": torch.rand(B, n, 2)})
        for row in tensors:
            environment.step(state, row)
        environment.reward(state)

    contestants: dict[str, tuple[Callable[[], None], int]] = {"tensor path": (tensor_episode, 20)}
    for mode in AutoresetMode:
        envs = gymnasium.make_vec("co_gym/TSP-v0", num_envs=B, num_nodes=n, autoreset_mode=mode)
        envs.reset(seed=0)
        contestants[f"make_vec, {mode.value}"] = (lambda envs=envs: vector_episode(envs, actions), 20)
    plain = SyncVectorEnv([lambda: PlainTSP(n)] * B, autoreset_mode=AutoresetMode.SAME_STEP)
    plain.reset(seed=0)
    contestants["SyncVectorEnv of plain Python, SameStep"] = (lambda: vector_episode(plain, actions), 1)

    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(args.rounds + 1):
        for name, (episode, repeats) in contestants.items():
            begin = time.perf_counter()
            for _ in range(repeats):
                episode()
            rates[name].append(B * n * repeats / (time.perf_counter() - begin) / 1e6)
    plain_name = next(reversed(rates))

    def ratio(name: str, other: str) -> str:
        """Median over the rounds of how many times faster one contestant was than another."""
        return f"{statistics.median(a / b for a, b in zip(rates[name][1:], rates[other][1:], strict=True)):.2f}"

    rows = [
        [name, f"{statistics.median(rate[1:]):.2f}", ratio("tensor path", name), ratio(name, plain_name)]
        for name, rate in rates.items()
    ]
    print(f"TSP, {B} environments, {n} cities\n")
    print(markdown(("path", "M steps/s", "tensor path is faster by", "faster than plain Python by"), rows))


if __name__ == "__main__":
    main()
