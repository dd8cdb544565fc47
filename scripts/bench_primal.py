"""How soon solvers find good solutions: `python scripts/bench_primal.py item-placement-medium --instances 5`.

Each test instance is solved by all methods, one after the other on one thread. A solve is a line of a file
(`--output`) with its incumbents, and what the file holds already is not run again, so an interrupted run goes on.
`--report` prints the tables of such a file.

The primal gap is |objective - best| / max(|objective|, |best|), 1 without a solution or where signs differ; best
is the best that any method in the file found. The primal integral is its integral over time (Berthold 2013).
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import auto_cli
from rich.console import Console
from rich.table import Table

from co_gym.cli import Parser
from co_gym.errors import CoGymError

METHODS = ["scip", "scip aggressive", "highs"]
CHECKPOINTS = [10.0, 30.0, 60.0]


def main(
    distributions: list[str],
    instances: int = 5,
    first: int = 0,
    methods: list[str] = METHODS,
    checkpoints: list[float] = CHECKPOINTS,
    output: str = "runs/bench_primal.jsonl",
    core: int | None = None,
    split: str = "test",
    report: bool = False,
) -> None:
    """Compares methods by their primal gaps.

    Args:
        distributions: Names of distributions, or folders.
        instances: How many of each.
        first: Number of the first one.
        methods: Names of methods (see `co-gym solvers`), with SCIP's emphasis on heuristics behind them if any.
        checkpoints: Seconds at which gaps are compared; the last is the time limit.
        output: File of the solves.
        core: Run on this core alone, at real-time priority if that is allowed.
        split: Of the distributions.
        report: Only print the tables of what `output` holds.
    """
    if core is not None:
        from bench_branching import pin

        pin(core)
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not report:
        done = {(one["distribution"], one["instance"], one["method"]) for one in read(path)}
        for name in distributions:
            for index in range(first, first + instances):
                for method in methods:
                    if (name, index, method) not in done:
                        one = solve(name, split, index, method, checkpoints[-1])
                        with path.open("a", encoding="utf-8") as stream:
                            stream.write(json.dumps(one) + "\n")
                        print(
                            *(one[k] for k in ("distribution", "instance", "method", "status", "objective")),
                            flush=True,
                        )
    for name in distributions:
        print_table(name, [one for one in read(path) if one["distribution"] == name], checkpoints)


def read(path: Path) -> list[dict[str, Any]]:
    """The solves in a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def solve(name: str, split: str, index: int, method: str, time_limit: float) -> dict[str, Any]:
    """Solves one instance with one method."""
    import co_gym
    from co_gym.solvers.base import Options
    from milp.distributions import distribution

    instance = distribution(name).instance(split, index)
    solver, _, emphasis = method.partition(" ")
    settings = {"heuristics": emphasis} if emphasis else {}
    result = co_gym.solve(instance, solver, options=Options(time_limit, seed=index, settings=settings))
    incumbents: list[tuple[float, float]] = []
    for event in result.history:
        if event.objective is not None and (not incumbents or incumbents[-1][1] != event.objective):
            incumbents.append((round(event.time, 3), float(event.objective)))
    return {
        "distribution": name,
        "instance": index,
        "method": method,
        "status": result.status,
        "minimize": co_gym.problem(instance.problem).sense_of(instance) == "minimize",
        "seconds": round(result.runtime, 3),
        "objective": None if result.objective is None else float(result.objective),
        "bound": None if result.bound is None else float(result.bound),
        "incumbents": incumbents,
    }


def print_table(name: str, solves: list[dict[str, Any]], checkpoints: list[float]) -> None:
    """Means of each method over the instances that it has run."""
    found: dict[int, list[float]] = defaultdict(list)
    for one in solves:
        found[one["instance"]] += [objective for _, objective in one["incumbents"]]
    best = {i: min(values) if solves[0]["minimize"] else max(values) for i, values in found.items() if values}
    by_method: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in solves:
        if one["instance"] in best:
            by_method[one["method"]].append(one)
    gaps = [f"gap % at {seconds:g} s" for seconds in checkpoints]
    table = Table("method", "solves", *gaps, "integral", "first, s", "best", "optimal", title=name)
    for method, mine in by_method.items():
        at = [np.mean([gap_at(one, best[one["instance"]], seconds) for one in mine]) for seconds in checkpoints]
        integral = np.mean([primal_integral(one, best[one["instance"]], checkpoints[-1]) for one in mine])
        times = [one["incumbents"][0][0] if one["incumbents"] else checkpoints[-1] for one in mine]
        wins = sum(gap_at(one, best[one["instance"]], checkpoints[-1]) < 1e-6 for one in mine)
        optimal = sum(one["status"] == "optimal" for one in mine)
        cells = [f"{100 * gap:.2f}" for gap in at] + [f"{integral:.2f}", f"{np.mean(times):.2f}"]
        table.add_row(method, str(len(mine)), *cells, str(wins), str(optimal))
    Console(width=140).print(table)


def primal_gap(objective: float | None, best: float) -> float:
    """Between 0 and 1."""
    if objective is None or objective * best < 0:
        return 1.0
    return abs(objective - best) / max(abs(objective), abs(best), 1e-9)


def gap_at(one: dict[str, Any], best: float, seconds: float) -> float:
    """Primal gap of the incumbent at a time."""
    known = [objective for time, objective in one["incumbents"] if time <= seconds]
    return primal_gap(known[-1] if known else None, best)


def primal_integral(one: dict[str, Any], best: float, end: float) -> float:
    """In seconds, until `end`."""
    times = [0.0, *(min(time, end) for time, _ in one["incumbents"]), end]
    gaps = [1.0, *(primal_gap(objective, best) for _, objective in one["incumbents"])]
    return float(np.dot(np.diff(times), gaps))


if __name__ == "__main__":
    try:
        auto_cli(main, parser_class=Parser)
    except CoGymError as error:
        raise SystemExit(f"bench_primal.py: {error}") from None
