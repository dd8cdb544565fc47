"""Times observations of SCIP's LP against PySCIPOpt's own: `python scripts/bench_observation.py --core 1`.

Inside a branching callback at several nodes, one thread on one core, all readers in turns at each node. Times are
of the processor, so that other work on the machine does not lengthen the longer ones: medians over the nodes of
medians over the repeats; a ratio is the median of those within the nodes. `cold` begins a new solve: the matrix is
read anew. PySCIPOpt returns lists; a network needs arrays, hence its second row.

The floor is the time to move the bytes that a reader must read and write at the speed at which this core copies
64 MB.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np
from jsonargparse import auto_cli
from pyscipopt import SCIP_PARAMSETTING
from rich import box
from rich.console import Console
from rich.table import Table
from timing import milliseconds

from milp.distributions import distribution
from milp.interrupt import Guard
from milp.lp_interface import native_lp
from milp.model import build_model
from milp.observation import CandidateFeatures, Khalil, NodeBipartite
from milp.protocol import set_protocol
from milp.rules import PASS, LPRule

PEER, PEER_ARRAYS = "PySCIPOpt, lists", "PySCIPOpt, arrays"
CASES = [(name, presolve) for name in ("set-cover-easy", "facility-easy") for presolve in (False, True)]


@dataclass
class Measured:
    """Times and floors in ms by reader and node, and the sizes of the LPs."""

    times: dict[str, list[float]] = field(default_factory=dict)
    floors: dict[str, list[float]] = field(default_factory=dict)
    sizes: list[tuple[int, ...]] = field(default_factory=list)


@dataclass
class Readers:
    """What is timed at a node."""

    model: Any
    graph: NodeBipartite = field(default_factory=NodeBipartite)
    cold: NodeBipartite = field(default_factory=NodeBipartite)
    everything: CandidateFeatures = field(default_factory=CandidateFeatures)
    khalil: Khalil = field(default_factory=Khalil)

    def __post_init__(self) -> None:
        for one in (self.graph, self.everything, self.khalil):
            one.reset(self.model)

    def read_cold(self) -> None:
        """Begins a new solve and reads the graph."""
        self.cold.reset(self.model)
        self.cold.extract(self.model)

    def peer_arrays(self) -> None:
        """PySCIPOpt's graph as arrays."""
        columns, entries, rows, _ = self.model.getBipartiteGraphRepresentation()
        for part in (columns, entries, rows):
            np.array(part, dtype=np.float32)

    def calls(self) -> dict[str, Callable[[], Any]]:
        """The readers by name."""
        model = self.model
        return {
            "NodeBipartite": lambda: self.graph.extract(model),
            "NodeBipartite, cold": self.read_cold,
            "Khalil": lambda: self.khalil.extract(model),
            "CandidateFeatures": lambda: self.everything.extract(model),
            "CandidateFeatures with graph": lambda: self.everything.extract(model, with_graph=True),
            PEER: model.getBipartiteGraphRepresentation,
            PEER_ARRAYS: self.peer_arrays,
        }

    def traffic(self) -> dict[str, int]:
        """Bytes that must be read or written: LP arrays, then results."""
        lp, graph = native_lp(self.model), self.graph.extract(self.model)
        matrix, found = lp.matrix(), self.everything.extract(self.model)
        entries = matrix.indices.nbytes + matrix.values.nbytes
        lp_arrays = sum(
            part.nbytes for part in (*astuple(lp.values()), *lp.ages(), matrix.objective, matrix.types)
        )
        lp_arrays += sum(part.nbytes for part in lp.incumbent() or ())
        result = graph.variables.nbytes + graph.rows.nbytes
        of_rows = 4 * 8 * matrix.num_rows + entries
        return {
            "NodeBipartite": lp_arrays + result,
            "NodeBipartite, cold": lp_arrays + result + entries + graph.indices.nbytes + graph.values.nbytes,
            "Khalil": of_rows + 72 * 4 * len(found.features),
            "CandidateFeatures": of_rows + found.features.nbytes,
            "CandidateFeatures with graph": lp_arrays + result + entries + found.features.nbytes,
        }


def bandwidth() -> float:
    """Bytes read and written in a millisecond."""
    source = np.ones(8_000_000)
    target = np.empty_like(source)
    return 2 * source.nbytes / milliseconds(lambda: np.copyto(target, source), 9)


def measure(name: str, presolve: bool, nodes: int, repeats: int) -> Measured:
    """Times of all readers at the first nodes of a test instance."""
    model, _ = build_model(distribution(name).program("test", 0))
    set_protocol(model, "literature")
    model.setParam("branching/pscost/priority", 8_000_000)
    if not presolve:
        model.setPresolve(SCIP_PARAMSETTING.OFF)
    found, guard, speed, readers = Measured(), Guard(), bandwidth(), []

    def act() -> dict[str, Any]:
        readers[:] = readers or [Readers(model)]
        for reader, call in readers[0].calls().items():
            count = repeats if reader not in (PEER, PEER_ARRAYS) else max(repeats // 5, 3)
            found.times.setdefault(reader, []).append(milliseconds(call, count))
        for reader, size in readers[0].traffic().items():
            found.floors.setdefault(reader, []).append(size / speed)
        graph = readers[0].graph.extract(model)
        found.sizes.append((len(graph.variables), len(graph.rows), len(graph.values)))
        if len(found.sizes) == nodes:
            model.interruptSolve()
        return PASS

    model.includeBranchrule(LPRule(guard, act), "bench", "measures", 9_000_000, -1, 1.0)
    model.optimize()
    if guard.failure is not None:
        raise guard.failure
    return found


def table(label: str, found: Measured) -> Table:
    columns, rows, entries = (int(statistics.median(size)) for size in zip(*found.sizes, strict=True))
    size = f"{columns} columns, {rows} sides, {entries} entries, {len(found.sizes)} nodes"
    result = Table(title=f"{label}: {size}", box=box.MARKDOWN, title_justify="left")
    for heading in ("", "ms", "floor, ms", f"{PEER} / this", f"{PEER_ARRAYS} / this"):
        result.add_column(heading, justify="right" if heading else "left")
    for reader, times in found.times.items():
        floor = found.floors.get(reader)
        ratios = [
            statistics.median(theirs / ours for theirs, ours in zip(found.times[peer], times, strict=True))
            for peer in (PEER, PEER_ARRAYS)
        ]
        shown = f"{statistics.median(floor):.3f}" if floor else ""
        result.add_row(reader, f"{statistics.median(times):.3f}", shown, *(f"{ratio:.1f}" for ratio in ratios))
    return result


def main(nodes: int = 5, repeats: int = 25, core: int | None = None) -> None:
    """Prints a table for each case.

    Args:
        nodes: How many nodes of each solve.
        repeats: At each node; a fifth as many for PySCIPOpt's own.
        core: Pin to this core; the last one by default.
    """
    os.sched_setaffinity(0, {core if core is not None else max(os.sched_getaffinity(0))})
    console = Console(width=140)
    for name, presolve in CASES:
        found = measure(name, presolve, nodes, repeats)
        console.print(table(f"{name}, {'presolved' if presolve else 'not presolved'}", found), "")


if __name__ == "__main__":
    auto_cli(main)
