"""Hundreds of corrupted solutions, each refused with its reason; and the edges of what is accepted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from co_gym import registry
from co_gym.instance import Instance
from co_gym.problems.knapsack import Knapsack, MultiKnapsack
from co_gym.problems.market_split import MarketSplit
from co_gym.problems.mip import MIP
from co_gym.problems.mis import MIS
from co_gym.problems.qap import QAP
from co_gym.problems.tsp import TSP
from co_gym.verifier import OBJECTIVE_TOLERANCE, Check, agrees, verify

ROUNDS = 25
HUGE = 10**17


def mip(**changes: Any) -> Instance:
    """Two integer variables x, y in 0..10 and a continuous z in [0, 2.5]: x + 2y <= 7 and x - z = 1."""
    data = {
        "objective": [5, 4, 1], "offset": 0, "indptr": [0, 2, 4], "indices": [0, 1, 0, 2], "values": [1, 2, 1, -1],
        "row_lower": [-np.inf, 1], "row_upper": [7, 1], "lower": [0, 0, 0], "upper": [10, 10, 2.5],
        "integer": [True, True, False], "maximize": np.array(True), "variable_names": ["x", "y", "z"],
        "row_names": ["limit", "link"],
    }  # fmt: skip
    return MIP().instance(data | changes)


def valid(name: str, rng: np.random.Generator) -> tuple[Instance, NDArray]:
    """A random instance and a random feasible solution of it."""
    problem = registry.problem(name)
    n = int(rng.integers(4, 30))
    if name == "mip":
        x = int(rng.integers(1, 4))
        return mip(), np.array([x, rng.integers(0, (7 - x) // 2 + 1), x - 1.0])
    (instance,) = problem.generate(n, seed=int(rng.integers(10**6)))
    if name in ("tsp", "qap"):
        return instance, rng.permutation(n)
    if name == "market-split":
        return instance, rng.integers(0, 2, size=n)
    solution = np.zeros(n, dtype=np.int64)
    for item in rng.permutation(n):
        solution[item] = 1
        if problem.violations(instance, solution):
            solution[item] = 0
    return instance, solution


def _set(solution: NDArray, index: int, value: Any) -> NDArray:
    changed = solution.astype(np.float64)
    changed[index] = value
    return changed


CORRUPTIONS: dict[str, tuple[Callable[[NDArray, int], Any], str]] = {
    "too long": (lambda s, i: np.append(s, 0), "solution has shape"),
    "too short": (lambda s, i: np.delete(s, i), "solution has shape"),
    "empty": (lambda s, i: [], "solution has shape"),
    "two-dimensional": (lambda s, i: s[None], "solution has shape"),
    "a scalar": (lambda s, i: 1, "solution has shape"),
    "text": (lambda s, i: s.astype(str), "solution has dtype <U"),
    "objects": (lambda s, i: [*s[:-1].tolist(), None], "solution has dtype object"),
    "ragged": (lambda s, i: [s.tolist(), [1]], "solution is ragged"),
    "complex": (lambda s, i: s.astype(complex), "solution has dtype complex128"),
    "NaN": (lambda s, i: _set(s, i, np.nan), "is nan: expected a finite number"),
    "infinite": (lambda s, i: _set(s, i, np.inf), "is inf: expected a finite number"),
}


@pytest.mark.parametrize("name", sorted(registry.problems()))
def test_shapes_types_and_numbers(name: str) -> None:
    rng = np.random.default_rng(11)
    for _ in range(ROUNDS):
        instance, solution = valid(name, rng)
        assert verify(instance, solution).ok
        for corrupt, reason in CORRUPTIONS.values():
            check = verify(instance, corrupt(solution, int(rng.integers(solution.size))))
            assert not check.feasible
            assert check.objective is None
            assert reason in check.violations[0]


@pytest.mark.parametrize("name", sorted(set(registry.problems()) - {"mip"}))
def test_fractions_and_entries_out_of_range(name: str) -> None:
    rng = np.random.default_rng(12)
    for _ in range(ROUNDS):
        instance, solution = valid(name, rng)
        index = int(rng.integers(solution.size))
        for value in (0.5, 1e-9, -1, solution.size, 1e300):
            check = verify(instance, _set(solution, index, value))
            assert not check.feasible
            assert any(f"{index} is {value}" in v or f"{index} holds {value}" in v for v in check.violations) or (
                f"{index} is {float(value)}" in check.violations[0]
                or f"{index} holds {float(value)}" in check.violations[0]
            )


@pytest.mark.parametrize("name", ["tsp", "qap"])
def test_repeated_and_missing_entries(name: str) -> None:
    rng = np.random.default_rng(13)
    noun = "city" if name == "tsp" else "location"
    for _ in range(4 * ROUNDS):
        instance, solution = valid(name, rng)
        i, j = rng.choice(solution.size, size=2, replace=False)
        missing, solution[i] = solution[i], solution[j]
        check = verify(instance, solution)
        assert check.violations == (f"{noun} {solution[j]} occurs 2 times", f"{noun} {missing} is missing")


def test_capacity_exceeded_by_one() -> None:
    rng = np.random.default_rng(14)
    for _ in range(4 * ROUNDS):
        instance, solution = valid("knapsack", rng)
        used = sum(w for w, x in zip(instance["weights"].tolist(), solution.tolist(), strict=True) if x)
        tight = Knapsack().instance(dict(instance.data) | {"capacity": used})
        assert verify(tight, solution).feasible
        short = Knapsack().instance(dict(instance.data) | {"capacity": used - 1})
        assert verify(short, solution).violations == (f"capacity 0: weight {used} exceeds {used - 1}",)


def test_each_exceeded_capacity_is_named() -> None:
    rng = np.random.default_rng(15)
    for _ in range(4 * ROUNDS):
        instance, solution = valid("multiknapsack", rng)
        weights = instance["weights"].tolist()
        used = [sum(w for w, x in zip(row, solution.tolist(), strict=True) if x) for row in weights]
        short = rng.random(len(used)) < 0.5
        changed = dict(instance.data) | {"capacities": np.array(used) - short}
        check = verify(MultiKnapsack().instance(changed), solution)
        expected = tuple(f"capacity {i}: weight {u} exceeds {u - 1}" for i, u in enumerate(used) if short[i] and u)
        assert check.violations == expected


def test_huge_capacities_are_exact() -> None:
    weights = [HUGE, 3 * HUGE, 2**62]
    exact = {"profits": [1, 1, 1], "weights": weights, "capacity": sum(weights)}
    assert verify(Knapsack().instance(exact), [1, 1, 1]).feasible
    check = verify(Knapsack().instance(exact | {"capacity": sum(weights) - 1}), [1, 1, 1])
    assert check.violations == (f"capacity 0: weight {sum(weights)} exceeds {sum(weights) - 1}",)


def test_real_capacities_have_a_small_tolerance() -> None:
    data = {"profits": [1, 1], "weights": [0.5, 0.5], "capacity": 1.0}
    assert verify(Knapsack().instance(data), [1, 1]).feasible
    assert verify(Knapsack().instance(data | {"capacity": 1 - 0.9e-9}), [1, 1]).feasible
    assert not verify(Knapsack().instance(data | {"capacity": 1 - 1.1e-9}), [1, 1]).feasible


def test_edges_with_both_ends_chosen() -> None:
    rng = np.random.default_rng(16)
    seen = 0
    for _ in range(4 * ROUNDS):
        instance, solution = valid("mis", rng)
        outside = np.flatnonzero(solution == 0)
        if outside.size == 0:
            continue
        node = int(rng.choice(outside))
        solution[node] = 1
        chosen = set(np.flatnonzero(solution).tolist())
        bad = sorted((u, v) for u, v in instance["edges"].tolist() if u in chosen and v in chosen)
        check = verify(instance, solution)
        assert check.violations == tuple(f"edge ({u}, {v}): both ends are chosen" for u, v in bad)
        seen += len(bad)
    assert seen > ROUNDS


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([3, 2, 2.0], ()),
        ([3, 3, 2.0], ("row limit: 9 > 7",)),
        ([2, 4, 1.0], ("row limit: 10 > 7",)),
        ([3, 2, 1.0], ("row link: 2 > 1",)),
        ([1, 2, 1.0], ("row link: 0 < 1",)),
        ([3, 3, 1.0], ("row limit: 9 > 7", "row link: 2 > 1")),
        ([2.5, 2, 1.5], ("variable x is 2.5: expected an integer",)),
        ([-1, 2, 0], ("variable x is -1: below its lower bound 0",)),
        ([4, 1, 3], ("variable z is 3: above its upper bound 2.5",)),
        ([3 + 0.9e-6, 2, 2.0], ()),
        ([3 + 1.1e-6, 2, 2.0], ("variable x is 3.0000011: expected an integer",)),
        ([3, 2, 2 + 0.9e-6], ()),
        ([3, 2, 2 + 1.1e-6], ("row link: 0.9999989 < 1",)),
    ],
)
def test_rows_bounds_and_integers_of_a_program(x: list[float], expected: tuple[str, ...]) -> None:
    assert verify(mip(), x).violations == expected


def test_integral_rows_are_exact() -> None:
    """Float arithmetic cannot tell the sum from its limit, which differ by one in 10^17."""
    rows = {
        "values": [10**15, 1, 1, -1],
        "row_lower": [-np.inf, -np.inf],
        "row_upper": [float(HUGE), np.inf],
        "upper": [100, 10, 2.5],
    }
    assert verify(mip(**rows), [100, 0, 0]).feasible
    check = verify(mip(**rows), [100, 1, 0])
    assert check.violations == (f"row limit: {HUGE + 1} > {HUGE}",)
    assert verify(mip(**rows | {"integer": [True, False, False]}), [100, 1, 0]).feasible


def test_repeated_coefficients_of_a_program_add_up() -> None:
    instance = mip(indices=[0, 0, 0, 2])
    assert verify(instance, [2, 0, 1]).feasible
    assert verify(instance, [3, 0, 2]).violations == ("row limit: 9 > 7",)


def test_false_objectives_are_caught() -> None:
    rng = np.random.default_rng(17)
    for name in registry.problems():
        for _ in range(ROUNDS):
            instance, solution = valid(name, rng)
            objective = verify(instance, solution).objective
            assert objective is not None
            for claimed in (objective - 1, objective + 1, math.nan, math.inf, -math.inf):
                check = verify(instance, solution, claimed=claimed)
                assert check.feasible
                assert not check.ok
                assert check.claim_error == f"the solver claims objective {claimed}, the solution has {objective}"


def test_false_objectives_are_caught_at_any_magnitude() -> None:
    large = TSP().instance({"distances": np.where(np.eye(3), 0, HUGE)})
    items = {"profits": [HUGE, HUGE + 1], "weights": [1, 1], "capacity": 2}
    split = {"coefficients": [[HUGE, 1]], "targets": [0]}
    flow = {"flows": [[0, HUGE], [HUGE, 0]], "distances": [[0, 7], [7, 0]]}
    for instance, solution, objective in [
        (large, [0, 1, 2], 3 * HUGE),
        (Knapsack().instance(items), [1, 1], 2 * HUGE + 1),
        (MarketSplit().instance(split), [1, 1], HUGE + 1),
        (MIS().instance({"edges": [[0, 1]], "weights": [HUGE, 5]}), [1, 0], HUGE),
        (QAP().instance(flow), [1, 0], 14 * HUGE),
    ]:
        assert verify(instance, solution, claimed=objective, bound=objective) == Check(True, objective)
        for wrong in (objective - 1, objective + 1):
            assert verify(instance, solution, claimed=wrong).claim_error is not None
            assert wrong >= 2**63 or verify(instance, solution, claimed=np.int64(wrong)).claim_error is not None  # type: ignore[arg-type]


def test_bogus_bounds_are_caught() -> None:
    rng = np.random.default_rng(18)
    for name, problem in registry.problems().items():
        for _ in range(ROUNDS):
            instance, solution = valid(name, rng)
            objective = verify(instance, solution).objective
            assert objective is not None
            beyond = 1 if problem.sense_of(instance) == "minimize" else -1
            for amount in (1, 1000, HUGE, math.inf):
                bound = objective + beyond * amount
                error = verify(instance, solution, bound=bound).claim_error
                assert error is not None
                assert error.startswith(
                    f"the solver claims the bound {bound}, the solution has the better objective"
                )
                assert verify(instance, solution, bound=objective - beyond * amount).ok
            assert verify(instance, solution, bound=math.nan).claim_error is not None


def test_an_infeasible_solution_refutes_no_bound() -> None:
    instance = Knapsack().instance({"profits": [5, 5], "weights": [1, 1], "capacity": 1})
    check = verify(instance, [1, 1], claimed=9, bound=5)
    assert not check.feasible
    assert check.claim_error == "the solver claims objective 9, the solution has 10"


def test_both_false_claims_are_named() -> None:
    instance = Knapsack().instance({"profits": [5, 5], "weights": [1, 1], "capacity": 2})
    error = verify(instance, [1, 1], claimed=9, bound=9).claim_error
    assert error is not None
    assert error.count("the solver claims") == 2


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e12])
def test_tolerance_of_real_objectives(scale: float) -> None:
    slack = OBJECTIVE_TOLERANCE * max(1.0, scale)
    assert agrees(scale, scale + 0.9 * slack)
    assert not agrees(scale, scale + 1.1 * slack)


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (3, 3.0, True),
        (3, 3.000001, True),
        (HUGE, HUGE + 1, False),
        (np.int64(HUGE), HUGE + 1, False),
        (np.int64(HUGE), np.int64(HUGE), True),
        (5, math.inf, False),
        (5.0, -math.inf, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (math.nan, math.nan, False),
    ],
)
def test_agrees(a: Any, b: Any, equal: bool) -> None:
    assert agrees(a, b) is equal
    assert agrees(b, a) is equal


def test_problem_need_not_be_registered() -> None:
    class Other(Knapsack):
        name = "other"

    instance = Other().instance({"profits": [2], "weights": [1], "capacity": 1})
    assert verify(instance, [1], problem=Other()) == Check(True, 2)
