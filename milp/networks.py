"""The networks that score candidates, in NumPy and compiled kernels: torch is not needed to use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.kernels import scoring
from policies.branching.format import ROW_FEATURES, VARIABLE_FEATURES
from policies.kernels import edges

Floats = NDArray[np.float32]
Shapes = dict[str, tuple[int, ...]]
Matrix = tuple[NDArray[np.int32], NDArray[np.int32], Floats]
"""Beginnings of rows, columns of entries, entries."""


def linear_shapes(name: str, inputs: int, outputs: int, bias: bool = True) -> Shapes:
    """Names and shapes of a linear layer's weights."""
    return {f"{name}.weight": (outputs, inputs)} | ({f"{name}.bias": (outputs,)} if bias else {})


def convolution_shapes(name: str, width: int) -> Shapes:
    """Names and shapes of the weights of a half-convolution."""
    found: Shapes = {f"{name}.edge": (width,), f"{name}.scale": ()}
    found |= linear_shapes(f"{name}.row", width, width) | linear_shapes(f"{name}.column", width, width, bias=False)
    found |= linear_shapes(f"{name}.last", width, width, bias=False)
    return found | linear_shapes(f"{name}.hidden", 2 * width, width) | linear_shapes(f"{name}.out", width, width)


def embedding_shapes(width: int, variable_features: int, row_features: int) -> Shapes:
    """Names and shapes of the weights of an `Embedding`."""
    found: Shapes = {}
    for kind, features in (("variable", variable_features), ("row", row_features)):
        found |= linear_shapes(f"{kind}_1", features, width) | linear_shapes(f"{kind}_2", width, width)
    for kind, features in (("variable", variable_features), ("row", row_features), ("value", 1)):
        found |= {f"{kind}_norm.mean": (features,), f"{kind}_norm.scale": (features,)}
    return found


def trunk_shapes(width: int) -> Shapes:
    """Names and shapes of the weights of `policies.branching.network.Trunk`."""
    found = embedding_shapes(width, VARIABLE_FEATURES, ROW_FEATURES)
    return found | convolution_shapes("down", width) | convolution_shapes("up", width)


class Space:
    """Arrays that are used again from call to call, as large as was needed so far."""

    def __init__(self) -> None:
        self._kept: dict[str, NDArray] = {}

    def floats(self, name: str, rows: int, columns: int) -> Floats:
        """A float32 array [rows, columns] with any content."""
        kept = self._kept.get(name)
        if kept is None or kept.size < rows * columns:
            kept = self._kept[name] = np.empty(rows * columns, dtype=np.float32)
        return kept[: rows * columns].reshape(rows, columns)

    def slots(self, columns: int) -> NDArray[np.int32]:
        """An int32 array [columns], -1 everywhere; whoever changes it has to change it back."""
        kept = self._kept.get("slots")
        if kept is None or kept.size < columns:
            kept = self._kept["slots"] = np.full(columns, -1, dtype=np.int32)
        return kept[:columns]


