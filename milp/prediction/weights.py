"""Trained weights that predict solutions: from files to marginals of a program, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from milp.domain import Domain
from milp.inference import find_card, read_arrays
from milp.model import read_model
from milp.prediction.network import PredictorNetwork, PredictorSizes
from policies.prediction.cards import PredictionCard
from policies.prediction.features import DESCRIPTOR, describe, graph_of
from policies.weights.cards import cards

FOLDER = Path(__file__).parent / "pretrained"
"""The weights that come with the package."""
CLASS_PATH = "policies.prediction.network.Predictor"

SIZE, SHARE = 1.0, 0.15
"""How far a number may lie beyond the range seen in training: sizes by a factor of 2.7, shares by 0.15."""
DOMAIN = Domain(DESCRIPTOR, (*[SIZE] * 4, *[SHARE] * (len(DESCRIPTOR) - 4)))


@dataclass(frozen=True, eq=False)
class Predictor:
    """A trained network and its card.

    Attributes:
        card: What there is to know of the network.
        network: The network.
    """

    card: PredictionCard
    network: PredictorNetwork

    def marginals(self, program: MixedIntegerProgram) -> NDArray[np.float64]:
        """Probabilities [n] of being 1 in good solutions; NaN for what is no binary variable.

        Raises:
            InputError: If the program is unlike all that the network was trained on.
        """
        graph = graph_of(program)
        reason = DOMAIN.reason_outside(self.card.trained, describe(graph))
        if reason is not None:
            raise InputError(f"{self.card.name}: the model lies outside of what was trained on ({reason})")
        return np.where(program.binary, self.network.marginals(graph), np.nan)

    def of_model(self, model: Any) -> NDArray[np.float64]:
        """The same of a PySCIPOpt model with linear constraints, in the order of its variables."""
        return self.marginals(read_model(model)[0])


def load_predictor(name_or_path: str | Path, folder: str | Path | None = None) -> Predictor:
    """The predictor of a card and its weights.

    Args:
        name_or_path: Name of weights that come with the package, or the path of `.json` or `.safetensors`.
        folder: Where to look for names instead.

    Raises:
        InputError: If the card or the weights are malformed or do not belong together; names file and field.
    """
    path, card = find_card(name_or_path, FOLDER if folder is None else folder, PredictionCard, [CLASS_PATH])
    return Predictor(card, PredictorNetwork(read_arrays(card, PredictorSizes, path)))


def shipped() -> Mapping[str, PredictionCard]:
    """The shipped cards by name."""
    return cards(FOLDER, PredictionCard)


def nearest(program: MixedIntegerProgram) -> str:
    """Name of the shipped weights that know a program best.

    Raises:
        InputError: If none do, or there are none.
    """
    descriptor, known = describe(graph_of(program)), shipped()
    if not known:
        raise InputError(f"there are no weights in {FOLDER}: name some, or train them")
    name = min(known, key=lambda one: DOMAIN.distance(known[one].trained, descriptor))
    reason = DOMAIN.reason_outside(known[name].trained, descriptor)
    if reason is not None:
        raise InputError(f"no shipped weights know the model; of the nearest, '{name}', {reason}")
    return name
