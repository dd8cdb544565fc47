"""Times the scoring of branching candidates on one thread: compiled kernels, torch, and the network as published.

`python scripts/bench_inference.py`. "published" is torch-geometric with linear maps for each entry of the matrix
(Gasse et al. 2019); all three give the same scores. "floor" is what the arithmetic alone would take at the rate of
a large matrix product measured here, or the memory traffic at the rate of a copy, whichever is longer. Times are
those that the thread had the processor, so that other programs disturb them little.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from milp.inference import load_scorer
from policies.branching.batch import Batch, tensors
from policies.branching.cards import BranchingBudget, BranchingCard
from policies.branching.convolution import HalfConvolution
from policies.branching.format import BipartiteGraph
from policies.branching.network import BranchingNetwork
from policies.branching.samples import batch_of
from policies.branching.weights import save
from policies.weights.cards import Part
from policies.weights.networks import build


class Published(HalfConvolution):
    """The same layer with its linear maps where the paper has them: at each entry."""

    def forward(self, rows: Any, columns: Any, edges: Any) -> Any:
        """See `HalfConvolution`."""
        own = rows if self.to_rows else columns
        both = torch.cat([self.gathered(rows, columns, edges) * self.scale, own], -1)
        return self.out(torch.relu(self.hidden(both)))

    def message(self, x_i: Any, x_j: Any, a: Any) -> Any:
        """See `HalfConvolution`; of embeddings that are not projected yet."""
        row, column = (x_i, x_j) if self.to_rows else (x_j, x_i)
        return self.last(torch.relu(self.row(row) + self.edge * a.unsqueeze(-1) + self.column(column)))


@dataclass
class Size:
    """An LP: columns, rows, entries, candidates and features of each."""

    n: int = 1000
    m: int = 500
    entries: int = 25000
    candidates: int = 90
    features: int = 99


def graph_of(size: Size, rng: np.random.Generator) -> BipartiteGraph:
    counts = np.full(size.m, size.entries // size.m)
    indices = np.concatenate([np.sort(rng.permutation(size.n)[:count]) for count in counts])
    return BipartiteGraph(
        rng.normal(size=(size.n, 19)).astype(np.float32),
        rng.normal(size=(size.m, 5)).astype(np.float32),
        np.r_[0, counts.cumsum()].astype(np.int32),
        indices.astype(np.int32),
        rng.normal(size=len(indices)).astype(np.float32),
    )


def median(call: Callable[[], Any], seconds: float) -> float:
    """Milliseconds of a call, the median over so many seconds of this thread, at least five calls."""
    call()
    times: list[float] = []
    while sum(times) < seconds or len(times) < 5:
        begin = time.thread_time()
        call()
        times.append(time.thread_time() - begin)
    return 1000 * statistics.median(times)


def rates() -> tuple[float, float]:
    """Floating-point operations and bytes that this machine does in a millisecond on one thread."""
    a = np.random.default_rng(0).random((1024, 1024), dtype=np.float32)
    x, y = np.ones(1 << 24, np.float32), np.empty(1 << 24, np.float32)
    return 2 * 1024**3 / median(lambda: a @ a, 0.5), 2 * x.nbytes / median(lambda: np.copyto(y, x), 0.5)


def trunk_work(size: Size, d: int, receivers: int) -> tuple[float, float]:
    """Operations and bytes of a graph network whose last layer reaches so many columns."""
    n, m, entries = size.n, size.m, size.entries
    products = n * (19 * d + 2 * d * d) + m * (5 * d + 3 * d * d) + m * 3 * d * d + receivers * 4 * d * d
    sums = 5 * d * entries * (1 + receivers / n)
    return 2 * products + sums, 4.0 * (n * (19 + 3 * d) + m * (5 + 6 * d) + 4 * entries)


def perceptron_work(size: Size, d: int) -> tuple[float, float]:
    inputs = 2 * size.features
    operations = size.candidates * (2 * d * (inputs + d) + 40 * size.features)
    return operations, 4.0 * (size.candidates * (size.features + inputs + 6 * d) + d * (inputs + d))


def with_published_layers(network: Any) -> Any:
    for name in ("down", "up"):
        given = getattr(network.trunk, name)
        layer = Published(given.row.in_features, given.to_rows)
        layer.load_state_dict(given.state_dict())
        setattr(network.trunk, name, layer)
    return network.eval()


def saved(kind: str, width: int, batch: Batch, folder: Path, **more: Any) -> Any:
    """A network with random weights, and its scorer."""
    classes = {"gcnn": "policies.branching.gcnn.GCNN", "hybrid": "policies.branching.hybrid.Hybrid"}
    part = Part(class_path=classes[kind], init_args={"width": width, **more})
    network = build(part, BranchingNetwork, folder)
    network.fit([batch])
    budget = BranchingBudget(instances=0, minutes=0.0, threads=1, machine="here")
    name = f"{kind}{width}"
    save(
        network,
        BranchingCard(name=name, network=part, trained=(), seed=0, budget=budget, feature_version=1),
        folder,
    )
    return network.eval(), load_scorer(name, folder)


class Bench:
    """One LP, and a table of the times on it."""

    def __init__(self, size: Size, seconds: float, folder: Path) -> None:
        rng = np.random.default_rng(0)
        self.size, self.seconds, self.folder, self.graph = size, seconds, folder, graph_of(size, rng)
        self.candidates = np.sort(rng.permutation(size.n)[: size.candidates]).astype(np.int32)
        self.features = rng.normal(size=(size.candidates, size.features)).astype(np.float32)
        own = {"candidates": torch.from_numpy(self.candidates), "features": torch.from_numpy(self.features)}
        self.batch = batch_of([(tensors(self.graph), [own | {"scores": torch.ones(size.candidates)}])])
        self.flops, self.bandwidth = rates()
        rate = f"{self.flops / 1e6:.0f} GFLOP/s, {self.bandwidth / 1e6:.0f} GB/s"
        columns = ("network", "step", "kernels", "torch", "published", "ratio", "floor", "over floor")
        self.table = Table(*columns, title=f"Milliseconds on one thread, {rate}; {size}")

    def row(self, name: str, step: str, calls: tuple[Any, Any, Any], work: tuple[float, float]) -> None:
        """Times kernels, torch and, unless None, the network as published."""
        with torch.no_grad():
            times = [median(call, self.seconds) if call else None for call in calls]
        kernels, published = times[0] or 0.0, times[2]
        floor = max(work[0] / self.flops, work[1] / self.bandwidth)
        shown = ["" if one is None else f"{one:.3g}" for one in times]
        ratio = "" if published is None else f"{published / kernels:.1f}"
        self.table.add_row(name, step, *shown, ratio, f"{floor:.3g}", f"{kernels / floor:.1f}")

    def networks(self, kind: str, width: int, **more: Any) -> tuple[Any, Any, Any]:
        """Scorer, network and network as published, of the same weights."""
        network, scorer = saved(kind, width, self.batch, self.folder, **more)
        return scorer, network, with_published_layers(copy.deepcopy(network))

    def gcnn(self, width: int) -> None:
        """The row of a graph network at the node; checks that all three score alike."""
        scorer, network, published = self.networks("gcnn", width)
        found = scorer.scores(self.graph, self.candidates)
        with torch.no_grad():
            for other in (network, published):
                assert np.abs(other(self.batch).numpy() - found).max() < 1e-4
        calls = (
            lambda: scorer.scores(self.graph, self.candidates),
            lambda: network(self.batch),
            lambda: published(self.batch),
        )
        self.row(f"GCNN, width {width}", "node", calls, trunk_work(self.size, width, self.size.candidates))

    def hybrid(self) -> None:
        """The rows of the hybrid: once at the root, and at each node."""
        scorer, network, published = self.networks("hybrid", 64, features=self.size.features)
        operations, traffic = trunk_work(self.size, 32, self.size.n)
        films = 256 * self.size.n
        calls = (
            lambda: scorer.prepare(self.graph),
            lambda: network.modulation(network.trunk(self.batch)),
            lambda: published.modulation(published.trunk(self.batch)),
        )
        name = "hybrid, width 32 and 64"
        self.row(name, "root", calls, (operations + 64 * films, traffic + 4 * films))
        # torch's share of a node, without the modulation
        plain = saved("hybrid", 64, self.batch, self.folder, features=self.size.features, root=False)[0]
        node = (
            lambda: scorer.scores(None, self.candidates, self.features),
            lambda: plain(self.batch),
            None,
        )
        self.row(name, "node", node, perceptron_work(self.size, 64))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in vars(Size()).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure")
    args = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        size = Size(**{name: getattr(args, name) for name in vars(Size())})
        bench = Bench(size, args.seconds, Path(folder))
        for width in (64, 32):
            bench.gcnn(width)
        bench.hybrid()
    Console(width=120).print(bench.table)


if __name__ == "__main__":
    main()
