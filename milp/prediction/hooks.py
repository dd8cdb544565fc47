"""What takes predictions into SCIP, by name."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any

from co_gym.errors import InputError, unknown_name
from co_gym.formulation import MixedIntegerProgram
from milp.prediction.branching import PredictionBranching
from milp.prediction.heuristic import PredictionHeuristic
from milp.prediction.predict_and_search import PredictAndSearch
from milp.prediction.weights import load_predictor, nearest

LOG = logging.getLogger("milp.prediction")

HOOKS: dict[str, Callable[[Any, int], Any]] = {
    "predict-and-search": lambda prediction, seed: PredictAndSearch(prediction),
    "prediction-heuristic": lambda prediction, seed: PredictionHeuristic(prediction, seed=seed),
    "prediction-branching": lambda prediction, seed: PredictionBranching(prediction),
}
"""From a prediction, None for the one that needs none, and a seed to a hook."""
UNLEARNED = "prediction-heuristic"
"""The hook that needs no prediction."""


def attach(model: Any, program: MixedIntegerProgram, settings: Mapping[str, Any], seed: int = 0) -> dict[str, Any]:
    """Attaches the hooks that settings ask for to a model, and returns them by name.

    `predict` names weights, or is "auto" for the shipped ones that know the program best; where none do, the log
    says so and only a hook that needs no prediction is attached. `hooks` are names of `HOOKS` joined by `+`; by
    default what works best with the weights, as their card says.

    Args:
        model: A PySCIPOpt model before its solve.
        program: What it was made from.
        settings: Of the solver; others are left alone.
        seed: Of their random choices.

    Raises:
        InputError: If a name is not known, or weights are malformed.
    """
    wanted, weights = settings.get("hooks"), settings.get("predict")
    names = [] if wanted is None else str(wanted).split("+")
    prediction: Any = None
    if weights == "auto" and (weights := _best(program)) is None:
        names = [name for name in names if name == UNLEARNED] if names else [UNLEARNED]
    elif weights is not None:
        predictor = load_predictor(weights)  # once for all hooks, and so that what is wrong with it is said here
        once = functools.cache(lambda: predictor.of_model(model))  # when the first hook asks, for all
        prediction, names = lambda _: once(), names or list(predictor.card.hooks)
    elif set(names) & HOOKS.keys() - {UNLEARNED}:
        raise InputError(f"hooks '{wanted}' need a prediction: expected weights (predict), or {UNLEARNED} alone")
    for name in names:
        if name not in HOOKS:
            raise unknown_name("hook", name, list(HOOKS))
    found = {name: HOOKS[name](prediction, seed) for name in names}
    for hook in found.values():
        hook.include(model)
    return found


def _best(program: MixedIntegerProgram) -> str | None:
    try:
        return nearest(program)
    except InputError as error:
        LOG.warning("nothing is predicted: %s", error)
        return None
