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
from policies.branching.samples import batch_of
from policies.branching.weights import build, save
from policies.weights.cards import Part


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
    network = build(part, folder)
    network.fit([batch])
    budget = BranchingBudget(instances=0, minutes=0.0, threads=1, machine="here")
    name = f"{kind}{width}"
    save(
        network,
        BranchingCard(name=name, network=part, trained=(), seed=0, budget=budget, feature_version=1),
        folder,
    )
    return network.eval(), load_scorer(name, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in vars(Size()).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure")
    args = parser.parse_args()
    size = Size(**{name: getattr(args, name) for name in vars(Size())})
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    graph = graph_of(size, rng)
    candidates = np.sort(rng.permutation(size.n)[: size.candidates]).astype(np.int32)
    features = rng.normal(size=(size.candidates, size.features)).astype(np.float32)
    own = {"candidates": torch.from_numpy(candidates), "features": torch.from_numpy(features)}
    batch = batch_of([(tensors(graph), [own | {"scores": torch.ones(size.candidates)}])])
    flops, bandwidth = rates()
    table = Table(
        "network", "step", "kernels", "torch", "published", "published / kernels", "floor", "kernels / floor",
        title=f"Milliseconds, one thread; {flops / 1e6:.0f} GFLOP/s, {bandwidth / 1e6:.0f} GB/s; {size}",
    )  # fmt: skip

    def row(
        name: str,
        step: str,
        kernels: Any,
        plain: Any,
        published: Any,
        work: tuple[float, float],
        rounds: float = 1,
    ) -> None:
        with torch.no_grad():
            a, b = median(kernels, args.seconds), median(plain, args.seconds)
            c = median(published, args.seconds) if published else None
        floor = max(work[0] / flops, work[1] / bandwidth)
        third = ("", "") if c is None else (f"{c:.3g}", f"{c / a:.1f}")
        table.add_row(name, step, f"{a:.3g}", f"{b:.3g}", *third, f"{floor:.3g}", f"{a / floor:.1f}")

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for width in (64, 32):
            network, scorer = saved("gcnn", width, batch, folder)
            found = scorer.scores(graph, candidates)
            with torch.no_grad():
                published = with_published_layers(saved("gcnn", width, batch, folder)[0])
                published.load_state_dict(network.state_dict())
                for other in (network, published):
                    assert np.abs(other(batch).numpy() - found).max() < 1e-4
            row(
                f"GCNN, width {width}",
                "node",
                lambda s=scorer: s.scores(graph, candidates),
                lambda s=network: s(batch),
                lambda s=published: s(batch),
                trunk_work(size, width, size.candidates),
            )
        network, scorer = saved("hybrid", 64, batch, folder, features=size.features)
        published = with_published_layers(saved("hybrid", 64, batch, folder, features=size.features)[0])
        scorer.prepare(graph)
        work = trunk_work(size, 32, size.n)
        root = (work[0] + size.n * 2 * 32 * 256, work[1] + size.n * 4 * 256)
        row(
            "hybrid, width 32 / 64",
            "root",
            lambda: scorer.prepare(graph),
            lambda: network.modulation(network.trunk(batch)),
            lambda: published.modulation(published.trunk(batch)),
            root,
        )
        perceptron = saved("hybrid", 64, batch, folder, features=size.features, root=False)[0]
        row(
            "hybrid, width 32 / 64",
            "node",
            lambda: scorer.scores(None, candidates, features),
            lambda: perceptron(batch),
            None,
            perceptron_work(size, 64),
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
