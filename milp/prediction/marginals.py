"""Predicted marginals of a model's variables, whatever form they come in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from milp.model import read_model

Prediction = str | Mapping[str, float] | Sequence[float] | NDArray | Callable[[Any], "Prediction"]
"""Trained weights: a name, the path of a file, or "auto" for the shipped ones that know the model best. Or
probabilities of being 1: by name, in the order of the model's variables, or a function from the model to these.

What is NaN or not named is unknown, and what is outside of [0, 1] counts as the nearer end.
"""

UNKNOWN = 0.5


def marginals_of(prediction: Prediction, model: Any, variables: list[Any]) -> NDArray:
    """Probabilities [n] float64 in [0, 1]; `UNKNOWN` for what is no binary variable.

    Args:
        prediction: See `Prediction`.
        model: What a function is called with.
        variables: The model's original variables.

    Raises:
        InputError: If there are as many numbers as no variables, or none of the names is known; if weights are
            not found, malformed, or do not know the model.
    """
    if isinstance(prediction, str):
        prediction = by_weights(prediction, model)
    given = in_order(prediction, model, variables, math.nan, "prediction")
    known = np.clip(np.where(np.isnan(given), UNKNOWN, given), 0.0, 1.0)
    return np.where([is_binary(variable) for variable in variables], known, UNKNOWN)


def by_weights(weights: str, model: Any) -> NDArray:
    """Probabilities [n] float64 by trained weights, NaN for what is no binary variable.

    Args:
        weights: Name, path or "auto"; see `Prediction`.
        model: A PySCIPOpt model with linear constraints.

    Raises:
        InputError: If weights are not found, malformed, or do not know the model.
    """
    from milp.prediction.weights import load_predictor, nearest

    program, _ = read_model(model)
    return load_predictor(nearest(program) if weights == "auto" else weights).marginals(program)


def in_order(given: Any, model: Any, variables: list[Any], missing: float, what: str) -> NDArray:
    """Numbers [n] float64 in the order of the variables, whatever form they come in.

    Args:
        given: By name, in order, or a function from the model to one of these.
        model: What a function is called with.
        variables: The model's original variables.
        missing: The number of a variable that is not named.
        what: What the numbers are, for errors.

    Raises:
        InputError: If there are as many numbers as no variables, or none of the names is known.
    """
    if callable(given):
        given = given(model)
    if isinstance(given, Mapping):
        if given and not {variable.name for variable in variables} & given.keys():
            raise InputError(f"no variable is called '{next(iter(given))}': expected names of the model's")
        given = [float(given.get(variable.name, missing)) for variable in variables]
    values = np.asarray(given, dtype=np.float64)
    if values.shape != (len(variables),):
        raise InputError(f"the {what} has shape {list(values.shape)}: expected [{len(variables)}]")
    return values


def is_binary(variable: Any) -> bool:
    """Whether an original variable takes 0 and 1 alone, and both."""
    integer = variable.vtype() != "CONTINUOUS"
    return bool(integer and variable.getLbOriginal() == 0 and variable.getUbOriginal() == 1)
