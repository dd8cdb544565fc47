"""QAOA from the data to the verified answer, against qiskit-optimization's `MinimumEigenOptimizer`.

    python -m venv PEER && PEER/bin/pip install qiskit-optimization==0.7.0 qiskit==2.6.2
    python scripts/bench_qiskit_optimization.py PEER/bin/python

`--sampler aer` has the peer sample by Aer instead of `StatevectorSampler` (needs `pip install qiskit-aer==0.18.2`
there). 0.7.0 holds its eigensolvers and optimizers itself: qiskit-algorithms is not needed.

A knapsack of 8 items with weights of 1 to 9 and half of their sum as capacity, and an independent set of 12 nodes
where each edge is there with probability 0.3. One thread; all in one run, in turns, medians of the repeats, each
with another seed. The first solve of each kind, which compiles kernels and loads modules, is shown and left out.

Equal on both sides: the data; layers; evaluations at most; shots of a circuit; with the encoding `slack` the
qubits, and what is minimized, the mean energy. "slack, samples" is equal in the optimizer too (COBYLA of SciPy),
and samples in every evaluation, as the peer does. The evaluations that were made are shown, as a method may
converge; where they sample, they are checked against the circuits the peer ran and the samples ours took.

Not equal: the peer begins at random angles, with first steps of 1, and its answer is the best sample of the final
circuit; ours begins at fixed angles with steps of 0.15 and keeps the best sample of all. Penalties differ by a
little. "exact" rows have the exact distribution with gradients (L-BFGS; a value with its gradient counts once) and
sample the final circuit alone. "slack-free" is `unbalanced` with warm-start QAOA and the CVaR of the objective, of
which `exact` is our default. Ours also computes the LP bound, enumerates all strings for the figures of the
distribution, counts gates after transpilation and verifies; the peer, whether its samples are feasible.

A ratio is the peer's median over ours. "p(optimum)" is the probability of an optimum in the final circuit, exact
for ours, of its samples for the peer.
"""

from __future__ import annotations

import os

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "RAYON")})

import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jsonargparse import auto_cli
from rich.console import Console
from rich.table import Table

from co_gym import registry, solve
from co_gym.cli import Parser
from co_gym.errors import CoGymError, InputError, SolverError
from co_gym.instance import Instance
from co_gym.solvers.base import Options
from co_gym.verifier import verify

PEER = "qiskit-optimization"
SLACK = {"encoding": "slack", "ansatz": "qaoa", "objective": "mean", "score": "energy"}
OURS: dict[str, dict[str, Any]] = {
    "slack, samples": SLACK | {"tuning": "samples"},
    "slack, exact": SLACK | {"tuning": "exact"},
    "slack-free, samples": {"tuning": "samples"},
    "slack-free, exact": {"tuning": "exact"},
}


@dataclass(frozen=True)
class Budget:
    """What each solve has: layers, evaluations at most, shots of a circuit."""

    layers: int
    evaluations: int
    shots: int


@dataclass(frozen=True)
class Solve:
    """A solve: seconds, and what came out; `objective` is None if that is not feasible."""

    wall: float
    cpu: float
    qubits: int
    evaluations: int
    objective: float | None
    p_optimal: float


