from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from co_gym.instance import Instance
from co_gym.problems.knapsack import Knapsack
from co_gym.problems.mip import MIP
from co_gym.result import Result, relative_gap
from co_gym.verifier import verify

INSTANCE = Knapsack().instance(
    {"profits": [6, 5, 4], "weights": [4, 3, 2], "capacity": 5}, name="tiny", reference=10
)
KEYS = [
    "instance", "problem", "method", "status", "objective", "bound", "gap", "feasible", "runtime_seconds",
    "solution", "details",
]  # fmt: skip


def result(solution: Any = (0, 1, 1), *, instance: Instance = INSTANCE, **changes: Any) -> Result:
    array = None if solution is None else np.array(solution)
    check = None if array is None else verify(instance, array, claimed=changes.pop("claimed", None))
    parts = {"method": "fake", "status": "feasible", "bound": 12, "runtime": 0.123456} | changes
    return Result(instance=instance, solution=array, check=check, **parts)


@pytest.mark.parametrize(
    ("objective", "reference", "gap"),
    [(5, 5, 0), (0, 0, 0), (6, 5, 0.2), (4, 5, 0.2), (-4, -5, 0.2), (1, 0, 1e9), (10**17 + 1, 10**17, 1e-17)],
)
def test_relative_gap(objective: int, reference: int, gap: float) -> None:
    assert relative_gap(objective, reference) == pytest.approx(gap)


@given(st.integers(-(10**20), 10**20), st.integers(-(10**20), 10**20))
def test_gap_is_zero_for_equals_only(a: int, b: int) -> None:
    assert relative_gap(a, b) >= 0
    assert (relative_gap(a, b) == 0) == (a == b)


def test_properties() -> None:
    found = result()
    assert (found.objective, found.feasible) == (9, True)
    assert found.gap == 0.25
    assert found.reference_gap == pytest.approx(0.1)


@pytest.mark.parametrize("found", [result(None), result((1, 1, 1)), result((1, 1)), result(bound=None)])
def test_no_gap_without_both_sides(found: Result) -> None:
    assert found.gap is None


def test_json_of_a_solution() -> None:
    found = result(details={"nodes": 3}, seed=7).to_json()
    assert list(found) == KEYS
    assert found == {
        "instance": "tiny", "problem": "knapsack", "method": "fake", "status": "feasible", "objective": 9,
        "bound": 12, "gap": 0.25, "feasible": True, "runtime_seconds": 0.1235, "solution": [0, 1, 1],
        "details": {"nodes": 3, "seed": 7, "reference": 10},
    }  # fmt: skip
    assert json.loads(json.dumps(found)) == found


def test_json_without_a_solution() -> None:
    found = result(None, status="unknown", bound=None).to_json()
    assert list(found) == KEYS
    assert [found[key] for key in ("objective", "bound", "gap", "solution")] == [None] * 4
    assert found["feasible"] is False


def test_json_of_a_refused_solution_says_why() -> None:
    found = result((1, 1, 1), status="rejected").to_json()
    assert (found["objective"], found["feasible"], found["solution"]) == (15, False, [1, 1, 1])
    assert found["details"]["violations"] == ["capacity 0: weight 9 exceeds 5"]
    misshapen = result((1, 1), status="rejected").to_json()
    assert (misshapen["objective"], misshapen["solution"]) == (None, None)


def test_json_of_a_false_claim() -> None:
    found = result(claimed=10).to_json()
    assert found["details"]["claim_error"] == "the solver claims objective 10, the solution has 9"


@pytest.mark.parametrize("bound", [math.inf, -math.inf, math.nan])
def test_json_has_no_infinities(bound: float) -> None:
    found = result(bound=bound).to_json()
    assert found["bound"] is None
    json.dumps(found, allow_nan=False)


def test_json_of_a_program_goes_by_name() -> None:
    program = MIP().instance(
        {
            "objective": [1, 1, 1], "offset": 0, "indptr": [0], "indices": [], "values": [], "row_lower": [],
            "row_upper": [], "lower": [0, 0, 0], "upper": [9, 9, 9], "integer": [True, False, False],
            "variable_names": ["a", "b", "c"],
        }
    )  # fmt: skip
    assert result((2, 0, 0.5), instance=program).to_json()["solution"] == {"a": 2.0, "c": 0.5}
