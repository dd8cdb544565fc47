"""Solves every file of a data folder to proven optimality and prints a Markdown table.

Usage: python scripts/bench_exact.py DATA [--time-limit 60] [--long pcb442=120]

DATA holds a folder per kind (tsplib, mknap, mis, miplib, marketsplit), each with its files and, where the files do
not hold their optima, a table optima.csv with columns instance and optimum.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import track

from co_gym import Options, problem, solve
from co_gym.io.folder import read_folder
from co_gym.report.numbers import show_gap, show_number, show_seconds
from co_gym.report.table import markdown

COLUMNS = (
    "instance",
    "problem",
    "size",
    "objective",
    "optimum",
    "to optimum",
    "bound",
    "gap",
    "nodes",
    "time",
    "",
)


def nodes(details: dict) -> str:
    """Branch-and-bound nodes of the last stage that counted any."""
    counts = [d["nodes"] for d in details.values() if isinstance(d, dict) and "nodes" in d]
    counts += [details["nodes"]] if "nodes" in details else []
    return str(counts[-1]) if counts else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--long", nargs="*", default=["pcb442=120"], help="instances with another time limit")
    args = parser.parse_args()
    limits = {name: float(seconds) for name, seconds in (item.split("=") for item in args.long)}

    instances = [i for folder in sorted(args.data.iterdir()) if folder.is_dir() for i in read_folder(folder)]
    rows = []
    for instance in track(instances, "solving", console=Console(stderr=True)):
        limit = limits.get(instance.name, args.time_limit)
        result = solve(instance, "auto", options=Options(time_limit=limit))
        reached = "–" if result.reference_gap is None else show_gap(result.reference_gap)
        rows.append(
            [
                instance.name,
                instance.problem,
                str(problem(instance.problem).size(instance)),
                show_number(result.objective),
                show_number(instance.reference),
                reached,
                show_number(result.bound),
                show_gap(result.gap),
                nodes(dict(result.details)),
                show_seconds(result.runtime),
                result.status if result.check is None or result.check.ok else "REFUSED",
            ]
        )
    print(markdown(COLUMNS, rows))


if __name__ == "__main__":
    main()
