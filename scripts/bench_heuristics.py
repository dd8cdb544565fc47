"""Primal heuristics alone on every file of a data folder, as a Markdown table of gaps to the optimum.

Usage: python scripts/bench_heuristics.py DATA [--limits 1 10] [--seeds 3]

Each method is run once before it is timed, so that no kernel is compiled on the clock. The gap is the worst of the
seeds; a longer limit is tried only where a shorter one left a gap. "Time to optimum" is the median of the seeds
that reached it, with the number of those that did.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import statistics
from pathlib import Path

from rich.console import Console
from rich.progress import track

from co_gym import Instance, Options, Result, registry, solve
from co_gym.io.folder import read_folder
from co_gym.report.numbers import show_gap, show_number, show_seconds
from co_gym.report.table import markdown


def baselines(instance: Instance) -> str:
    """Gap of the best constructive heuristic."""
    names = [s.name for s in registry.solvers_for(instance.problem) if s.role == "baseline"]
    gaps = [(r.reference_gap, r.method) for r in (solve(instance, name) for name in names)]
    known = [(gap, name) for gap, name in gaps if gap is not None]
    return f"{show_gap(min(known)[0])} ({min(known)[1]})" if known else "–"


def search(instance: Instance, limit: float, seed: int) -> Result:
    """Local search alone."""
    return solve(instance, "local-search", options=Options(time_limit=limit, seed=seed))


def time_to_optimum(results: list[Result]) -> str:
    """Median time at which the incumbent reached the reference, over the seeds that did."""
    times = [
        next(e.time for e in r.history if e.objective == r.objective) for r in results if r.reference_gap == 0
    ]
    return f"{show_seconds(statistics.median(times))} ({len(times)} of {len(results)})" if times else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--limits", type=float, nargs="+", default=[1.0, 10.0])
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()

    kinds = [folder for folder in sorted(args.data.iterdir()) if folder.is_dir()]
    instances = [i for folder in kinds for i in read_folder(folder) if i.problem != "mip"]
    columns = ["instance", "optimum", "method", "best construction"]
    columns += [f"gap after {limit:g} s" for limit in args.limits] + ["time to optimum"]
    rows = []
    for instance in track(instances, "searching", console=Console(stderr=True)):
        if instance.problem == "market-split":
            instance = Instance(**{**vars(instance), "reference": 0})
        search(instance, 0.1, 0)
        runs: list[list[Result]] = []
        for limit in args.limits:
            if not runs or any(r.reference_gap for r in runs[-1]):
                runs.append([search(instance, limit, seed) for seed in range(args.seeds)])
            else:
                runs.append(runs[-1])
        worst = [
            "–" if r[0].reference_gap is None else show_gap(max(x.reference_gap or 0.0 for x in r)) for r in runs
        ]
        rows.append(
            [
                instance.name,
                show_number(instance.reference),
                runs[0][0].method,
                baselines(instance),
                *worst,
                time_to_optimum(runs[-1]),
            ]
        )
    print(markdown(columns, rows))


if __name__ == "__main__":
    main()
