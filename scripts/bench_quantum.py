"""Quantum methods on small instances of a set: `python scripts/bench_quantum.py knapsack-12 --methods '["qaoa"]'`.

Each instance of a set is solved by all methods. A solve is a line of a file (`--output`), and what the file
holds already is not run again. `--report` prints the table of such a file: means over the instances that every
method has run, of the qubits, two-qubit gates and depth after transpilation, the share of feasible samples,
the probability of the optimum over that of uniform sampling (its mean and its median), the gap of the best of 50,
the samples until the optimum is seen with 99 %, and all samples and evaluations that were spent on the way.

A method is `name key=value key=value`, see `co-gym solvers` and `co-gym solve --help`. The samplers without
anything quantum that a solve ran beside itself with as many samples are rows of their own.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import auto_cli
from rich.console import Console
from rich.table import Table

from co_gym import registry
from co_gym.cli import Parser
from co_gym.errors import CoGymError, unknown_name
from co_gym.instance import Instance
from co_gym.report.table import markdown as as_markdown
from co_gym.result import relative_gap
from co_gym.solvers.settings import parse_method

Solve = dict[str, Any]
KNAPSACKS = ("pet2", "pb5", "hp1")
GRAPHS = ("johnson8-2-4", "ibm32", "karate", "chesapeake", "hamming6-4", "sloane_1dc_64", "football", "C125-9")
DATA = Path(__file__).parent.parent.parent / "shared" / "data"
KEPT = (
    "qubits", "two_qubit_gates", "depth", "parameters", "evaluations", "shots", "feasible_fraction", "mean_gap",
    "best_of_50_gap", "p_optimal", "over_uniform", "time_to_solution", "optimum", "tuned_on", "why",
)  # fmt: skip
"""Of the details of a solve."""


def generated(problem: str, size: int, count: int = 20, **options: Any) -> list[Instance]:
    """Seeded instances."""
    return registry.problem(problem).generate(size, count=count, seed=2026, **options)


def small_knapsacks(size: int, rows: int, count: int = 20) -> list[Instance]:
    """Knapsacks with weights of 1 to 9, whose slack is held by few bits."""
    found = []
    for index in range(count):
        rng = np.random.default_rng((2026, index))
        weights = rng.integers(1, 10, size=(rows, size))
        data = {
            "profits": rng.integers(1, 21, size=size),
            "weights": weights,
            "capacities": weights.sum(axis=1) // 2,
        }
        found.append(registry.problem("multiknapsack").instance(data, name=f"knapsack-{size}x{rows}-{index}"))
    return found


def files(*names: str) -> list[Instance]:
    """The problems of files."""
    from co_gym.io import read

    return [instance for name in names for instance in read(DATA / name)]


SETS: dict[str, Callable[[], list[Instance]]] = {
    "knapsack-6": lambda: small_knapsacks(6, 2),
    "knapsack-12": lambda: generated("multiknapsack", 12, num_constraints=3),
    "knapsack-files": lambda: [*files("mknap/mknap1.txt")[:3], *files(*(f"mknap/{n}.dat" for n in KNAPSACKS))],
    "tsp-4": lambda: generated("tsp", 4, 10),
    "tsp-5": lambda: generated("tsp", 5, 10),
    "independent-set-14": lambda: generated("mis", 14, 5),
    "independent-set-18": lambda: generated("mis", 18, 3),
    "independent-set-20": lambda: generated("mis", 20, 3),
    "assignment-3": lambda: generated("qap", 3, 10),
    "assignment-4": lambda: generated("qap", 4, 10),
    "market-split-3": lambda: generated("market-split", 14, 5, num_constraints=3, distribution="planted"),
    "independent-set-files": lambda: files(
        *(f"mis/{name}.gph" for name in GRAPHS)
    ),
}  # fmt: skip


def main(
    name: str,
    methods: list[str] = ["qaoa"],  # noqa: B006
    instances: int | None = None,
    time_limit: float = 120.0,
    output: str = "runs/bench_quantum.jsonl",
    report: bool = False,
    markdown: bool = False,
) -> None:
    """Compares quantum methods.

    Args:
        name: Of a set of instances.
        methods: What to run and to show.
        instances: How many of the set; all by default.
        time_limit: Seconds for each.
        output: File of the solves.
        report: Only print the table.
        markdown: Print it in Markdown.
    """
    if name not in SETS:
        raise unknown_name("set", name, list(SETS))
    path = Path(output)
    if not report:
        path.parent.mkdir(parents=True, exist_ok=True)
        done = {(one["set"], one["instance"], one["method"]) for one in read(path)}
        for instance in SETS[name]()[:instances]:
            for method in methods:
                if (name, instance.name, method) not in done:
                    with path.open("a", encoding="utf-8") as file:
                        for line in solve(name, instance, method, time_limit):
                            file.write(json.dumps(line) + "\n")
    title, rows = table_of(name, [one for one in read(path) if one["set"] == name], methods)
    if markdown:
        print(f"{title}\n\n{as_markdown(['method', *COLUMNS], rows)}")
        return
    table = Table(title=title)
    for column in ("method", *COLUMNS):
        table.add_column(column, justify="left" if column == "method" else "right")
    for row in rows:
        table.add_row(*row)
    Console(width=220).print(table)


def read(path: Path) -> list[Solve]:
    """The solves in a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def solve(name: str, instance: Instance, method: str, time_limit: float) -> list[Solve]:
    """Solves an instance by a method: a line for it, and one for each sampler beside it."""
    from co_gym import solve as run
    from co_gym.solvers.base import Options

    solver, settings = parse_method(method)
    own = {"set": name, "instance": instance.name, "method": method}
    try:
        result = run(instance, solver, options=Options(time_limit, settings=settings))
    except CoGymError as error:  # the instance is beyond the method
        return [own | {"objective": None, "status": "refused", "why": str(error)}]
    details = dict(result.details)
    if "error" in details:
        raise CoGymError(f"{instance.name}: {method}: {details['error']}")
    own |= {"seconds": round(result.runtime, 3), "objective": result.objective, "status": result.status}
    own |= {key: details.get(key) for key in KEPT} | {"answer_gap": gap(result.objective, details.get("optimum"))}
    lines = [own]
    for row in details.get("comparison", []):
        if "samples" in row:
            beside = {"set": name, "instance": instance.name, "method": f"{row['method']} beside {method}"}
            lines.append(beside | {"objective": row["objective"], "shots": row["samples"]})
            lines[-1] |= {key: row[key] for key in KEPT if key in row}
            lines[-1]["answer_gap"] = gap(row["objective"], details.get("optimum"))
    return lines


