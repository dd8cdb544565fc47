"""The network that predicts solutions, in NumPy and compiled kernels: torch is not needed to use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit

from milp.kernels import scoring
from milp.networks import (
    Embedding,
    Floats,
    HalfConvolution,
    Shapes,
    Space,
    below,
    convolution_shapes,
    embedding_shapes,
    linear_shapes,
    transposed,
)
from policies.branching.graph import BipartiteGraph
from policies.prediction.features import ROW_FEATURES, VARIABLE_FEATURES, squashed


@dataclass(frozen=True, kw_only=True)
class PredictorSizes:
    """Arguments of `policies.prediction.network.Predictor`."""

    width: int = 64
    rounds: int = 2
    competitive: bool = False

    def shapes(self) -> Shapes:
        """Names and shapes of the weights."""
        found = embedding_shapes(self.width, len(VARIABLE_FEATURES), len(ROW_FEATURES))
        for i in range(self.rounds):
            for side in ("down", "up"):
                found |= convolution_shapes(f"rounds.{i}.{side}", self.width)
            if self.competitive:
                found[f"rounds.{i}.competition.beta"] = ()
        found |= linear_shapes("hidden", (self.rounds + 1) * self.width, self.width)
        return found | linear_shapes("out", self.width, 1) | {"scale": (), "shift": ()}


class PredictorNetwork:
    """See `policies.prediction.network.Predictor`.

    Args:
        weights: By name; see `PredictorSizes.shapes`.
    """

    def __init__(self, weights: Mapping[str, NDArray]) -> None:
        self.embedding = Embedding(weights)
        count = sum(name.startswith("rounds.") and name.endswith(".down.scale") for name in weights)
        parts = [below(weights, f"rounds.{i}.") for i in range(count)]
        self.rounds = [(HalfConvolution(part, "down"), HalfConvolution(part, "up")) for part in parts]
        self.betas = [part.get("competition.beta") for part in parts]
        self.hidden, self.bias = transposed(weights["hidden.weight"]), weights["hidden.bias"]
        self.last, self.last_bias = weights["out.weight"][0], weights["out.bias"][0]
        self.scale, self.shift = float(weights["scale"]), float(weights["shift"])

    def marginals(self, graph: BipartiteGraph) -> NDArray[np.float64]:
        """Probabilities [n] that the columns of a program are 1 in good solutions.

        Args:
            graph: See `policies.prediction.features.graph_of`.
        """
        found: NDArray[np.float64] = expit(self.scale * self.logits(graph).astype(np.float64) + self.shift)
        return found

    def logits(self, graph: BipartiteGraph) -> Floats:
        """Logits float32 [n] of the columns of a program's graph."""
        space, embedding = Space(), self.embedding
        matrix = (graph.indptr, graph.indices, embedding.standardized(graph.values))
        columns = embedding.embedded("variable", squashed(graph.variables, VARIABLE_FEATURES), space)
        rows = embedding.embedded("row", squashed(graph.rows, ROW_FEATURES), space)
        seen = [columns]
        for i, (down, up) in enumerate(self.rounds):
            rows = down.to_rows(rows, columns, matrix, space, f"rows_{i}")
            columns = up.to_columns(rows, columns, matrix, space, name=f"columns_{i}")
            beta = self.betas[i]
            if beta is not None:
                columns = competed(columns, graph, float(beta))
            seen.append(columns)
        hidden = np.concatenate(seen, axis=1) @ self.hidden
        scoring.add_relu(hidden, self.bias)
        return hidden @ self.last + self.last_bias


def competed(columns: Floats, graph: BipartiteGraph, beta: float) -> Floats:
    """See `policies.prediction.network.Competition`."""
    ones = np.ones(len(graph.indices), dtype=np.float32)
    entries = sparse.csr_matrix((ones, graph.indices, graph.indptr), shape=(len(graph.rows), len(columns)))
    means = (entries @ columns) / np.maximum(np.diff(graph.indptr), 1).astype(np.float32)[:, None]
    degree = np.maximum(np.bincount(graph.indices, minlength=len(columns)), 1).astype(np.float32)
    found: Floats = columns - np.float32(beta) * ((entries.T @ means) / degree[:, None])
    return found
