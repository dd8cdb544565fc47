"""Small samples whose scores are a function of the features, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.branching.format import BipartiteGraph, Shard


def graph_arrays(rng: np.random.Generator, n: int, m: int, density: float = 0.3) -> dict[str, NDArray]:
    """The arrays of a graph in which each row has at least one entry."""
    dense = rng.random((m, n)) < density
    dense[np.arange(m), rng.integers(n, size=m)] = True
    return {
        "variables": rng.normal(size=(n, 19)).astype(np.float32),
        "rows": rng.normal(size=(m, 5)).astype(np.float32),
        "indptr": np.r_[0, dense.sum(1).cumsum()].astype(np.int32),
        "indices": np.nonzero(dense)[1].astype(np.int32),
        "values": rng.normal(size=dense.sum()).astype(np.float32),
    }


def random_shard(
    seed: int = 0, n: int = 12, m: int = 8, samples: int = 4, f: int = 9, graphs: bool = True
) -> Shard:
    """Samples whose best candidate depends on two features, one of the node's and one of the root's."""
    rng = np.random.default_rng(seed)
    root = graph_arrays(rng, n, m)
    counts = rng.integers(3, n // 2 + 1, size=samples)
    candidates = np.concatenate([np.sort(rng.permutation(n)[:k]) for k in counts])
    features = rng.normal(size=(counts.sum(), f)).astype(np.float32)
    features[:, 2] = 0.5  # constant in all samples
    features[:, 1] *= 1000
    given: dict[str, Any] = {f"root_{key}": value for key, value in root.items()}
    if graphs:
        given |= _node_graphs(rng, n, m, samples)
        owner = np.repeat(np.arange(samples), counts)
        known = given["variables"][owner, candidates, 3]
        features[:, 3] = known
    else:
        known = features[:, 3]
    scores = np.exp(features[:, 0] + known + 0.5 * root["variables"][candidates, 2])
    return Shard(
        candidate_offsets=np.r_[0, counts.cumsum()],
        candidates=candidates.astype(np.int32),
        scores=scores.astype(np.float32),
        features=features,
        depth=np.arange(samples, dtype=np.int32),
        descriptor=np.array([n, m, len(root["indices"])], dtype=np.float32) + np.float32(seed % 3),
        feature_version=1,
        **given,
    )


def _node_graphs(rng: np.random.Generator, n: int, m: int, samples: int) -> dict[str, NDArray]:
    """The arrays of the nodes' graphs, with two matrices in turn."""
    kinds = [graph_arrays(rng, n, m), graph_arrays(rng, n, m - 1)]
    matrix = np.arange(samples) % 2
    sizes = np.array([m, m - 1])
    return {
        "variables": rng.normal(size=(samples, n, 19)).astype(np.float32),
        "row_offsets": np.r_[0, sizes[matrix].cumsum()],
        "rows": rng.normal(size=(sizes[matrix].sum(), 5)).astype(np.float32),
        "matrix": matrix.astype(np.int32),
        "matrix_row_offsets": np.r_[0, sizes.cumsum()],
        "matrix_indptr": np.concatenate([kind["indptr"] for kind in kinds]),
        "matrix_edge_offsets": np.r_[0, np.cumsum([len(kind["indices"]) for kind in kinds])],
        "matrix_indices": np.concatenate([kind["indices"] for kind in kinds]),
        "matrix_values": np.concatenate([kind["values"] for kind in kinds]),
    }


def random_graph(seed: int, n: int, m: int, density: float = 0.3) -> BipartiteGraph:
    """A graph in which each row has at least one entry."""
    return BipartiteGraph(**graph_arrays(np.random.default_rng(seed), n, m, density))


def write_folder(folder: Path, train: int, validation: int, seed: int = 0, **options: Any) -> None:
    """Writes samples of so many instances to the subfolders `train` and `validation`."""
    for part, count in (("train", train), ("validation", validation)):
        (folder / part).mkdir(parents=True)
        for i in range(count):
            one = seed * 2000 + i + (1000 if part == "validation" else 0)
            random_shard(one, **options).save(folder / part / f"{i:04d}.npz")
