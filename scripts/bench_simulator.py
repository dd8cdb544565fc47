"""The simulator of the full space against Aer's EstimatorV2: QAOA for MaxCut on random 3-regular graphs.

Usage: python scripts/bench_simulator.py [--qubits 12 16 20] [--layers 1 3 8] [--large 24 26] [--repeats 7]

CPU time of one thread, medians of repeats, all in the same run and in turns. Everything is compiled before, and
Aer's circuit and observable are made once and angles bound through the PUB. "gradient" is the full gradient over
one evaluation. The floor is the greater of two times: that of the additions and multiplications at the rate of a
matrix product, and that of reading and writing the state once in each layer (and reading it with the energies
once more) at the rate of a copy of an array as large as the state; "of floor" says how many times longer ours
takes. Large sizes run in single precision, each in a process of its own, whose greatest resident memory is
shown.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np

from co_gym.report.table import markdown
from quantum.circuits import Circuit, Phase, Rotation, uniform
from quantum.hamiltonians import Ising
from quantum.objectives import Mean
from quantum.simulator import Precision, Simulator

PHASE_FLOPS = {"double": 46, "single": 34}
"""Of one amplitude: polynomials of cosine and sine, a complex product, a factor."""


def maxcut(qubits: int, seed: int = 0) -> Ising:
    """Minus the cut of a random 3-regular graph."""
    pairs = np.array(
        sorted(sorted(edge) for edge in nx.random_regular_graph(3, qubits, seed).edges), dtype=np.int64
    )
    return Ising(-len(pairs) / 2.0, np.zeros(qubits), pairs, np.full(len(pairs), 0.5))


def qaoa(ising: Ising, layers: int) -> Circuit:
    q, made = ising.num_qubits, []
    axes = np.tile([1.0, 0.0, 0.0], (q, 1))
    for layer in range(layers):
        made += [Phase(ising, 2 * layer), Rotation(axes, np.full(q, 2 * layer + 1), 2.0)]
    return Circuit(q, tuple(made), 2 * layers, uniform(q))


def seconds(call: Callable[[], Any], least: float = 0.02) -> float:
    """CPU seconds of a call, mean of as many as take `least` seconds."""
    count, start = 0, time.process_time()
    while True:
        call()
        count += 1
        used = time.process_time() - start
        if used >= least:
            return used / count


def aer(circuit: Circuit, ising: Ising, angles: np.ndarray) -> Callable[[], float]:
    from qiskit_aer.primitives import EstimatorV2

    estimator = EstimatorV2(options={"backend_options": {"method": "statevector", "max_parallel_threads": 1}})
    pub = (circuit.to_qiskit(), ising.operator(), angles)
    return lambda: float(estimator.run([pub], precision=0.0).result()[0].data.evs)


def floor(qubits: int, layers: int, precision: Precision) -> float:
    """Seconds below which an evaluation cannot be, see above."""
    dtype, size = (np.float64, 16) if precision == "double" else (np.float32, 8)
    a, source = np.ones((512, 512), dtype), np.ones(size << qubits, np.uint8)
    target = source.copy()
    rate = 2.0 * 512**3 / min(seconds(lambda: a @ a) for _ in range(3))
    bandwidth = 2.0 * source.size / min(seconds(lambda: np.copyto(target, source)) for _ in range(3))
    states = 1 << qubits
    flops = states * (layers * (4 * qubits + PHASE_FLOPS[precision]) + 5)
    moved = states * (layers * (2 * size + 1) + size + 8)
    return max(flops / rate, moved / bandwidth)


def compare(qubits: int, layers: int, repeats: int) -> list[list[str]]:
    ising = maxcut(qubits)
    circuit, angles = qaoa(ising, layers), np.random.default_rng(0).uniform(0.1, 0.7, 2 * layers)
    energies = ising.energies()
    other = aer(circuit, ising, angles)
    kinds: list[Precision] = ["double", "single"]
    simulators = {kind: Simulator(circuit, precision=kind) for kind in kinds}
    calls: dict[str, Callable[[], Any]] = {"aer": other}
    for kind, ours in simulators.items():
        calls[kind] = lambda ours=ours: ours.expectation(angles, energies)
        calls[kind + " gradient"] = lambda ours=ours: ours.value_and_gradient(angles, energies, Mean())
        calls[kind]()
        calls[kind + " gradient"]()
    expected = other()
    runs = [{name: seconds(call) for name, call in calls.items()} for _ in range(repeats)]
    took = {name: statistics.median(run[name] for run in runs) for name in calls}
    rows = []
    for kind in kinds:
        rows.append(
            [
                str(qubits), str(layers), kind, f"{1e3 * took['aer']:.3g}", f"{1e3 * took[kind]:.3g}",
                f"{took['aer'] / took[kind]:.1f}", f"{took[kind + ' gradient'] / took[kind]:.2f}",
                f"{took[kind] / floor(qubits, layers, kind):.1f}", f"{abs(calls[kind]() - expected):.0e}",
            ]
        )  # fmt: skip
    return rows


def large(qubits: int) -> None:
    """Prints seconds of one layer with its expectation, and memory, as JSON; alone in its process."""
    ising = maxcut(qubits)
    Simulator(qaoa(maxcut(10), 1), precision="single").expectation(np.array([0.3, 0.4]), maxcut(10).energies())
    simulator = Simulator(qaoa(ising, 1), precision="single")
    energies = ising.energies()
    took = [seconds(lambda: simulator.expectation(np.array([0.3, 0.4]), energies)) for _ in range(3)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": statistics.median(took), "memory": memory}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qubits", type=int, nargs="*", default=[12, 16, 20])
    parser.add_argument("--layers", type=int, nargs="+", default=[1, 3, 8])
    parser.add_argument("--large", type=int, nargs="*", default=[24, 26])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.alone:
        return large(args.alone)
    columns = [
        "qubits",
        "layers",
        "precision",
        "Aer, ms",
        "ours, ms",
        "ratio",
        "gradient",
        "of floor",
        "difference",
    ]
    rows = [row for q in args.qubits for p in args.layers for row in compare(q, p, args.repeats)]
    print(markdown(columns, rows), flush=True)
    made = []
    for q in args.large:
        command = [sys.executable, __file__, "--alone", str(q)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        made.append([str(q), f"{found['seconds']:.3f}", f"{found['memory']:.2f}"])
    print(markdown(["qubits", "seconds for one layer and its expectation", "peak resident GiB"], made))
    return None


if __name__ == "__main__":
    main()
