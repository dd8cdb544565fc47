"""Trains several configurations for the same time, one after the other, and prints their gaps as a Markdown table.

Usage: python scripts/compare_training.py tsp/pomo_50 tsp/gcn_50 --minutes 4 --on tsp50 [--weights tsp50]

The learning rate stays constant, so that a run may end at any time. With --weights every run begins with these
weights. A test set is a name of `policies.testsets` or a folder of files with known optima.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import tempfile
from datetime import timedelta
from pathlib import Path

from fitting import fit

from co_gym import registry
from co_gym.errors import CoGymError
from co_gym.instance import Instance
from co_gym.io.folder import read_folder
from co_gym.report.table import markdown
from policies import testsets
from policies.evaluation import evaluate
from policies.weights.conversion import from_lightning


def train(config: str, folder: Path, args: argparse.Namespace) -> Path:
    """Runs the training; the path of its last checkpoint."""
    days = timedelta(minutes=args.minutes)
    limit = f"{days.days:02d}:{days.seconds // 3600:02d}:{days.seconds // 60 % 60:02d}:{days.seconds % 60:02d}"
    options = {
        "--trainer.max_time": limit,
        "--trainer.max_epochs": "100000",
        "--trainer.limit_val_batches": "0",
        "--model.init_args.scheduler": "null",
        "--data.init_args.batches": "10",
    }
    pin = ["taskset", "-c", str(args.core)] if args.core is not None else []
    given = [f"{key}={value}" for key, value in options.items()]
    if args.weights:
        given += ["--trainer.callbacks+=policies.learning.warm_start.WarmStart"]
        given += [f"--trainer.callbacks.weights={args.weights}"]
    return fit(config, folder, given, config, pin)


def instances(name: str, problem: str, count: int) -> tuple[list[Instance], int]:
    """Instances and how many of them may share a batch."""
    if Path(name).is_dir():
        return [i for i in read_folder(name) if i.problem == problem and i.reference is not None], 1
    return testsets.load(name).instances(count), 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="+")
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--on", nargs="+", required=True)
    parser.add_argument("--count", type=int, default=200, help="instances of each test set")
    parser.add_argument("--weights")
    parser.add_argument("--core", type=int)
    args = parser.parse_args()
    header, rows = [], []
    for config in args.configs:
        with tempfile.TemporaryDirectory() as folder:
            policy, card = from_lightning(train(config, Path(folder), args))
        problem = policy.environment.problem
        decoding = "x8" if policy.task.symmetric else "multi-start"
        header = ["configuration", "parameters", "instances", *(f"{Path(on).name}, {decoding}" for on in args.on)]
        row = [config, f"{sum(p.numel() for p in policy.parameters())}", f"{card.budget.instances}"]
        for on in args.on:
            some, batch = instances(on, registry.problem(problem).name, args.count)
            row.append(f"{evaluate(policy, some, decoding, batch=batch).gap:.3f} %")
        rows.append(row)
    print(markdown(header, rows))


if __name__ == "__main__":
    try:
        main()
    except CoGymError as error:
        raise SystemExit(f"compare_training.py: {error}") from None
