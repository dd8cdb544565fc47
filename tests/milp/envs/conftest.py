"""Programs and settings that make short episodes with several decisions."""

from __future__ import annotations

from typing import Any

import pytest

from co_gym.formulation import MixedIntegerProgram
from milp.distributions import distribution


@pytest.fixture(scope="session")
def bare() -> dict[str, Any]:
    """SCIP without heuristics, presolving and cuts."""
    from pyscipopt import Model

    names = [name for name in Model().getParams() if name.startswith("heuristics/") and name.endswith("/freq")]
    off = {"presolving/maxrounds": 0, "separating/maxroundsroot": 0, "propagating/maxroundsroot": 0}
    return dict.fromkeys(names, -1) | off


@pytest.fixture(scope="session")
def covers() -> list[MixedIntegerProgram]:
    """Set covers: some ten nodes each."""
    return [distribution("set-cover-tiny").program("train", index) for index in range(10)]


@pytest.fixture(scope="session")
def knapsacks() -> list[MixedIntegerProgram]:
    """Multidimensional knapsacks: hundreds of nodes each."""
    return [distribution("multiknapsack-tiny").program("train", index) for index in range(5)]
