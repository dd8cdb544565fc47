"""A graph network on the LP at the node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from co_gym.errors import InputError
from policies.branching.batch import Batch
from policies.branching.network import BranchingNetwork, Trunk


class GCNN(BranchingNetwork):
    """Graph convolutions between columns and rows of the node's LP (Gasse et al. 2019).

    Args:
        width: Length of an embedding.

    Raises:
        InputError: If that is less than 1.
    """

    needs_graph: ClassVar[bool] = True

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        if width < 1:
            raise InputError(f"width {width}: expected at least 1")
        self.trunk = Trunk(width)
        self.hidden, self.score = nn.Linear(width, width), nn.Linear(width, 1, bias=False)

    def forward(self, batch: Batch) -> Tensor:
        """See `BranchingNetwork`."""
        chosen = self.trunk(batch)[batch["candidates"]]
        scores: Tensor = self.score(F.relu(self.hidden(chosen))).squeeze(-1)
        return scores

    def fit(self, batches: Sequence[Batch]) -> None:
        """See `BranchingNetwork`."""
        self.trunk.fit(batches)
