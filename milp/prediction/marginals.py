"""Predicted marginals of a model's variables, whatever form they come in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError

Prediction = Mapping[str, float] | Sequence[float] | NDArray | Callable[[Any], "Prediction"]
"""Probabilities of being 1: by name, in the order of the model's variables, or a function from the model to these.

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
        InputError: If there are as many numbers as no variables, or none of the names is known.
    """
    if callable(prediction):
        prediction = prediction(model)
    if isinstance(prediction, Mapping):
        given = np.array([float(prediction.get(variable.name, math.nan)) for variable in variables])
        if prediction and not len({variable.name for variable in variables} & prediction.keys()):
            raise InputError(f"no variable is called '{next(iter(prediction))}': expected names of the model's")
    else:
        given = np.asarray(prediction, dtype=np.float64)
    if given.shape != (len(variables),):
        raise InputError(f"the prediction has shape {list(given.shape)}: expected [{len(variables)}]")
    known = np.clip(np.where(np.isnan(given), UNKNOWN, given), 0.0, 1.0)
    return np.where([is_binary(variable) for variable in variables], known, UNKNOWN)


def is_binary(variable: Any) -> bool:
    """Whether an original variable takes 0 and 1 alone, and both."""
    integer = variable.vtype() != "CONTINUOUS"
    return bool(integer and variable.getLbOriginal() == 0 and variable.getUbOriginal() == 1)
