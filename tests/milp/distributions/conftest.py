from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from co_gym.formulation import MixedIntegerProgram


def _optimum(program: MixedIntegerProgram) -> tuple[float, NDArray]:
    from milp.model import build_model

    model, variables = build_model(program)
    model.setParam("timing/clocktype", 1)  # of this process, whatever else runs
    model.setParam("limits/time", 30)
    model.optimize()
    assert model.getStatus() == "optimal"
    return model.getObjVal(), np.array([model.getVal(v) for v in variables])


@pytest.fixture(scope="session")
def optimum() -> Callable[[MixedIntegerProgram], tuple[float, NDArray]]:
    """SCIP's optimum of a small program and a solution that attains it."""
    return _optimum