class HalfConvolution:
    """See `policies.branching.convolution.HalfConvolution`; the messages' last map is joined with the next."""

    def __init__(self, weights: Mapping[str, NDArray], name: str) -> None:
        hidden = weights[f"{name}.hidden.weight"].astype(np.float64)
        width = hidden.shape[0]
        last = weights[f"{name}.last.weight"] * weights[f"{name}.scale"].astype(np.float64)
        self.gathered = transposed(hidden[:, :width] @ last)
        self.own = transposed(hidden[:, width:])
        self.hidden_bias = weights[f"{name}.hidden.bias"]
        self.row, self.row_bias = transposed(weights[f"{name}.row.weight"]), weights[f"{name}.row.bias"]
        self.column, self.edge = transposed(weights[f"{name}.column.weight"]), weights[f"{name}.edge"]
        self.out, self.out_bias = transposed(weights[f"{name}.out.weight"]), weights[f"{name}.out.bias"]

    def receive(self, own: Floats, sums: Floats, name: str, space: Space) -> Floats:
        """The receivers' next embeddings with the activation behind them, [r, d]."""
        count, width = own.shape
        hidden = np.matmul(sums, self.gathered, out=space.floats("hidden", count, width))
        scoring.sum_relu(hidden, np.matmul(own, self.own, out=space.floats("own", count, width)), self.hidden_bias)
        found = np.matmul(hidden, self.out, out=space.floats(name, count, width))
        scoring.add_relu(found, self.out_bias)
        return found

    def to_rows(self, rows: Floats, columns: Floats, matrix: Matrix, space: Space, name: str = "rows") -> Floats:
        """The rows' next embeddings, [m, d].

        Args:
            rows: [m, d].
            columns: [n, d].
            matrix: Standardized entries.
            space: Where arrays are taken from.
            name: Of the array that the embeddings are in.
        """
        left, right = self._projected(rows, columns, space)
        sums = space.floats("sums", *rows.shape)
        edges.sum_rows(left, right, self.edge, *matrix, sums)
        return self.receive(rows, sums, name, space)

    def to_columns(
        self,
        rows: Floats,
        columns: Floats,
        matrix: Matrix,
        space: Space,
        chosen: NDArray | None = None,
        name: str = "columns",
    ) -> Floats:
        """The next embeddings of the chosen columns [k, d], or of all; see `to_rows`."""
        own = columns if chosen is None else columns[chosen]
        left, right = self._projected(rows, own, space)
        sums = space.floats("sums", *own.shape)
        slots = space.slots(len(columns))
        place = slice(None) if chosen is None else chosen
        slots[place] = np.arange(len(own), dtype=np.int32)
        edges.sum_columns(left, right, self.edge, *matrix, slots, sums)
        slots[place] = -1
        return self.receive(own, sums, name, space)

    def _projected(self, rows: Floats, columns: Floats, space: Space) -> tuple[Floats, Floats]:
        left = np.matmul(rows, self.row, out=space.floats("left", *rows.shape))
        left += self.row_bias
        return left, np.matmul(columns, self.column, out=space.floats("right", *columns.shape))


class Embedding:
    """Embeddings of columns and rows before any message, and standardized entries.

    Args:
        weights: By name, without prefix.
    """

    def __init__(self, weights: Mapping[str, NDArray]) -> None:
        self.norms = {
            kind: (weights[f"{kind}_norm.mean"], weights[f"{kind}_norm.scale"])
            for kind in ("variable", "row", "value")
        }
        self.layers = {
            name: (transposed(weights[f"{name}.weight"]), weights[f"{name}.bias"])
            for name in ("variable_1", "variable_2", "row_1", "row_2")
        }
        self._values: tuple[Any, Floats] | None = None

    def standardized(self, values: Floats) -> Floats:
        """Standardized entries; kept, as long as the array is the same."""
        if self._values is None or self._values[0] is not values:
            out = np.empty((len(values), 1), dtype=np.float32)
            scoring.standardize(values.reshape(-1, 1), *self.norms["value"], out)
            self._values = (values, out[:, 0])
        return self._values[1]

    def embedded(self, kind: str, features: Floats, space: Space) -> Floats:
        """Embeddings [k, d] of columns (kind "variable") or rows ("row") from their features."""
        count, x = len(features), space.floats(f"{kind}_0", *features.shape)
        scoring.standardize(features, *self.norms[kind], x)
        for name in (f"{kind}_1", f"{kind}_2"):
            weight, bias = self.layers[name]
            x = np.matmul(x, weight, out=space.floats(name, count, weight.shape[1]))
            scoring.add_relu(x, bias)
        return x


class Trunk:
    """See `policies.branching.network.Trunk`.

    Args:
        weights: By name, without prefix.
    """

    def __init__(self, weights: Mapping[str, NDArray]) -> None:
        self.embedding = Embedding(weights)
        self.down, self.up = HalfConvolution(weights, "down"), HalfConvolution(weights, "up")
        self.space = Space()

    def embeddings(self, graph: Any, chosen: NDArray) -> Floats:
        """Embeddings [k, width] of some columns; the array is used again in the next call.

        Args:
            graph: As `policies.branching.format.BipartiteGraph`.
            chosen: integers [k]; the columns.
        """
        matrix = (graph.indptr, graph.indices, self.embedding.standardized(graph.values))
        columns = self.embedding.embedded("variable", graph.variables, self.space)
        rows = self.embedding.embedded("row", graph.rows, self.space)
        rows = self.down.to_rows(rows, columns, matrix, self.space)
        return self.up.to_columns(rows, columns, matrix, self.space, chosen)


def below(weights: Mapping[str, NDArray], prefix: str) -> dict[str, NDArray]:
    """The weights whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def transposed(weight: NDArray) -> Floats:
    """A linear layer's weight [out, in] as matrix products from the right take it, [in, out]."""
    return np.ascontiguousarray(weight.T, dtype=np.float32)
