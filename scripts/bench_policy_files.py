"""Gaps of the shipped policies on real files with known optima, one row for each, as Markdown tables.

Usage: python scripts/bench_policy_files.py DATA

DATA is a folder that holds `tsplib/`, `mknap/` and `mis/` with their files and, where the files do not hold their
optima, an `optima.csv`. The weights of each file are those that `co-gym solve --method policy` would take. Beside
the policy stands the problem's local search with as much time as the polished decoding took. One thread.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import track

from co_gym import registry
from co_gym.instance import Instance
from co_gym.io.folder import read_folder
from co_gym.report.table import markdown
from policies.evaluation import Outcome, compare, evaluate
from policies.solver import PolicySolver
from policies.solving import choose
from policies.weights.checkpoint import load

FOLDERS = ("tsplib", "mknap", "mis")


def row(instance: Instance, solver: PolicySolver) -> list[str]:
    """Greedy, all starts (in all symmetric copies), the same polished, and local search."""
    card, _ = choose(instance, list(solver.cards.values()), None, solver.most_nodes)
    policy = load(card.name)
    best = "x8" if policy.task.symmetric else "multi-start"
    outcomes = [evaluate(policy, [instance], name, batch=1) for name in ("greedy", best, f"{best}+polish")]
    search = next(s for s in registry.solvers_for(instance.problem) if s.role == "local-search")
    outcomes.append(compare(search.name, [instance], outcomes[-1].seconds))
    size = str(registry.problem(instance.problem).size(instance))
    return [instance.name, size, card.name, *(cell for outcome in outcomes for cell in cells(outcome))]


def cells(outcome: Outcome) -> tuple[str, str]:
    return f"{outcome.gap:.2f} %", f"{outcome.seconds:.2f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    solver = PolicySolver()
    header = ["file", "size", "weights", "greedy", "", "all starts (x8)", "", "polished", "", "local search", ""]
    for folder in FOLDERS:
        found = [i for i in read_folder(data / folder) if i.reference is not None]
        rows = [row(i, solver) for i in track(found, folder, console=Console(stderr=True), transient=True)]
        print(f"{folder}\n\n{markdown(header, rows)}\n", flush=True)


if __name__ == "__main__":
    main()
