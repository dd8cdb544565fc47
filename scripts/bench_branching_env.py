"""How many cores several branching environments use at once, and what a hand-over between threads costs.

Usage: python scripts/bench_branching_env.py [--instances auction-easy] [--num-envs 4] [--seconds 60]

All environments branch on a random candidate. Cores used is CPU time over wall time; the rest of the machine
should be idle. The hand-over is measured on a session whose thread does nothing but ask.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import gymnasium
import numpy as np

import co_gym  # noqa: F401 - registers the ids
from co_gym.report.table import markdown
from milp.envs.session import Session, Turns


def hand_over(rounds: int = 5, count: int = 20_000) -> list[float]:
    """Microseconds from an answer to the next question, one number for each round."""

    def ask_for_ever(turns: Turns) -> None:
        while True:
            turns.ask(None)

    session = Session(ask_for_ever)
    session.receive()
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(count):
            session.send(0)
            session.receive()
        found.append((time.perf_counter() - began) / count * 1e6)
    session.close()
    return found


def run(envs: Any, seconds: float) -> dict[str, float]:
    """Steps, episodes and cores used, with random branching for so many seconds after the first reset."""
    rng = np.random.default_rng(0)
    envs.reset(seed=0)
    masks = envs.action_masks()
    steps = episodes = 0
    wall, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
        _, _, terminated, truncated, _ = envs.step(actions)
        masks = envs.action_masks()
        steps += len(actions)
        episodes += int((terminated | truncated).sum())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"steps/s": steps / wall, "episodes/min": 60 * episodes / wall, "cores used": cpu / wall}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", nargs="+", default=["auction-easy", "set-cover-easy"])
    parser.add_argument("--num-envs", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--observation", default="node-bipartite")
    arguments = parser.parse_args()
    rounds = hand_over()
    print(f"hand-over: {statistics.median(rounds):.1f} us ({min(rounds):.1f} to {max(rounds):.1f})\n")
    rows = []
    for instances in arguments.instances:
        for num_envs in arguments.num_envs:
            for prefetch in (False, True):
                envs = gymnasium.make_vec(
                    "co_gym/Branching-v0",
                    num_envs=num_envs,
                    instances=instances,
                    observation=arguments.observation,
                    prefetch=prefetch,
                )
                found = run(envs, arguments.seconds)
                envs.close()
                numbers = [f"{value:.2f}" for value in found.values()]
                rows.append([instances, str(num_envs), "yes" if prefetch else "no", *numbers])
    print(markdown(["instances", "environments", "prefetch", *found], rows))


if __name__ == "__main__":
    main()
