"""Cards of weights that branch."""

from __future__ import annotations

from dataclasses import dataclass

from policies.weights.cards import Budget
from policies.weights.known import NetworkCard


@dataclass(frozen=True, kw_only=True)
class BranchingBudget(Budget):
    """What collecting samples and training cost; `instances` and `samples` are those collected.

    Attributes:
        samples: Samples in all.
        seen: Samples that the training has looked at, as often as it did.
        collecting_minutes: Minutes of one core that collecting the samples took.
    """

    samples: int = 0
    seen: int = 0
    collecting_minutes: float = 0.0


@dataclass(frozen=True, kw_only=True)
class BranchingCard(NetworkCard):
    """Everything known of weights that branch; see `NetworkCard` too.

    Attributes:
        budget: See `BranchingBudget`.
        feature_version: Version of the features that it takes.
        reliability: (a, b): from the node after the a-th to the b-th, reliability branching decides instead.
        blend: Weight of SCIP's pseudocost score beside the network's, both in deviations among the candidates.
    """

    budget: BranchingBudget
    feature_version: int
    reliability: tuple[int, int] = (0, 0)
    blend: float = 0.0
