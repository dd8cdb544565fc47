"""The scorers: how good candidates are by a trained network, within a fraction of the time of a node."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from milp.kernels import scoring
from milp.networks import Floats, Shapes, Space, Trunk, below, linear_shapes, transposed, trunk_shapes
from policies.branching.cards import BranchingCard


class NetworkScorer(ABC):
    """A `milp.branching.Scorer` with weights and their card; for one solve at a time.

    Args:
        card: What there is to know of the network.
        weights: By name.
    """

    needs_graph: ClassVar[bool]
    """Whether `scores` looks at the node's graph; else at the features alone."""

    def __init__(self, card: BranchingCard, weights: Mapping[str, NDArray]) -> None:
        self.card = card

    @abstractmethod
    def prepare(self, graph: Any) -> None:
        """Does what is needed once for an instance.

        Args:
            graph: At the root, as `policies.branching.format.BipartiteGraph`.
        """

    @abstractmethod
    def scores(self, graph: Any, candidates: NDArray, features: Floats) -> Floats:
        """Scores float32 [k] of the candidates; larger is better.

        Args:
            graph: At the node, if `needs_graph`.
            candidates: integers [k]; columns of the graph.
            features: float32 [k, F], unless `needs_graph`.
        """


@dataclass(frozen=True, kw_only=True)
class GCNNSizes:
    """Arguments of `policies.branching.gcnn.GCNN`."""

    width: int = 64

    def shapes(self) -> Shapes:
        """Names and shapes of the weights."""
        found = {f"trunk.{name}": shape for name, shape in trunk_shapes(self.width).items()}
        return (
            found | linear_shapes("hidden", self.width, self.width) | linear_shapes("score", self.width, 1, False)
        )


class GCNNScorer(NetworkScorer):
    """Scores by a graph network at the node; see `policies.branching.gcnn.GCNN`."""

    needs_graph: ClassVar[bool] = True
    sizes: ClassVar[type] = GCNNSizes

    def __init__(self, card: BranchingCard, weights: Mapping[str, NDArray]) -> None:
        super().__init__(card, weights)
        self.trunk = Trunk(below(weights, "trunk."))
        self.hidden, self.bias = transposed(weights["hidden.weight"]), weights["hidden.bias"]
        self.last = weights["score.weight"][0]

    def prepare(self, graph: Any) -> None:
        """See `NetworkScorer`; standardized entries are kept until the matrix changes."""
        self.trunk.embedding.standardized(graph.values)

    def scores(self, graph: Any, candidates: NDArray, features: Floats | None = None) -> Floats:
        """See `NetworkScorer`."""
        x = self.trunk.embeddings(graph, candidates) @ self.hidden
        scoring.add_relu(x, self.bias)
        return x @ self.last


@dataclass(frozen=True, kw_only=True)
class HybridSizes:
    """Arguments of `policies.branching.hybrid.Hybrid`."""

    features: int
    width: int = 64
    layers: int = 2
    root_width: int = 32
    root: bool = True
    dropout: float = 0.0

    def shapes(self) -> Shapes:
        """Names and shapes of the weights."""
        found: Shapes = {"norm.mean": (self.features,), "norm.scale": (self.features,)}
        for i in range(self.layers):
            found |= linear_shapes(f"hidden.{i}", self.width if i else 2 * self.features, self.width)
        found |= linear_shapes("score", self.width, 1, False)
        if self.root:
            found |= {f"trunk.{name}": shape for name, shape in trunk_shapes(self.root_width).items()}
            found |= linear_shapes("modulation", self.root_width, 2 * self.width * self.layers)
        return found


class HybridScorer(NetworkScorer):
    """Scores by a perceptron that embeddings from the root modulate; see `policies.branching.hybrid.Hybrid`."""

    needs_graph: ClassVar[bool] = False
    sizes: ClassVar[type] = HybridSizes

    def __init__(self, card: BranchingCard, weights: Mapping[str, NDArray]) -> None:
        super().__init__(card, weights)
        self.mean, self.scale = weights["norm.mean"], weights["norm.scale"]
        count = sum(name.startswith("hidden.") for name in weights) // 2
        self.layers = [
            (transposed(weights[f"hidden.{i}.weight"]), weights[f"hidden.{i}.bias"]) for i in range(count)
        ]
        self.last = weights["score.weight"][0]
        self.trunk = Trunk(below(weights, "trunk.")) if "modulation.weight" in weights else None
        if self.trunk is not None:
            self.modulation, bias = transposed(weights["modulation.weight"]), weights["modulation.bias"].copy()
            width = len(self.last)
            for first in range(0, len(bias), 2 * width):
                bias[first : first + width] += 1.0  # scales are 1 plus what the network says
            self.modulation_bias = bias
        self.films: Floats | None = None
        self._space = Space()

    def prepare(self, graph: Any) -> None:
        """See `NetworkScorer`; scales and shifts of all columns, once for an instance."""
        if self.trunk is not None:
            embeddings = self.trunk.embeddings(graph, np.arange(len(graph.variables)))
            self.films = embeddings @ self.modulation + self.modulation_bias

    def scores(self, graph: Any, candidates: NDArray, features: Floats) -> Floats:
        """See `NetworkScorer`.

        Raises:
            InputError: If there are other features than the network takes, or the root is not the candidates'.
        """
        features = np.asarray(features, dtype=np.float32, order="C")
        count, size = features.shape
        if size != len(self.mean):
            raise InputError(f"{size} features of a candidate: weights '{self.card.name}' take {len(self.mean)}")
        if self.trunk is not None and self.films is None:
            raise InputError(f"weights '{self.card.name}' have not seen the root: call prepare first")
        if self.films is not None and count and int(candidates.max()) >= len(self.films):
            raise InputError(f"a candidate is column {candidates.max()}: the root has {len(self.films)}")
        x = self._space.floats("inputs", count, 2 * size)
        scoring.inputs(features, self.mean, self.scale, x)
        for place, (weight, bias) in enumerate(self.layers):
            x = np.matmul(x, weight, out=self._space.floats(f"hidden_{place}", count, len(bias)))
            if self.films is None:
                scoring.add_relu(x, bias)
            else:
                scoring.modulate_relu(x, bias, self.films, candidates, 2 * place * len(bias))
        return x @ self.last
