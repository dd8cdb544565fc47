"""A graph network at the root, and a small network at the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from co_gym.errors import InputError
from policies.branching.batch import Batch
from policies.branching.network import BranchingNetwork, Trunk
from policies.branching.statistics import Standardize, among, squash

FEATURES = 99
"""72 features of Khalil et al. (2016), 19 of the column, 8 more: what `milp` observes of a candidate."""


class Hybrid(BranchingNetwork):
    """A perceptron on the candidates' features, modulated by embeddings from the root (Gupta et al. 2020).

    The graph network runs once, at the root. At a node the perceptron sees each candidate's features, squashed and
    standardized, and the same relative to the other candidates; what its hidden units hold is scaled and shifted
    by linear maps of the candidate's embedding (FiLM, Perez et al. 2018).

    Args:
        features: F, features of a candidate.
        width: Hidden units of the perceptron.
        layers: Hidden layers.
        root_width: Length of an embedding at the root.
        root: Whether there is a graph network; else the perceptron is all.
        dropout: Share of the inputs and hidden units that training leaves out.

    Raises:
        InputError: If a number is out of range; in `fit` and `forward`, if there are other features.
    """

    needs_graph: ClassVar[bool] = False

    def __init__(
        self,
        features: int = FEATURES,
        width: int = 64,
        layers: int = 2,
        root_width: int = 32,
        root: bool = True,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if min(features, width, layers, root_width) < 1:
            given = f"features {features}, width {width}, layers {layers}, root_width {root_width}"
            raise InputError(f"{given}: expected at least 1 of each")
        if not 0 <= dropout < 1:
            raise InputError(f"dropout {dropout}: expected at least 0 and less than 1")
        self.width, self.dropout = width, dropout
        self.norm = Standardize(features)
        sizes = [2 * features, *[width] * layers]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.score = nn.Linear(width, 1, bias=False)
        self.trunk = Trunk(root_width) if root else None
        self.modulation = nn.Linear(root_width, 2 * width * layers) if root else None
        if self.modulation is not None:
            nn.init.normal_(self.modulation.weight, std=0.01)
            nn.init.zeros_(self.modulation.bias)

    def forward(self, batch: Batch) -> Tensor:
        """See `BranchingNetwork`."""
        features = self._features(batch)
        x = torch.cat([self.norm(features), among(features, batch["counts"])], -1)
        films = self._films(batch)
        for layer, film in zip(self.hidden, films, strict=True):
            x = layer(F.dropout(x, self.dropout, self.training))
            if film is not None:
                scale, shift = film.chunk(2, -1)
                x = x * (1.0 + scale) + shift
            x = F.relu(x)
        scores: Tensor = self.score(F.dropout(x, self.dropout, self.training)).squeeze(-1)
        return scores

    def _features(self, batch: Batch) -> Tensor:
        """Squashed features [C, F]."""
        found, wanted = batch["features"].shape[1], len(self.norm.mean)
        if found != wanted:
            raise InputError(f"the samples have {found} features: the network takes {wanted}")
        return squash(batch["features"])

    def _films(self, batch: Batch) -> Sequence[Tensor | None]:
        """Scales and shifts [C, 2 width] for each layer."""
        if self.trunk is None or self.modulation is None:
            return [None] * len(self.hidden)
        embeddings = self.trunk(batch)[batch["candidates"]]
        return self.modulation(embeddings).split(2 * self.width, -1)

    @torch.no_grad()
    def fit(self, batches: Sequence[Batch]) -> None:
        """See `BranchingNetwork`."""
        self.norm.fit(torch.cat([self._features(batch) for batch in batches]))
        if self.trunk is not None:
            self.trunk.fit(batches)