def knapsack(seed: int) -> Instance:
    rng = np.random.default_rng(seed)
    weights, profits = rng.integers(1, 10, size=8), rng.integers(1, 21, size=8)
    data = {"profits": profits, "weights": weights, "capacity": weights.sum() // 2}
    return registry.problem("knapsack").instance(data, name="knapsack, 8 items")


def independent_set(seed: int) -> Instance:
    problem = registry.problem("mis")
    (made,) = problem.generate(12, count=1, seed=seed, distribution="erdos-renyi", probability=0.3)
    return problem.instance(dict(made.data), name="independent set, 12 nodes")


@cache
def optimum(instance: Instance) -> float:
    """By enumeration of all subsets."""
    problem, n = registry.problem(instance.problem), instance["weights"].size
    subsets = (np.arange(1 << n)[:, None] >> np.arange(n)) & 1
    return max(float(problem.objective(instance, x)) for x in subsets if verify(instance, x).feasible)


def ours(instance: Instance, settings: Mapping[str, Any], budget: Budget, seed: int) -> Solve:
    """Solves by co-gym, from the data on.

    Raises:
        CoGymError: If it fails, or its counts of samples and evaluations do not agree.
    """
    chosen = {**settings, "comparison": False, **vars(budget)}
    wall, cpu = time.perf_counter(), time.process_time()
    again = registry.problem(instance.problem).instance(dict(instance.data), name=instance.name)
    result = solve(again, "qaoa", options=Options(600.0, seed=seed, settings=chosen))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    details = result.details
    if "error" in details:
        raise CoGymError(details["error"])
    sampled = details["evaluations"] if settings["tuning"] == "samples" else 0
    if details["shots"] != (sampled + 1) * budget.shots:
        raise CoGymError(f"{details['shots']} samples for {details['evaluations']} evaluations")
    objective = float(result.objective) if result.feasible and result.objective is not None else None
    return Solve(wall, cpu, details["qubits"], details["evaluations"], objective, details["p_optimal"])


@contextmanager
def peer(python: str, sampler: str) -> Iterator[Callable[[Instance, Budget, int], Solve]]:
    """The peer in a process of its own, which waits while ours runs.

    Args:
        python: Interpreter of its environment.
        sampler: `statevector` or `aer`.
    """
    if shutil.which(python) is None:
        raise InputError(f"no interpreter {python}: expected that of an environment with {PEER}")
    command = [python, str(Path(__file__).parent / "peers" / "qiskit_qaoa.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        requests, answers = process.stdin, process.stdout

        def ask(instance: Instance, budget: Budget, seed: int) -> Solve:
            data = {key: np.asarray(value).tolist() for key, value in instance.data.items()}
            request = {"problem": instance.problem, "data": data, "sampler": sampler, "seed": seed}
            with suppress(BrokenPipeError):
                requests.write(json.dumps(request | vars(budget)).encode() + b"\n")
            line = answers.readline()
            if not line:
                raise SolverError(f"the peer ended: expected an interpreter with {PEER}, not {python}")
            return judged(instance, json.loads(line))

        yield ask


def judged(instance: Instance, answer: dict[str, Any]) -> Solve:
    """The peer's answer, verified.

    Raises:
        CoGymError: If its counts of circuits and evaluations do not agree.
    """
    if answer["circuits"] != answer["evaluations"] + 1:
        raise CoGymError(f"{answer['circuits']} circuits for {answer['evaluations']} evaluations")
    check = verify(instance, np.array(answer["solution"]))
    objective = float(check.objective) if check.feasible and check.objective is not None else None
    p_optimal = answer["share"] if answer["best"] == optimum(instance) else 0.0
    return Solve(answer["wall"], answer["cpu"], answer["qubits"], answer["evaluations"], objective, p_optimal)


def main(
    python: str,
    layers: int = 3,
    evaluations: int = 20,
    shots: int = 1024,
    repeats: int = 7,
    seed: int = 2026,
    sampler: Literal["statevector", "aer"] = "statevector",
) -> None:
    """Compares QAOA with that of qiskit-optimization.

    Args:
        python: Interpreter of the peer's environment.
        layers: Of the circuits.
        evaluations: At most; with more than about 20, some methods converge before.
        shots: Samples of a circuit.
        repeats: Solves of each kind.
        seed: Of the instances.
        sampler: Of the peer.
    """
    budget = Budget(layers, evaluations, shots)
    with peer(python, sampler) as other:
        for instance in (knapsack(seed), independent_set(seed)):
            kinds: dict[str, Callable[[int], Solve]] = {f"{PEER}, {sampler}": partial(other, instance, budget)}
            kinds |= {name: partial(ours, instance, settings, budget) for name, settings in OURS.items()}
            firsts = {name: run(repeats) for name, run in kinds.items()}
            turns = [{name: run(turn) for name, run in kinds.items()} for turn in range(repeats)]
            solves = {name: [turn[name] for turn in turns] for name in kinds}
            print_table(f"{instance.name}, {layers} layers, {shots} shots", solves, firsts, optimum(instance))


def print_table(title: str, solves: dict[str, list[Solve]], firsts: dict[str, Solve], best: float) -> None:
    """A row for each method, the peer first."""
    table = Table(title=f"{title}, optimum {best:g}, medians of {len(next(iter(solves.values())))}")
    table.add_column("method")
    for column in (
        "qubits", "evaluations", "objective", "optimal", "p(optimum)", "CPU, ms", "wall, ms", "CPU ratio",
        "wall ratio", "first, ms",
    ):  # fmt: skip
        table.add_column(column, justify="right")
    peers = next(iter(solves.values()))
    for name, runs in solves.items():
        found = [one.objective for one in runs if one.objective is not None]
        cells = [
            span([one.qubits for one in runs]),
            span([one.evaluations for one in runs]),
            f"{statistics.median(found):g}" if found else "–",
            f"{sum(value == best for value in found)}/{len(runs)}",
            f"{median(runs, 'p_optimal'):.3f}",
            f"{1e3 * median(runs, 'cpu'):.0f}",
            f"{1e3 * median(runs, 'wall'):.0f}",
            f"{median(peers, 'cpu') / median(runs, 'cpu'):.1f}",
            f"{median(peers, 'wall') / median(runs, 'wall'):.1f}",
            f"{1e3 * firsts[name].wall:.0f}",
        ]
        table.add_row(name, *cells)
    Console(width=160).print(table)


def median(runs: list[Solve], field: str) -> float:
    return float(statistics.median(getattr(one, field) for one in runs))


def span(counts: list[int]) -> str:
    """Least and greatest, or the one that all are."""
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low}–{high}"


if __name__ == "__main__":
    auto_cli(main, parser_class=Parser)
