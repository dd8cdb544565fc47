"""Compressing methods on knapsacks and graphs, as a table in Markdown: `python scripts/bench_compression.py`.

Each instance is solved as `co-gym solve --method` does it, with several seeds. Gaps are mean / worst over the
seeds: of the rounded strings as the method returns them (a dash where some seed has no feasible one), and of those
of the same method without a circuit (of a product state, for random access codes) for as many evaluations; of the
answer, that is after repair and local search, and of repair and local search from as many random strings.
Published figures are from hardware, by the comparative study of these methods.

The schedule of regularizations and the accuracy of training were chosen on hp1, pb5, pet2, ibm32, chesapeake,
hamming6-4, sloane_1dc_64, C125-9 and es60fst01 with the seeds 0 to 2, its length also on keller4 and brock200-2.
All seeds here are others by default, and the set `held-out` had no part in it; `dense` is where the method ends.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jsonargparse import auto_cli

from co_gym import registry, solve
from co_gym.cli import Parser
from co_gym.errors import unknown_name
from co_gym.instance import Instance
from co_gym.io import read
from co_gym.result import Result, relative_gap
from co_gym.solvers.base import Options

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
KNAPSACKS = ("hp1", "pb5", "pet2")
GRAPHS = (
    "chesapeake", "es60fst01", "football", "hamming6-4", "ibm32", "johnson8-2-4", "karate", "sloane_1dc_64",
    "C125-9",
)  # fmt: skip
FEW_QUBITS = ("chesapeake", "football", "ibm32", "johnson8-2-4", "karate")
"""Graphs of which many evaluations of a random access code's circuit take seconds."""
SETS: dict[str, list[tuple[str, str, str]]] = {
    "knapsacks": [(f"mknap/{name}.dat", "pce", how) for name in KNAPSACKS for how in ("slack", "unbalanced")]
    + [("mknap/pet2.dat", "qrao", "unbalanced")],
    "graphs": [(f"mis/{name}.gph", "pce", "unbalanced") for name in GRAPHS]
    + [(f"mis/{name}.gph", "qrao", "unbalanced") for name in FEW_QUBITS],
    "large-codes": [(file, "qrao", "unbalanced") for file in ("mknap/pb5.dat", "mis/hamming6-4.gph")],
    "held-out": [(f"mknap/{name}.dat", "pce", "unbalanced") for name in ("weing1", "weish01")]
    + [
        (f"{what} {seed}", "pce", "unbalanced")
        for what in ("mis 60", "mis 100", "multiknapsack 40")
        for seed in range(3)
    ],
    "dense": [(f"mis/{name}.gph", "pce", "unbalanced") for name in ("keller4", "brock200-2")],
}
PUBLISHED = {
    ("hp1", "pce"): "PCE 7 qubits, 13 %", ("hp1", "qrao"): "QRAO 38 qubits, 6 %",
    ("pb5", "pce"): "PCE 10 qubits, 18 %", ("pb5", "qrao"): "QRAO 57 qubits, 18 %",
}  # fmt: skip
COLUMNS = (
    "instance", "variables", "method", "encoding", "qubits", "before refinement, %", "without circuit, %",
    "after, %", "random + refinement, %", "seconds", "published",
)  # fmt: skip


@dataclass(frozen=True)
class Solve:
    """One solve.

    Attributes:
        variables: Of the Hamiltonian.
        qubits: Of the circuit.
        before: Gap of the strings before refinement; nan without a feasible one.
        plain: The same without a circuit; nan also where there was no time for it.
        after: Gap of the answer; nan without one.
        random: Gap of as many random strings, refined.
        seconds: Of the whole solve.
    """

    variables: int
    qubits: int
    before: float
    plain: float
    after: float
    random: float
    seconds: float


def main(
    sets: list[str] = ["knapsacks", "graphs"],  # noqa: B006
    seeds: int = 3,
    first_seed: int = 100,
    time_limit: float = 60.0,
) -> None:
    """Prints the table in Markdown.

    Args:
        sets: Of instances: knapsacks, graphs, large-codes, held-out.
        seeds: How many.
        first_seed: The first of them.
        time_limit: Seconds for each solve.
    """
    print(f"| {' | '.join(COLUMNS)} |")
    print("|" + "---|" * len(COLUMNS))
    for name in sets:
        if name not in SETS:
            raise unknown_name("set", name, list(SETS))
        for file, method, encoding in SETS[name]:
            instance = load(file)
            wanted = (
                Options(time_limit, seed=first_seed + k, settings={"encoding": encoding}) for k in range(seeds)
            )
            line(instance, method, encoding, [figures(solve(instance, method, options=one)) for one in wanted])


def figures(result: Result) -> Solve:
    """What counts of a result.

    Raises:
        RuntimeError: If the verifier refuses the answer.
    """
    if result.solution is not None and not (result.check and result.check.ok):
        raise RuntimeError(f"{result.instance.name}: the answer of {result.method} is wrong: {result.check}")
    best, details = optimum(result.instance), result.details
    beside = [row["objective"] for row in details["comparison"]]
    found = [beside[0], beside[1] if len(beside) > 2 else None, result.objective, beside[-1]]
    gaps = [np.nan if value is None else 100.0 * relative_gap(value, best) for value in found]
    before, plain, after, random = gaps
    return Solve(details["variables"], details["qubits"], before, plain, after, random, result.runtime)


def load(source: str) -> Instance:
    """The problem of a file, or a random one by problem, size and seed."""
    if "." in source:
        return read(DATA / source)[0]
    name, size, seed = source.split()
    return registry.problem(name).generate(int(size), seed=int(seed))[0]


def optimum(instance: Instance) -> float:
    """The known optimum of a file's instance, a proven one of a random instance.

    Raises:
        RuntimeError: If none is proven in a minute.
    """
    if instance.reference is not None:
        return float(instance.reference)
    with (DATA / "mis" / "optima.csv").open(encoding="utf-8") as file:
        known = {row["instance"]: float(row["optimum"]) for row in csv.DictReader(file)}
    if instance.name in known:
        return known[instance.name]
    best = solve(instance, "exact")
    if best.status != "optimal" or best.objective is None:
        raise RuntimeError(f"{instance.name}: no optimum within a minute")
    return float(best.objective)


def line(instance: Instance, method: str, encoding: str, solves: list[Solve]) -> None:
    """Prints a row of the table."""
    cells = [instance.name, str(solves[0].variables), method, encoding, str(solves[0].qubits)]
    cells += list(gaps(solves))
    seconds = np.mean([one.seconds for one in solves])
    cells += [f"{seconds:.1f}", PUBLISHED.get((instance.name, method), "")]
    print(f"| {' | '.join(cells)} |", flush=True)


def gaps(solves: list[Solve]) -> Iterator[str]:
    """Mean and worst of each kind of gap; a dash if a seed has none."""
    for name in ("before", "plain", "after", "random"):
        values = np.array([getattr(one, name) for one in solves])
        yield "–" if np.isnan(values).any() else f"{values.mean():.1f} / {values.max():.1f}"


if __name__ == "__main__":
    auto_cli(main, parser_class=Parser)
