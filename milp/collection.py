"""Samples of strong branching from a distribution, one file for each instance, in parallel and resumable."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyscipopt import SCIP_RESULT

from co_gym.errors import InputError
from milp.descriptor import describe
from milp.distributions import distribution
from milp.interrupt import Guard
from milp.model import build_model
from milp.observation import BipartiteGraph, CandidateFeatures, Decision
from milp.protocol import set_protocol, set_seed
from milp.shards import run_missing, shard_path
from milp.strong_branching import include_expert
from policies.branching.format import Shard


@dataclass(frozen=True)
class Settings:
    """How samples are collected.

    Attributes:
        samples: Most samples of an instance.
        probability: Of asking the expert at a node; without `first_node` it is always asked at the first.
        first_node: Nodes that SCIP's reliability branching decides before any sample is taken.
        explore: What branches where the expert is not asked: `pscost`, or the name of weights.
        seconds: Time limit for an instance.
        graphs: Whether the graphs of the nodes are kept, for networks that look at them.
        seed: Seed of the exploration and of SCIP.
    """

    samples: int = 15
    probability: float = 0.1
    first_node: int = 0
    explore: str = "pscost"
    seconds: float = 120.0
    graphs: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.samples < 1 or not 0 < self.probability <= 1 or self.seconds <= 0:
            raise InputError(
                f"samples {self.samples}, probability {self.probability}, seconds {self.seconds}: "
                "expected at least 1, more than 0 and at most 1, more than 0"
            )


@dataclass
class _Recorder:
    """Looks on while an instance is solved, and keeps samples."""

    settings: Settings
    rng: np.random.Generator
    scorer: Any = None
    features: CandidateFeatures = field(default_factory=CandidateFeatures)
    root: BipartiteGraph | None = None
    kept: list[tuple[Decision, NDArray, int]] = field(default_factory=list)
    decision: Decision | None = None

    def ask(self, model: Any) -> int | None:
        """None if the expert is asked here; else branches, and returns the result for SCIP."""
        first = self.root is None
        if first:
            self._begin(model)
        assert self.features.lp is not None
        if model.getNNodes() <= self.settings.first_node:
            return self.features.lp.branch_reliably()
        if self.rng.random() >= self.settings.probability and not (first and self.settings.first_node == 0):
            return self._explore(model)
        self.decision = self.features.extract(model, with_graph=self.settings.graphs)
        return None

    def _begin(self, model: Any) -> None:
        self.root = self.features.extract(model, with_graph=True).graph
        if self.scorer is not None:
            self.scorer.prepare(self.root)

    def _explore(self, model: Any) -> int:
        lp = self.features.lp
        assert lp is not None
        if self.scorer is None:
            candidates = lp.candidates()
            scores = lp.pseudocost_scores(candidates)
        else:
            decision = self.features.extract(model, with_graph=self.scorer.needs_graph)
            candidates = decision.candidates
            scores = self.scorer.scores(decision.graph, candidates.columns, decision.features)
        lp.branch(candidates.pointers[int(np.argmax(scores))])
        return int(SCIP_RESULT.BRANCHED)

    def observe(self, model: Any, columns: NDArray, scores: NDArray) -> None:
        """Keeps a sample and branches as the expert would."""
        decision, lp = self.decision, self.features.lp
        assert decision is not None
        assert lp is not None
        if np.array_equal(columns, decision.candidates.columns) and scores.max() > 0:
            self.kept.append((decision, scores, model.getDepth()))
        lp.branch(decision.candidates.pointers[int(np.argmax(scores))])
        if len(self.kept) >= self.settings.samples:
            model.interruptSolve()

    def shard(self) -> Shard | None:
        """What was kept; None without a sample."""
        if not self.kept or self.root is None:
            return None
        decisions, scores, depths = zip(*self.kept, strict=True)
        offsets = np.cumsum([0, *(len(d.candidates) for d in decisions)])
        root = self.root
        return Shard(
            root_variables=root.variables,
            root_rows=root.rows,
            root_indptr=root.indptr,
            root_indices=root.indices,
            root_values=root.values,
            candidate_offsets=offsets,
            candidates=np.concatenate([d.candidates.columns for d in decisions]),
            scores=np.concatenate(scores).astype(np.float32),
            features=np.concatenate([d.features for d in decisions]),
            depth=np.array(depths),
            descriptor=describe(root),
            feature_version=CandidateFeatures.version,
            **(_graphs([d.graph for d in decisions]) if self.settings.graphs else {}),
        )


def _graphs(graphs: Sequence[Any]) -> dict[str, Any]:
    """The arrays of the nodes' graphs; graphs with the same matrix share it."""
    matrices: list[BipartiteGraph] = []
    which = []
    for graph in graphs:
        if not matrices or matrices[-1].indices is not graph.indices:
            matrices.append(graph)
        which.append(len(matrices) - 1)
    return {
        "variables": np.stack([g.variables for g in graphs]),
        "row_offsets": np.cumsum([0, *(len(g.rows) for g in graphs)]),
        "rows": np.concatenate([g.rows for g in graphs]),
        "matrix": np.array(which),
        "matrix_row_offsets": np.cumsum([0, *(g.indptr.size - 1 for g in matrices)]),
        "matrix_indptr": np.concatenate([g.indptr for g in matrices]),
        "matrix_edge_offsets": np.cumsum([0, *(g.indices.size for g in matrices)]),
        "matrix_indices": np.concatenate([g.indices for g in matrices]),
        "matrix_values": np.concatenate([g.values for g in matrices]),
    }


@dataclass(frozen=True)
class Collected:
    """What became of an instance: its number, samples (0: solved before a decision), and seconds."""

    index: int
    samples: int
    seconds: float


def collect_instance(name: str, split: str, index: int, settings: Settings, folder: Path) -> Collected:
    """Collects the samples of one instance into `<folder>/<split>/<index>.npz`.

    An instance that is solved before a sample leaves an empty file `<index>.none`, so that it is not tried again.

    Raises:
        Exception: Whatever the rules or the solve raise.
    """
    begin = time.perf_counter()
    model, _ = build_model(distribution(name).program(split, index))
    set_protocol(model, "literature")
    set_seed(model, settings.seed)
    model.setParam("limits/time", settings.seconds)
    scorer = None
    if settings.explore != "pscost":
        from milp.inference import load_scorer

        scorer = load_scorer(settings.explore)
    recorder = _Recorder(settings, np.random.default_rng((settings.seed, index)), scorer)
    guard = Guard()
    include_expert(model, guard, recorder.ask, recorder.observe)
    model.optimize()
    solved = model.getStatus() == "optimal"
    model.freeTransform()  # rules and model hold each other: without this, the memory stays until the process ends
    if guard.failure is not None:
        raise guard.failure
    shard = recorder.shard()
    path = shard_path(folder, split, index)
    path.parent.mkdir(parents=True, exist_ok=True)
    if shard is None and solved:
        path.with_suffix(".none").touch()
    elif shard is not None:
        shard.save(path)
    return Collected(index, len(recorder.kept), time.perf_counter() - begin)


def collect(
    name: str, split: str, instances: Sequence[int], settings: Settings, folder: Path, jobs: int = 1
) -> Iterator[Collected]:
    """Collects the samples of the instances that have none yet, in any order; see `milp.shards.run_missing`."""
    task = functools.partial(collect_instance, name, split, settings=settings, folder=folder)
    yield from run_missing(task, folder, split, instances, jobs)
