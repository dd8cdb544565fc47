"""Predictions that do their worst change neither SCIP's status nor its optimum, whatever the hook."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pyscipopt import Model

from milp.distributions import distribution
from milp.distributions.catalogue import FAMILIES
from milp.model import build_model
from milp.prediction.branching import PredictionBranching
from milp.prediction.heuristic import PredictionHeuristic
from milp.prediction.predict_and_search import PredictAndSearch
from milp.prediction.warm_start import WarmStart

INSTANCES = 40
"""Of each family."""

ADVERSARIES: dict[str, Callable[[NDArray], NDArray]] = {
    "inverted": lambda x: np.clip(1.0 - x, 0.0, 1.0),
    "random": lambda x: np.random.default_rng(0).random(x.size),
    "constant": lambda x: np.ones(x.size),
    "nan": lambda x: np.full(x.size, np.nan),
}
"""From an optimum to a prediction."""

HOOKS: dict[str, Callable[[NDArray], Any]] = {
    "predict-and-search": lambda prediction: PredictAndSearch(prediction, seconds=0.5),
    "prediction-heuristic": lambda prediction: PredictionHeuristic(prediction, seconds=0.2),
    "prediction-branching": PredictionBranching,
    "warm start": WarmStart,
    "warm start by a method in haste": lambda _: WarmStart("destroy-and-repair", seconds=0.3),
}
REFUSED = {("warm start", "nan")}
"""What says that it failed: such a start is none."""


def check_exact(make: Callable[[], Model], names: Iterable[str] = ADVERSARIES) -> float:
    """Every hook leaves status and optimum of a model as SCIP alone finds them; returns the optimum."""
    plain = make()
    plain.optimize()
    optimum, x = plain.getObjVal(), np.array([plain.getVal(variable) for variable in plain.getVars()])
    for name in names:
        for title, hook in HOOKS.items():
            model = make()
            attached = hook(ADVERSARIES[name](x)).include(model)
            model.optimize()
            case = title, name
            assert model.getStatus() == plain.getStatus() == "optimal", case
            assert model.getObjVal() == pytest.approx(optimum, rel=1e-6), case
            assert model.getDualbound() == pytest.approx(optimum, rel=1e-6), case
            assert attached.statistics.ended != "not asked", case
            assert attached.statistics.ended.startswith("failed") == (case in REFUSED), case
    return optimum


@pytest.mark.parametrize("family", FAMILIES)
def test_on_families(family: str) -> None:
    program = distribution(f"{family}-tiny").program("test", 5)  # SCIP is done with it soon, in each family
    check_exact(lambda: build_model(program)[0], ["inverted"])


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_on_more_of_the_families(family: str) -> None:
    """On the first four all adversaries, then one after the other."""
    for index in range(INSTANCES):
        program = distribution(f"{family}-tiny").program("test", index)
        names = list(ADVERSARIES)[index % 4 :][:1] if index >= 4 else ADVERSARIES
        check_exact(lambda program=program: build_model(program)[0], names)


@pytest.mark.slow
def test_on_real_files(shared_data: Path) -> None:
    folder = shared_data / "miplib"

    def make(name: str) -> Model:
        model = Model()
        model.hideOutput()
        model.readProblem(str(folder / name))
        return model

    with (folder / "optima.csv").open() as stream:
        for row in csv.DictReader(stream):
            found = check_exact(lambda row=row: make(row["instance"]))
            assert found == pytest.approx(float(row["optimum"]), rel=1e-6)
