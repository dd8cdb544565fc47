"""SCIP as a solver of the problems of `co_gym`, environments over SCIP, and learned plug-ins for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from milp.branching import LearnedBranching
    from milp.prediction.branching import PredictionBranching
    from milp.prediction.heuristic import PredictionHeuristic
    from milp.prediction.predict_and_search import PredictAndSearch
    from milp.prediction.warm_start import WarmStart

__all__ = ["LearnedBranching", "PredictAndSearch", "PredictionBranching", "PredictionHeuristic", "WarmStart"]

_MODULES = {
    "LearnedBranching": "milp.branching",
    "PredictAndSearch": "milp.prediction.predict_and_search",
    "PredictionBranching": "milp.prediction.branching",
    "PredictionHeuristic": "milp.prediction.heuristic",
    "WarmStart": "milp.prediction.warm_start",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'milp' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_MODULES[name]), name)