def gap(objective: float | None, optimum: float | None) -> float | None:
    """Relative gap of an answer; None if there is none or the optimum is not known."""
    return None if objective is None or optimum is None else relative_gap(objective, optimum)


COLUMNS: dict[str, Callable[[list[Solve]], str]] = {
    "qubits": lambda lines: mean(lines, "qubits", "{:.1f}"),
    "two-qubit gates": lambda lines: mean(lines, "two_qubit_gates", "{:.0f}"),
    "depth": lambda lines: mean(lines, "depth", "{:.0f}"),
    "feasible": lambda lines: mean(lines, "feasible_fraction", "{:.2f}"),
    "p / uniform": lambda lines: mean(lines, "over_uniform", "{:.3g}"),
    "median": lambda lines: mean(lines, "over_uniform", "{:.3g}", np.median),
    "best of 50, %": lambda lines: mean(lines, "best_of_50_gap", "{:.2f}", scale=100.0),
    "samples to 99 %": lambda lines: mean(lines, "time_to_solution", "{:.3g}", np.median, missing=np.inf),
    "answers": lambda lines: f"{sum(line['objective'] is not None for line in lines)}",
    "their gap, %": lambda lines: mean(lines, "answer_gap", "{:.2f}", scale=100.0),
    "evaluations": lambda lines: mean(lines, "evaluations", "{:.0f}"),
    "all samples": lambda lines: mean(lines, "shots", "{:.0f}"),
}


def mean(
    lines: list[Solve],
    key: str,
    form: str,
    how: Callable[[Any], Any] = np.mean,
    scale: float = 1.0,
    missing: float | None = None,
) -> str:
    """A statistic of a figure over solves, a dash where it is not known."""
    values = [line.get(key) if line.get(key) is not None else missing for line in lines]
    known = [scale * value for value in values if value is not None]
    return form.format(how(known)) if known else "–"


def table_of(name: str, lines: list[Solve], methods: Iterable[str]) -> tuple[str, list[list[str]]]:
    """A title, and a row for each method and for the samplers beside it."""
    by_method: dict[str, list[Solve]] = defaultdict(list)
    for line in lines:
        by_method[line["method"]].append(line)
    rows = [
        known
        for method in methods
        for known in by_method
        if known == method or known.endswith(f" beside {method}")
    ]
    common = set.intersection(*({one["instance"] for one in by_method[row]} for row in rows)) if rows else set()
    found = []
    for row in rows:
        shared = [line for line in by_method[row] if line["instance"] in common]
        found.append([row, *(show(shared) for show in COLUMNS.values())])
    return f"{name}, {len(common)} instances", found


if __name__ == "__main__":
    auto_cli(main, parser_class=Parser)
