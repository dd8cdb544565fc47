from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import co_gym
from co_gym.errors import SolverError
from co_gym.formulation import MixedIntegerProgram
from co_gym.io import read
from co_gym.problems.mip import MIP
from co_gym.registry import solver
from co_gym.solvers.base import Options
from milp.distributions import distribution


def program(**changes: Any) -> MixedIntegerProgram:
    """Rows x + y <= 4 and x - y >= 1 with x integer; maximize 3x + 2y."""
    parts: dict[str, Any] = {
        "sense": "maximize",
        "c": np.array([3.0, 2.0]),
        "A": sparse.csr_matrix([[1.0, 1.0], [1.0, -1.0]]),
        "row_lower": np.array([-np.inf, 1.0]),
        "row_upper": np.array([4.0, np.inf]),
        "lower": np.zeros(2),
        "upper": np.full(2, np.inf),
        "integer": np.array([True, False]),
    }
    return MixedIntegerProgram(**(parts | changes))


def solve(made: MixedIntegerProgram, **options: Any) -> co_gym.Result:
    return co_gym.solve(MIP().from_program(made), "highs", options=Options(**options))


def test_optimum() -> None:
    result = solve(program(offset=2.5))
    assert result.status == "optimal"
    assert result.objective == pytest.approx(14.5)
    assert result.bound == pytest.approx(14.5)
    assert result.details["ended"] == "optimal"
    json.dumps(result.to_json())


UP = {"row_lower": np.array([1.0, 1.0]), "row_upper": np.full(2, np.inf)}


@pytest.mark.parametrize("integer", [np.zeros(2, dtype=bool), np.array([True, False])])
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        (UP, "unbounded"),
        (UP | {"c": np.array([-3.0, -2.0])}, "optimal"),
        ({"row_lower": np.array([-np.inf, 5.0])}, "infeasible"),
    ],
)
def test_status(changes: dict[str, Any], status: str, integer: np.ndarray) -> None:
    assert solve(program(**changes, integer=integer)).status == status


def test_empty_programs() -> None:
    empty = {"c": np.zeros(0), "lower": np.zeros(0), "upper": np.zeros(0), "integer": np.zeros(0, dtype=bool)}
    rows = {"row_lower": np.zeros(0), "row_upper": np.zeros(0)}
    result = solve(program(A=sparse.csr_matrix((0, 2)), upper=np.ones(2), **rows))
    assert (result.status, result.objective) == ("optimal", pytest.approx(5.0))
    result = solve(program(A=sparse.csr_matrix((0, 0)), offset=4.0, **rows, **empty))
    assert (result.status, result.objective) == ("optimal", pytest.approx(4.0))


def test_real_files(shared_data: Path) -> None:
    with (shared_data / "miplib" / "optima.csv").open() as stream:
        table = list(csv.DictReader(stream))
    quick = ["p0033.mps", "lseu.mps", "misc03.mps", "p0201.mps", "egout.mps", "gt2.mps", "p0548.mps"]
    rows = [row for row in table if row["instance"] in quick]
    assert len(rows) >= 4
    for row in rows:
        result = co_gym.solve(read(shared_data / "miplib" / row["instance"])[0], "highs")
        assert result.status == "optimal", row
        assert result.objective == pytest.approx(float(row["optimum"]), rel=1e-6), row


def test_limits_and_history() -> None:
    instance = distribution("set-cover-easy").instance("test", 0)
    result = co_gym.solve(instance, "highs", options=Options(time_limit=1.0))
    assert result.status in ("feasible", "optimal")
    assert result.runtime < 5.0
    assert result.history[-1].objective == result.objective
    assert result.bound is not None
    assert result.objective is not None
    assert result.bound <= result.objective
    short = co_gym.solve(instance, "highs", options=Options(node_limit=1))
    assert short.details["nodes"] <= 1


def test_start_is_kept() -> None:
    instance = distribution("facility-tiny").instance("test", 0)
    best = co_gym.solve(instance, "scip")
    assert best.status == "optimal"
    begun = co_gym.solve(instance, "highs", options=Options(time_limit=0.05), start=best.solution)
    assert begun.objective == pytest.approx(best.objective, rel=1e-6)


def test_same_as_scip() -> None:
    for name in ("auction-tiny", "item-placement-tiny", "workload-tiny", "generalized-independent-set-tiny"):
        instance = distribution(name).instance("test", 1)
        one, other = (co_gym.solve(instance, method) for method in ("highs", "scip"))
        assert (one.status, other.status) == ("optimal", "optimal")
        assert one.objective == pytest.approx(other.objective, rel=1e-6)


def test_refusals() -> None:
    with pytest.raises(SolverError, match="no memory limit"):
        solve(program(), memory_limit=100.0)


def test_scip_stands_for_exact() -> None:
    assert solver("exact", "mip").name == "scip"
    assert solver("highs", "mip").name == "highs"


SCRIPT = """
import co_gym
from milp.distributions import distribution
print("begun", flush=True)
result = co_gym.solve(distribution("set-cover-large").instance("test", 0), "highs")
print(result.interrupted, result.status, result.runtime < 30)
"""


@pytest.mark.slow
def test_ctrl_c(interrupted: Callable[[str, float, float], list[str]]) -> None:
    """A signal ends the search; the incumbent is returned and verified."""
    assert interrupted(SCRIPT, 6.0, 60.0) == ["True", "feasible", "True"]
