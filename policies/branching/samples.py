"""Samples in memory, and batches of them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from co_gym.errors import InputError
from policies.branching.batch import Batch, joined, tensors
from policies.branching.format import Shard, shards

Unit = tuple[int, tuple[int, ...]]
"""Number of an instance, and some of its samples."""


class Samples:
    """The samples of one folder, but for those in which strong branching did not score all candidates.

    Args:
        folder: The folder.
        graphs: Whether the graphs are those of the nodes; else those of the roots.

    Raises:
        InputError: If a file cannot be read or has other features than the first, or no sample is left; names file
            or folder.
    """

    def __init__(self, folder: str | Path, graphs: bool) -> None:
        paths = shards(folder)
        self.graphs, self.shards = graphs, [Shard.load(path, graphs=graphs) for path in paths]
        first = self.shards[0]
        for path, shard in zip(paths, self.shards, strict=True):
            if graphs and not shard.has_graphs:
                raise InputError("holds no graphs of the nodes, which this network needs", path=path)
            for name, found, wanted in (
                ("features", shard.features.shape[1], first.features.shape[1]),
                ("descriptor", len(shard.descriptor), len(first.descriptor)),
                ("feature_version", shard.feature_version, first.feature_version),
            ):
                if found != wanted:
                    raise InputError(f"'{name}': {found}, expected {wanted} as in {paths[0]}", path=path)
        self.kept = [complete(shard) for shard in self.shards]
        """Numbers of the samples of each instance."""
        if not self.count:
            raise InputError("expected samples in which strong branching scored all candidates", path=folder)

    def __len__(self) -> int:
        """Instances."""
        return len(self.shards)

    @property
    def count(self) -> int:
        """Samples."""
        return sum(len(kept) for kept in self.kept)

    def units(self, most: int, rng: np.random.Generator | None = None) -> list[Unit]:
        """All samples, at most so many of an instance at a time; in random order if there is a generator."""
        found: list[Unit] = []
        for i, kept in enumerate(self.kept):
            order = kept.copy()
            if rng is not None:
                rng.shuffle(order)
            found += [(i, tuple(order[k : k + most].tolist())) for k in range(0, len(order), most)]
        if rng is not None:
            rng.shuffle(found)
        return found

    def parts(self, unit: Unit) -> list[tuple[Batch, list[Batch]]]:
        """Graphs, each with the candidates of its samples."""
        shard, chosen = self.shards[unit[0]], unit[1]
        if not self.graphs:
            return [(tensors(shard.root), [_candidates(shard, s) for s in chosen])]
        return [(tensors(shard.graph(s)), [_candidates(shard, s)]) for s in chosen]


def complete(shard: Shard) -> NDArray[np.int64]:
    """The samples in which all candidates were scored.

    SCIP's strong branching stops where both children of a candidate are infeasible: this one has the best score,
    and all behind it are without, as 0.
    """
    offsets, kept = shard.candidate_offsets, []
    for sample, (first, last) in enumerate(pairwise(offsets)):
        scores = shard.scores[first:last]
        behind = scores[int(scores.argmax()) + 1 :]
        if not len(behind) or behind.any() or not scores.any():
            kept.append(sample)
    return np.array(kept, dtype=np.int64)


def _candidates(shard: Shard, sample: int) -> Batch:
    own = slice(*shard.candidate_offsets[sample : sample + 2].tolist())
    names = ("candidates", "scores", "features")
    return {name: torch.from_numpy(getattr(shard, name)[own]) for name in names}


def batch_of(parts: Sequence[tuple[Batch, list[Batch]]]) -> Batch:
    """A batch of graphs with the candidates of their samples; see `policies.branching.batch.Batch`."""
    graph, columns = joined([graph for graph, _ in parts])
    samples = [(sample, int(first)) for (_, own), first in zip(parts, columns, strict=False) for sample in own]
    counts = torch.tensor([len(sample["scores"]) for sample, _ in samples])
    candidates = torch.cat([sample["candidates"].long() + first for sample, first in samples])
    rest: dict[str, Tensor] = {
        name: torch.cat([sample[name] for sample, _ in samples]) for name in ("scores", "features")
    }
    return {"counts": counts, "candidates": candidates, **rest, **graph}


class Stream:
    """Endless passes over the samples of a folder, each in an order of its own.

    Args:
        samples: The samples.
        most: Most samples of an instance at a time.
        seed: Of the orders.
    """

    def __init__(self, samples: Samples, most: int, seed: tuple[int, ...]) -> None:
        self.samples, self.most, self.seed = samples, most, seed
        self.length = len(samples.units(most))
        self._pass = functools.lru_cache(2)(self._drawn)

    def __getitem__(self, number: int) -> Unit:
        """The unit of a number, 0 or above."""
        return self._pass(number // self.length)[number % self.length]

    def _drawn(self, number: int) -> list[Unit]:
        return self.samples.units(self.most, np.random.default_rng((*self.seed, number)))
