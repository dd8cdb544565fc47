"""Cards of weights that predict solutions."""

from __future__ import annotations

from dataclasses import dataclass

from policies.weights.cards import Budget
from policies.weights.known import NetworkCard


@dataclass(frozen=True, kw_only=True)
class PredictionBudget(Budget):
    """What labels and training cost; `instances` are those with a pool of solutions.

    Attributes:
        solutions: Solutions in all.
        seen: Instances that the training has looked at, as often as it did.
        labelling_minutes: Minutes of one core that making the pools took.
    """

    solutions: int = 0
    seen: int = 0
    labelling_minutes: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PredictionCard(NetworkCard):
    """Everything known of weights that predict solutions; see `NetworkCard` too.

    Attributes:
        budget: See `PredictionBudget`.
        loss: What it was trained for.
        hooks: What works best with it in SCIP; see `milp.prediction.hooks.HOOKS`.
    """

    budget: PredictionBudget
    loss: str
    hooks: tuple[str, ...] = ("prediction-heuristic",)
