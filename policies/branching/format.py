"""Samples of strong branching on disk: one file (.npz) for each instance. NumPy only, so that solvers write it.

The dimensions: n columns, m rows and E entries of the graph at the root; S samples with C candidates in total and
F features each; D numbers that describe the instance; R rows over all samples; K distinct matrices with X entries.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from policies.arrays import (
    Declared,
    checked,
    files_in,
    read_arrays,
    require_below,
    require_names,
    require_offsets,
    write_arrays,
)
from policies.branching.graph import BipartiteGraph as BipartiteGraph

VARIABLE_FEATURES, ROW_FEATURES = 19, 5

ROOT = {
    "root_variables": Declared(np.float32, ("n", VARIABLE_FEATURES)),
    "root_rows": Declared(np.float32, ("m", ROW_FEATURES)),
    "root_indptr": Declared(np.int32, ("m+1",), 0),
    "root_indices": Declared(np.int32, ("E",), 0),
    "root_values": Declared(np.float32, ("E",)),
}
SAMPLES = {
    "candidate_offsets": Declared(np.int64, ("S+1",), 0),
    "candidates": Declared(np.int32, ("C",), 0),
    "scores": Declared(np.float32, ("C",), 0),
    "features": Declared(np.float32, ("C", "F")),
    "depth": Declared(np.int32, ("S",), 0),
    "descriptor": Declared(np.float32, ("D",)),
    "feature_version": Declared(np.int64, (), 0),
}
NODES = {
    "variables": Declared(np.float32, ("S", "n", VARIABLE_FEATURES)),
    "row_offsets": Declared(np.int64, ("S+1",), 0),
    "rows": Declared(np.float32, ("R", ROW_FEATURES)),
    "matrix": Declared(np.int32, ("S",), 0),
    "matrix_row_offsets": Declared(np.int64, ("K+1",), 0),
    "matrix_indptr": Declared(np.int32, ("P",), 0),
    "matrix_edge_offsets": Declared(np.int64, ("K+1",), 0),
    "matrix_indices": Declared(np.int32, ("X",), 0),
    "matrix_values": Declared(np.float32, ("X",)),
}
"""The graphs at the nodes; all or none of these."""
DECLARED = ROOT | SAMPLES | NODES


@dataclass(frozen=True, kw_only=True)
class Shard:
    """The samples of one instance.

    Attributes:
        root_variables: float32 [n, 19]; graph at the first branching decision, as are the next four.
        root_rows: float32 [m, 5].
        root_indptr: int32 [m + 1].
        root_indices: int32 [E].
        root_values: float32 [E].
        candidate_offsets: int64 [S + 1]; where the candidates of each sample begin; each has at least one.
        candidates: int32 [C]; column of each candidate in the graph.
        scores: float32 [C]; strong-branching scores, >= 0.
        features: float32 [C, F]; of the candidates (Khalil et al. 2016, then the 19 of the column), as they are.
        depth: int32 [S]; of the nodes.
        descriptor: float32 [D]; what describes the instance.
        feature_version: Version of the features' definition.
        variables: float32 [S, n, 19]; graphs at the nodes, as are the next eight; None: there are none.
        row_offsets: int64 [S + 1]; where the rows of each sample begin.
        rows: float32 [R, 5].
        matrix: int32 [S]; which of the K matrices a sample has.
        matrix_row_offsets: int64 [K + 1]; the k-th matrix has so many rows as this grows.
        matrix_indptr: int32 [rows of all matrices + K]; of each matrix, beginning at 0 for each.
        matrix_edge_offsets: int64 [K + 1]; where the entries of each matrix begin.
        matrix_indices: int32 [X].
        matrix_values: float32 [X].
    """

    root_variables: NDArray[np.float32]
    root_rows: NDArray[np.float32]
    root_indptr: NDArray[np.int32]
    root_indices: NDArray[np.int32]
    root_values: NDArray[np.float32]
    candidate_offsets: NDArray[np.int64]
    candidates: NDArray[np.int32]
    scores: NDArray[np.float32]
    features: NDArray[np.float32]
    depth: NDArray[np.int32]
    descriptor: NDArray[np.float32]
    feature_version: int
    variables: NDArray[np.float32] | None = None
    row_offsets: NDArray[np.int64] | None = None
    rows: NDArray[np.float32] | None = None
    matrix: NDArray[np.int32] | None = None
    matrix_row_offsets: NDArray[np.int64] | None = None
    matrix_indptr: NDArray[np.int32] | None = None
    matrix_edge_offsets: NDArray[np.int64] | None = None
    matrix_indices: NDArray[np.int32] | None = None
    matrix_values: NDArray[np.float32] | None = None

    @property
    def root(self) -> BipartiteGraph:
        """The graph at the first branching decision."""
        return BipartiteGraph(
            self.root_variables, self.root_rows, self.root_indptr, self.root_indices, self.root_values
        )

    @property
    def has_graphs(self) -> bool:
        """Whether the graphs at the nodes are there."""
        return self.variables is not None

    def graph(self, sample: int) -> BipartiteGraph:
        """The graph at the node of a sample.

        Raises:
            InputError: If the graphs at the nodes are not there.
        """
        if not self.has_graphs:
            raise InputError("these samples hold no graphs of the nodes: collect them with graphs")
        given: Any = self
        k = int(given.matrix[sample])
        first, last = given.matrix_row_offsets[k : k + 2]
        entries = slice(*given.matrix_edge_offsets[k : k + 2])
        return BipartiteGraph(
            given.variables[sample],
            given.rows[slice(*given.row_offsets[sample : sample + 2])],
            given.matrix_indptr[first + k : last + k + 1],
            given.matrix_indices[entries],
            given.matrix_values[entries],
        )

    def save(self, path: str | Path) -> None:
        """Writes the file at once or not at all.

        Raises:
            InputError: If an array is not as it must be.
        """
        path = Path(path)
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays: dict[str, Any] = _checked({k: v for k, v in given.items() if v is not None}, path)
        write_arrays(path, arrays)

    @classmethod
    def load(cls, path: str | Path, *, graphs: bool = True) -> Shard:
        """Reads and checks a file; without `graphs` those of the nodes are left out.

        Raises:
            InputError: If it cannot be read, or an array is not as it must be; names file and array.
        """
        path = Path(path)
        arrays = read_arrays(path, "samples", without=() if graphs else NODES)
        found: dict[str, Any] = _checked(arrays, path)
        found["feature_version"] = int(found["feature_version"])
        return cls(**found)


def shards(folder: str | Path) -> list[Path]:
    """The files in a folder, in order.

    Raises:
        InputError: If there are none.
    """
    return files_in(folder, "samples")


def _checked(given: dict[str, Any], path: Path) -> dict[str, NDArray]:
    nodes = NODES.keys() & given.keys()
    required = ROOT.keys() | SAMPLES.keys() | (NODES.keys() if nodes else set())
    require_names(given, set(required), set(DECLARED), path)
    dimensions: dict[str, int] = {}
    found = {
        name: checked(name, given[name], DECLARED[name], dimensions, path) for name in DECLARED if name in given
    }
    if dimensions["S"] < 1:
        raise InputError("array 'depth' is empty: expected at least one sample", path=path)
    require_offsets("root_indptr", found["root_indptr"], dimensions["E"], path)
    require_below("root_indices", found["root_indices"], dimensions["n"], path)
    require_offsets("candidate_offsets", found["candidate_offsets"], dimensions["C"], path, least=1)
    require_below("candidates", found["candidates"], dimensions["n"], path)
    if nodes:
        _require_graphs(found, dimensions, path)
    return found


def _require_graphs(found: dict[str, NDArray], dimensions: dict[str, int], path: Path) -> None:
    """Checks the graphs of the nodes, whose arrays are of the declared shapes already."""
    rows, entries, count = found["matrix_row_offsets"], found["matrix_edge_offsets"], dimensions["K"]
    require_offsets("row_offsets", found["row_offsets"], dimensions["R"], path)
    require_offsets("matrix_row_offsets", rows, dimensions["P"] - count, path)
    require_offsets("matrix_edge_offsets", entries, dimensions["X"], path)
    require_below("matrix_indices", found["matrix_indices"], dimensions["n"], path)
    require_below("matrix", found["matrix"], count, path)
    for k in range(count):
        indptr = found["matrix_indptr"][rows[k] + k : rows[k + 1] + k + 1]
        require_offsets("matrix_indptr", indptr, int(entries[k + 1] - entries[k]), path)
    if (np.diff(found["row_offsets"]) != np.diff(rows)[found["matrix"]]).any():
        raise InputError("array 'row_offsets': a sample has not as many rows as its matrix", path=path)
