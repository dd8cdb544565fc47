"""Times the batched environments, one thread, and prints Markdown tables.

Usage: python scripts/bench_envs.py [--peers rl4co=PYTHON jumanji=PYTHON] [--rounds 3] [--repeats 9] [--core 0]

A rate is the number of actions taken by rows that are not done, per second, over reset on given instances, all
steps, final reward and (for tours) the check that the solution is one. "actions": admissible actions computed
before; "random": drawn uniformly among the admissible ones, on the clock. Every step of ours checks its actions
and leaves bool mask, additive mask and, for tours, current coordinates. Each peer runs in its own environment,
given by its interpreter, on one thread, in turns with ours; Jumanji's reset is not on the clock. A rate is the
median over the rounds of the medians over the repeats, a ratio the median over the rounds.

The floor of a step is the cache lines that it must touch, at the speed at which NumPy copies as much memory as the
state holds.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from co_gym import problem
from co_gym.envs import Environment, KnapsackEnv, MISEnv, RandomPolicy, State, TSPEnv, stack
from co_gym.envs.tours import are_tours
from co_gym.report.table import markdown

ONE_THREAD = {
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}
Cell = tuple[str, int, int]
CELLS: list[Cell] = [("tsp", n, batch) for n in (20, 50, 100) for batch in (64, 512, 2048)]
CELLS += [("knapsack", 50, 512), ("knapsack", 100, 512), ("mis", 50, 512), ("mis", 100, 512)]
ENVIRONMENTS: dict[str, type[Environment]] = {"tsp": TSPEnv, "knapsack": KnapsackEnv, "mis": MISEnv}
DISTRIBUTIONS = {"tsp": "uniform", "knapsack": "unit", "mis": "erdos-renyi"}


def with_actions(env: Environment, data: Any, actions: list[torch.Tensor]) -> State:
    state = env.reset(data)
    for action in actions:
        env.step(state, action)
    env.reward(state)
    require_tours(env, state)
    return state


def at_random(env: Environment, data: Any, policy: RandomPolicy) -> State:
    state = env.reset(data)
    while not state.all_done:
        env.step(state, policy(state))
    env.reward(state)
    require_tours(env, state)
    return state


def require_tours(env: Environment, state: State) -> None:
    if env.problem == "tsp" and not bool(are_tours(env.solution(state)).all()):
        raise AssertionError("not a tour")


def median(run: Any, repeats: int) -> float:
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def ours(cell: Cell, repeats: int) -> list[dict]:
    """The two rows of one cell."""
    name, n, batch = cell
    env = ENVIRONMENTS[name]()
    data = stack(problem(name).generate(n, count=batch, distribution=DISTRIBUTIONS[name]))
    policy = RandomPolicy(0)
    state = env.reset(data)
    actions = []
    while not state.all_done:
        actions.append(policy(state))
        env.step(state, actions[-1])
    taken = int(state.steps.sum())
    chosen = median(lambda: with_actions(env, data, actions), repeats)
    drawn = median(lambda: at_random(env, data, policy), repeats)
    rows = [("actions", chosen), ("random", drawn)]
    return [
        {"peer": "co-gym", "cell": list(cell), "mode": mode, "rate": taken / seconds} for mode, seconds in rows
    ]


def peer(script: str, python: str, cells: list[Cell], repeats: int, core: int | None) -> list[dict]:
    pin = ["taskset", "-c", str(core)] if core is not None else []
    path = Path(__file__).parent / "peers" / f"{script}_envs.py"
    done = subprocess.run(
        [*pin, python, str(path), json.dumps(cells), str(repeats)],
        capture_output=True,
        text=True,
        env={**os.environ, **ONE_THREAD},
    )
    if done.returncode:
        sys.exit(f"{script}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def print_rates(rounds: list[list[dict]], mode: str) -> None:
    """One table: our rate, each peer's, and how many times theirs ours is."""
    rates = [{(r["peer"], *r["cell"]): r["rate"] / 1e6 for r in rows if r["mode"] == mode} for rows in rounds]
    peers = list(dict.fromkeys(name for name, *_ in rates[0] if name != "co-gym"))
    head = ("problem", "n", "batch", "co-gym", *(f"{x}{name}" for name in peers for x in ("", "ours / ")))
    table = []
    for cell in CELLS:
        mine = [rate["co-gym", *cell] for rate in rates]
        line = [cell[0], str(cell[1]), str(cell[2]), f"{statistics.median(mine):.1f}"]
        for name in peers:
            theirs = [rate.get((name, *cell), 0.0) for rate in rates]
            ratios = [a / b for a, b in zip(mine, theirs, strict=True) if b]
            known = ratios and [f"{statistics.median(theirs):.1f}", f"{statistics.median(ratios):.1f}"]
            line += known or ["", ""]
        table.append(tuple(line))
    print(f"\nMillion steps per second, {mode}:\n\n{markdown(head, table)}")


def copy_seconds(size: int) -> float:
    """Seconds to copy a byte, among buffers of `size` bytes in all."""
    source, target = np.zeros(size // 2, np.uint8), np.zeros(size // 2, np.uint8)
    rounds = max(3, (1 << 24) // size)
    return median(lambda: [np.copyto(target, source) for _ in range(rounds)], 15) / (rounds * size / 2)


def print_floor(repeats: int) -> None:
    """Steps of tours alone, beside what moving their memory takes."""
    head = ("n", "batch", "state, MB", "lines a step, bytes", "floor, ns", "step, ns", "step / floor")
    table = []
    for name, n, batch in CELLS:
        if name != "tsp":
            continue
        data = {"coordinates": torch.rand(batch, n, 2)}
        env = TSPEnv()
        actions = list(torch.rand(batch, n).argsort(1).t().contiguous())
        times = []
        for _ in range(repeats):
            state = env.reset(data)
            start = time.perf_counter()
            for action in actions:
                env.step(state, action)
            times.append(time.perf_counter() - start)
        # A line each of mask, additive mask, tour, coordinates; action, latest city, count twice, done, place.
        lines = 4 * 64 + 8 + 8 + 16 + 1 + 8
        size = sum(t.numel() * t.element_size() for t in [*state.tensors().values(), *data.values()])
        floor = lines * copy_seconds(size) * 1e9
        step = statistics.median(times) / (n * batch) * 1e9
        cells = (n, batch, f"{size / 1e6:.1f}", lines, f"{floor:.1f}", f"{step:.1f}", f"{step / floor:.1f}")
        table.append(tuple(map(str, cells)))
    print(f"\nSteps of tours and the memory they move, for each row:\n\n{markdown(head, table)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", nargs="*", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--rounds", type=int, default=3, help="turns of ours and each peer")
    parser.add_argument("--repeats", type=int, default=9, help="timings of each cell in a round")
    parser.add_argument("--core", type=int, help="the core to pin everything to")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.core is not None:
        os.sched_setaffinity(0, {args.core})
    rounds = []
    for _ in range(args.rounds):
        rows = [row for cell in CELLS for row in ours(cell, args.repeats)]
        for entry in args.peers:
            script, python = entry.split("=", 1)
            rows += peer(script, python, CELLS, args.repeats, args.core)
        rounds.append(rows)
    for mode in ("actions", "random"):
        print_rates(rounds, mode)
    print_floor(args.repeats)


if __name__ == "__main__":
    main()
