"""Times training and inference of POMO against RL4CO, one thread, and prints Markdown tables.

Usage: python scripts/bench_policies.py [--peer PYTHON] [--rounds 3] [--repeats 7] [--core 0] [--no-memory]

Same architecture (POMO: six attention layers, width 128, eight heads, instance normalization, starts from all
cities), batch and precision (float32) on both sides. PYTHON is the interpreter of an environment in which RL4CO
is installed. RL4CO runs with matrix products in full float32 ("highest", its best setting here) and as its trainer
sets them ("medium"). A rate is the median over the rounds of the medians over the repeats, a ratio the median over
the rounds; ours and theirs run in turns, each in its own process.

The floor of a step is the time of its matrix products alone, at the speed that one product of the encoder's
largest shape reaches here: 2 operations for each multiplication in encoder, glimpse and pointer, three times as
many with the way back.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from co_gym.report.table import markdown
from policies.decoders.pointer import PointerDecoder
from policies.decoding.choose import Greedy, Sampling
from policies.encoders.attention import AttentionEncoder
from policies.memory import keep_freed_memory
from policies.policy import ConstructivePolicy
from policies.tasks.tsp import TSPTask

Cell = tuple[str, int, int]
CELLS: list[Cell] = [(mode, n, 64) for n in (20, 50) for mode in ("train", "multistart", "greedy")]
MEMORY: list[Cell] = [("memory", 100, 64)]
WIDTH, LAYERS, FEEDFORWARD = 128, 6, 512
NAMES = {"train": "training step", "multistart": "greedy, all starts", "greedy": "greedy, one start"}


def training_step(policy: ConstructivePolicy, data: dict[str, torch.Tensor]) -> Callable[[], None]:
    """Forward, backward, clipping and Adam, as `policies.learning.reinforce` does them."""
    optimizer, choose, n = torch.optim.Adam(policy.parameters(), 1e-4, fused=True), Sampling(), data_size(data)

    def step() -> None:
        encoding = policy.encode(data)
        rollout = policy.rollout(encoding, choose, num_starts=n, record=True)
        log_prob, _ = policy.evaluate(encoding, rollout)
        advantage = rollout.reward - rollout.reward.mean(1, keepdim=True)
        optimizer.zero_grad()
        (-(advantage * log_prob.sum(1)).mean()).backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()

    return step


def inference(policy: ConstructivePolicy, data: dict[str, torch.Tensor], starts: int) -> Callable[[], None]:
    def run() -> None:
        with torch.inference_mode():
            policy.rollout(policy.encode(data), Greedy(), num_starts=starts)

    return run


def data_size(data: dict[str, torch.Tensor]) -> int:
    return data["coordinates"].shape[1]


def ours(cells: list[Cell], repeats: int) -> list[dict]:
    """What `peers/rl4co_policies.py` measures, of this package."""
    torch.set_num_threads(1)
    keep_freed_memory()
    rows = []
    for mode, n, batch in cells:
        torch.manual_seed(0)
        encoder = AttentionEncoder(WIDTH, layers=LAYERS, feedforward=FEEDFORWARD, normalization="instance")
        policy = ConstructivePolicy(TSPTask(), encoder, PointerDecoder())
        data = {"coordinates": torch.rand(batch, n, 2)}
        if mode in ("train", "memory"):
            run = training_step(policy, data)
        else:
            run = inference(policy.eval(), data, n if mode == "multistart" else 1)
        if mode == "memory":
            training_step(policy, {"coordinates": torch.rand(2, 5, 2)})()  # loads the kernels
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        times = []
        for _ in range(1 if mode == "memory" else repeats + 1):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        value = peak if mode == "memory" else batch / statistics.median(times[1:])
        rows.append({"mode": mode, "n": n, "batch": batch, "value": value})
    return rows


def floor_rate(cell: Cell) -> float:
    """Instances per second if only the matrix products took time."""
    mode, n, _ = cell
    encoder = LAYERS * n * (4 * WIDTH**2 + 2 * WIDTH * FEEDFORWARD + 2 * n * WIDTH)
    starts = 1 if mode == "greedy" else n
    decoder = 4 * n * WIDTH**2 + 2 * n * n * WIDTH + starts * (n - 1) * 2 * n * WIDTH
    products = (encoder + decoder) * (3 if mode == "train" else 1)
    return product_speed() / (2 * products)


def product_speed() -> float:
    """Operations per second of the product of a feed-forward layer."""
    a, b = torch.rand(3200, WIDTH), torch.rand(WIDTH, FEEDFORWARD)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - start)
    return 2 * a.numel() * FEEDFORWARD / statistics.median(times)


def in_process(python: str, script: Path, arguments: list[str], core: int | None) -> list[dict]:
    pin = ["taskset", "-c", str(core)] if core is not None else []
    environment = {**os.environ, "MKL_NUM_THREADS": "1"}
    command = [*pin, python, str(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{script.name}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(cells: list[Cell], options: argparse.Namespace, rounds: int) -> dict[str, list[list[float]]]:
    """For each side the values of each round, in the order of the cells."""
    here = Path(__file__)
    sides = {"co-gym": (sys.executable, here, ["--measure", json.dumps(cells), str(options.repeats)])}
    if options.peer:
        peer = here.parent / "peers" / "rl4co_policies.py"
        for label, precision in (("RL4CO highest", "highest"), ("RL4CO medium", "medium")):
            sides[label] = (options.peer, peer, [json.dumps(cells), precision, str(options.repeats)])
    found: dict[str, list[list[float]]] = {label: [] for label in sides}
    for _ in range(rounds):
        for label, (python, script, arguments) in sides.items():
            found[label].append([row["value"] for row in in_process(python, script, arguments, options.core)])
    return found


def table(cells: list[Cell], found: dict[str, list[list[float]]], *, fewer_is_better: bool) -> str:
    peers = [label for label in found if label != "co-gym"]
    unit = "MB" if fewer_is_better else "instances/s"
    floors = [] if fewer_is_better else ["of the floor"]
    header = ["", f"co-gym, {unit}", *floors, *(part for peer in peers for part in (f"{peer}, {unit}", "ratio"))]
    rows = []
    for i, cell in enumerate(cells):
        mine = [values[i] for values in found["co-gym"]]
        name = f"TSP{cell[1]}, {NAMES.get(cell[0], 'peak of a training step')}"
        row = [name, f"{statistics.median(mine):.0f}"]
        if not fewer_is_better:
            row.append(f"{100 * statistics.median(mine) / floor_rate(cell):.0f} %")
        for peer in peers:
            theirs = [values[i] for values in found[peer]]
            ratio = statistics.median(
                (t / m if fewer_is_better else m / t) for m, t in zip(mine, theirs, strict=True)
            )
            row += [f"{statistics.median(theirs):.0f}", f"{ratio:.2f}"]
        rows.append(row)
    return markdown(header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="interpreter of an environment with RL4CO")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--core", type=int, help="pin everything to this core")
    parser.add_argument("--no-memory", action="store_true", help="leave out the peak memory")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        cells, repeats = options.measure
        print(json.dumps(ours([tuple(cell) for cell in json.loads(cells)], int(repeats))))
        return
    print(table(CELLS, measure(CELLS, options, options.rounds), fewer_is_better=False), "\n")
    if not options.no_memory:
        print(table(MEMORY, measure(MEMORY, options, 1), fewer_is_better=True))


if __name__ == "__main__":
    main()
