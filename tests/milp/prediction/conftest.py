"""Predictions that do their worst, and the check that they change no result."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pyscipopt import Model

ADVERSARIES: dict[str, Callable[[NDArray], NDArray]] = {
    "inverted": lambda x: np.clip(1.0 - x, 0.0, 1.0),
    "random": lambda x: np.random.default_rng(0).random(x.size),
    "constant": lambda x: np.ones(x.size),
    "nan": lambda x: np.full(x.size, np.nan),
}

Make = Callable[[], Model]
Hook = Callable[[NDArray], Any]


@pytest.fixture
def check_exact() -> Callable[..., float]:
    """Hooks [from a prediction] leave status and optimum as SCIP alone finds them; returns the optimum."""

    def check(make: Make, *hooks: Hook, names: Iterable[str] = ADVERSARIES, failing: Iterable[str] = ()) -> float:
        plain = make()
        plain.optimize()
        optimum, x = plain.getObjVal(), np.array([plain.getVal(variable) for variable in plain.getVars()])
        for name in names:
            for hook in hooks:
                model = make()
                attached = hook(ADVERSARIES[name](x)).include(model)
                model.optimize()
                case = name, attached.title
                assert model.getStatus() == plain.getStatus() == "optimal", case
                assert model.getObjVal() == pytest.approx(optimum, rel=1e-6), case
                assert model.getDualbound() == pytest.approx(optimum, rel=1e-6), case
                assert attached.statistics.ended != "not asked", case
                assert attached.statistics.ended.startswith("failed") == (name in failing), case
        return optimum

    return check


@pytest.fixture
def real_models(shared_data: Path) -> Iterator[tuple[Make, float]]:
    """The public files, with their published optima."""
    folder = shared_data / "miplib"

    def make(name: str) -> Model:
        model = Model()
        model.hideOutput()
        model.readProblem(str(folder / name))
        return model

    with (folder / "optima.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    return ((lambda name=row["instance"]: make(name), float(row["optimum"])) for row in rows)
