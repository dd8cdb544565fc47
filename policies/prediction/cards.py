"""Cards of weights that predict solutions."""

from __future__ import annotations

from dataclasses import dataclass

from policies.weights.cards import BaseCard, Budget, Part
from policies.weights.known import Known


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
class PredictionCard(BaseCard):
    """Everything known of weights that predict solutions; results are percentages by held-out set.

    Attributes:
        network: The network, with its arguments.
        trained: What it was trained on.
        budget: See `PredictionBudget`.
        loss: What it was trained for.
        hooks: What works best with it in SCIP; see `milp.prediction.hooks.HOOKS`.
    """

    network: Part
    trained: tuple[Known, ...]
    budget: PredictionBudget
    loss: str
    hooks: tuple[str, ...] = ("prediction-heuristic",)
