"""Fake solvers that fail, are interrupted or lie, and what becomes of their answers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import co_gym
from co_gym import registry
from co_gym.errors import InputError, SolverError
from co_gym.instance import Instance
from co_gym.problems.knapsack import Knapsack
from co_gym.problems.mip import MIP
from co_gym.problems.tsp import TSP
from co_gym.result import Result
from co_gym.solvers.base import Answer, Event, Monitor, Options, Role
from co_gym.testing import brute_force

KNAPSACK = Knapsack().instance({"profits": [6, 5, 4], "weights": [4, 3, 2], "capacity": 5}, name="tiny")
BEST, GOOD, HEAVY = np.array([0, 1, 1]), np.array([1, 0, 0]), np.array([1, 1, 1])
SQUARE = TSP().instance({"coordinates": [[0, 0], [0, 1], [1, 1], [1, 0]]}, name="square")


class Fake:
    """A solver made of one function."""

    role: Role = "exact"
    problems = None
    summary = "for tests"

    def __init__(self, run: Callable[[Monitor], Answer], name: str = "fake") -> None:
        self.run, self.name = run, name
        self.start: NDArray | None = None

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        self.start = start
        return self.run(monitor)


@pytest.fixture
def solve_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    def solve(*runs: Callable[[Monitor], Answer], instance: Instance = KNAPSACK, **kwargs: Any) -> Result:
        fakes = [Fake(run, f"fake{i}") for i, run in enumerate(runs)]
        monkeypatch.setattr(registry, "solvers", lambda: fakes)
        return co_gym.solve(instance, "+".join(f.name for f in fakes), **kwargs)

    return solve


def answer(**parts: Any) -> Callable[[Monitor], Answer]:
    return lambda monitor: Answer(**({"status": "feasible"} | parts))


def raising(
    error: BaseException, *found: tuple[NDArray, int], bound: int | None = None
) -> Callable[[Monitor], Answer]:
    """Reports what is given, then raises."""

    def run(monitor: Monitor) -> Answer:
        for solution, value in found:
            monitor.incumbent(solution, value)
        if bound is not None:
            monitor.prove(bound)
        raise error

    return run


def test_an_honest_proof(solve_with: Callable[..., Result]) -> None:
    result = solve_with(answer(status="optimal", solution=BEST, objective=9, bound=9, details={"nodes": 3}))
    assert (result.status, result.objective, result.bound, result.gap) == ("optimal", 9, 9, 0.0)
    assert result.feasible
    assert result.details == {"nodes": 3}
    assert result.method == "fake0"
    assert not result.interrupted


def test_interrupted_keeps_the_incumbent(solve_with: Callable[..., Result]) -> None:
    result = solve_with(raising(KeyboardInterrupt(), (GOOD, 6), (BEST, 9), bound=12))
    assert result.interrupted
    assert (result.status, result.objective, result.bound) == ("feasible", 9, 12)
    assert [(e.objective, e.bound) for e in result.history] == [(6, None), (9, None), (9, 12)]


def test_interrupted_with_nothing(solve_with: Callable[..., Result]) -> None:
    result = solve_with(raising(KeyboardInterrupt()))
    assert result.interrupted
    assert (result.status, result.objective, result.solution, result.check) == ("unknown", None, None, None)


@pytest.mark.parametrize("error", [ZeroDivisionError("oops"), SolverError("oops"), MemoryError("oops")])
def test_failure_keeps_the_incumbent(solve_with: Callable[..., Result], error: Exception) -> None:
    result = solve_with(raising(error, (BEST, 9)))
    assert (result.status, result.objective) == ("feasible", 9)
    assert result.details["error"] == f"{type(error).__name__}: oops"


def test_failure_of_a_later_stage_keeps_the_incumbent(solve_with: Callable[..., Result]) -> None:
    result = solve_with(answer(solution=BEST, objective=9), raising(SolverError("too large")))
    assert (result.status, result.objective) == ("feasible", 9)
    assert "too large" in result.details["error"]


def test_failure_with_nothing(solve_with: Callable[..., Result]) -> None:
    with pytest.raises(SolverError, match="ZeroDivisionError: oops"):
        solve_with(raising(ZeroDivisionError("oops")))
    with pytest.raises(SolverError, match=r"^too large$"):
        solve_with(raising(SolverError("too large")))


@pytest.mark.parametrize(
    ("parts", "status", "claim"),
    [
        ({"solution": GOOD, "objective": 7}, "feasible", "claims objective 7, the solution has 6"),
        ({"solution": GOOD, "objective": 7, "bound": 6}, "feasible", "claims objective 7"),
        (
            {"solution": BEST, "objective": 9, "bound": 8},
            "feasible",
            "claims the bound 8, the solution has the better",
        ),
        ({"solution": BEST, "objective": 9, "bound": math.nan}, "feasible", "claims the bound nan"),
        ({"solution": BEST, "objective": math.inf}, "feasible", "claims objective inf"),
        ({"solution": BEST, "objective": math.nan}, "feasible", "claims objective nan"),
        ({"solution": GOOD, "objective": np.int64(7)}, "feasible", "claims objective 7"),
        ({"solution": HEAVY, "objective": 15, "bound": 15}, "rejected", None),
        ({"solution": np.array([1, 0])}, "rejected", None),
        ({"status": "optimal", "solution": GOOD, "objective": 6}, "feasible", None),
        ({"status": "optimal", "solution": GOOD, "objective": 6, "bound": 9}, "feasible", None),
        ({"status": "optimal", "solution": GOOD, "objective": 6, "bound": math.inf}, "feasible", None),
        ({"status": "infeasible", "solution": BEST, "objective": 9}, "feasible", None),
        ({"solution": BEST, "objective": 9, "bound": 9}, "optimal", None),
        ({"solution": BEST, "bound": np.int64(9)}, "optimal", None),
        ({"solution": BEST.astype(float), "objective": 9.0, "bound": 9.0}, "optimal", None),
        ({"status": "infeasible"}, "infeasible", None),
        ({"status": "unbounded"}, "unbounded", None),
        ({"status": "optimal"}, "unknown", None),
        ({"status": "feasible"}, "unknown", None),
    ],
)
def test_claims_are_judged(
    solve_with: Callable[..., Result], parts: dict[str, Any], status: str, claim: str | None
) -> None:
    result = solve_with(answer(**({"status": "optimal"} | parts)))
    assert result.status == status
    found = None if result.check is None else result.check.claim_error
    assert (found is None) == (claim is None)
    assert claim is None or (found is not None and claim in found)
    assert result.feasible == (result.check is not None and status != "rejected")
    json.dumps(result.to_json(), allow_nan=False)


def test_a_tour_that_misses_a_city_is_rejected(solve_with: Callable[..., Result]) -> None:
    result = solve_with(answer(solution=np.array([0, 1, 2, 2]), objective=0.1), instance=SQUARE)
    assert (result.status, result.objective, result.gap) == ("rejected", None, None)
    assert result.check is not None
    assert result.check.violations == ("city 2 occurs 2 times", "city 3 is missing")
    assert result.to_json()["solution"] is None


def test_the_bound_of_the_monitor_counts(solve_with: Callable[..., Result]) -> None:
    def run(monitor: Monitor) -> Answer:
        monitor.prove(9)
        return Answer("feasible", solution=BEST, objective=9)

    assert solve_with(run).status == "optimal"


def test_events_are_passed_on(solve_with: Callable[..., Result]) -> None:
    seen: list[Event] = []
    result = solve_with(raising(KeyboardInterrupt(), (GOOD, 6), (GOOD, 5), (BEST, 9)), on_event=seen.append)
    assert tuple(seen) == result.history
    assert [e.objective for e in seen] == [6, 9]


def test_infeasible_start_is_bad_input() -> None:
    with pytest.raises(InputError, match="start solution is infeasible: capacity 0: weight 9 exceeds 5"):
        co_gym.solve(KNAPSACK, "greedy", start=HEAVY)
    with pytest.raises(InputError, match="start solution is infeasible: solution has shape"):
        co_gym.solve(KNAPSACK, "greedy", start=BEST[:2])


def test_options_are_checked() -> None:
    for bad in (
        {"time_limit": 0},
        {"time_limit": math.nan},
        {"node_limit": -1},
        {"memory_limit": 0},
        {"seed": -1},
    ):
        with pytest.raises(InputError, match=f"{next(iter(bad))} is"):
            Options(**bad)  # type: ignore[arg-type]
    assert Options(seed=2**31 - 1).seed == 2**31 - 1


@pytest.mark.parametrize("method", ["auto", "scip", "exact", "local-search+scip"])
def test_real_methods(method: str) -> None:
    result = co_gym.solve(KNAPSACK, method, options=Options(time_limit=5, seed=3))
    assert (result.status, result.objective, result.seed) == ("optimal", 9, 3)


def _program(**changes: Any) -> Instance:
    data = {
        "objective": [1, 1], "offset": 0, "indptr": [0, 2], "indices": [0, 1], "values": [2, 2], "row_lower": [3],
        "row_upper": [3], "lower": [0, 0], "upper": [5, 5], "integer": [True, True],
    }  # fmt: skip
    return MIP().instance(data | changes)


def test_infeasible_and_unbounded() -> None:
    assert co_gym.solve(_program()).status == "infeasible"
    free = {"row_upper": [np.inf], "upper": [np.inf, np.inf], "maximize": np.array(True)}
    result = co_gym.solve(_program(**free))
    assert (result.status, result.objective, result.solution) == ("unbounded", None, None)


@pytest.mark.parametrize(("scale", "status"), [(1, "optimal"), (10**6, "optimal"), (10**9, "feasible")])
def test_large_objectives_are_proven_as_far_as_floats_can(scale: int, status: str) -> None:
    rng = np.random.default_rng(0)
    data = {"profits": rng.integers(1, 50, 12) * scale + 1, "weights": rng.integers(1, 50, 12), "capacity": 100}
    instance = Knapsack().instance(data)
    result = co_gym.solve(instance, "scip")
    best = brute_force(Knapsack(), instance)
    assert best is not None
    assert (result.status, result.objective) == (status, best[1])
    assert result.bound is not None
    assert best[1] <= result.bound <= best[1] * (1 + 1e-8)


def test_monitor_ignores_what_is_no_improvement() -> None:
    monitor = Monitor(minimize=True, time_limit=10)
    monitor.incumbent(BEST, 5)
    monitor.incumbent(GOOD, 5)
    monitor.incumbent(GOOD, 6)
    monitor.prove(1)
    monitor.prove(0)
    assert (monitor.objective, monitor.bound, len(monitor.history)) == (5, 1, 2)
    assert monitor.solution is not BEST
    assert monitor.solution is not None
    assert (monitor.solution == BEST).all()


def test_stage_reports_to_the_whole() -> None:
    whole = Monitor(minimize=False, time_limit=10)
    whole.incumbent(BEST, 9)
    part = whole.stage(1000)
    assert part.time_limit <= 10
    part.incumbent(GOOD, 6)
    part.prove(12)
    assert (part.objective, whole.objective, whole.bound) == (6, 9, 12)
    part.incumbent(BEST, 10)
    assert whole.objective == 10


def test_remaining_time_is_never_negative() -> None:
    monitor = Monitor(minimize=True, time_limit=1e-9)
    assert monitor.remaining == 0
    assert monitor.elapsed > 1e-9
