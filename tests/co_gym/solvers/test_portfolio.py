from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import co_gym
from co_gym import registry
from co_gym.errors import InputError, SolverError
from co_gym.instance import Instance
from co_gym.problems.knapsack import Knapsack
from co_gym.solvers.base import Answer, Monitor, Options
from co_gym.solvers.portfolio import Chain, find_method

INSTANCE = Knapsack().instance({"profits": [6, 5, 4], "weights": [4, 3, 2], "capacity": 5})
BEST, GOOD = np.array([0, 1, 1]), np.array([1, 0, 0])


class Stage:
    """Remembers what it is given and answers as told."""

    role = "exact"
    problems = None
    summary = "for tests"

    def __init__(self, name: str, **answer: Any) -> None:
        self.name, self.answer = name, Answer(**({"status": "feasible"} | answer))
        self.start: NDArray | None = None
        self.seconds: list[float] = []

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        self.start = start
        self.seconds.append(monitor.time_limit)
        return self.answer


def run(*stages: Any, time_limit: float = 100.0, start: NDArray | None = None) -> Answer:
    monitor = Monitor(minimize=False, time_limit=time_limit)
    return Chain(stages).solve(INSTANCE, options=Options(time_limit=time_limit), monitor=monitor, start=start)


def test_each_stage_starts_from_the_best_so_far() -> None:
    stages = [Stage("a", solution=BEST, objective=9), Stage("b", solution=GOOD, objective=6), Stage("c", bound=9)]
    answer = run(*stages, start=GOOD)
    assert stages[0].start is GOOD
    assert [stage.start.tolist() for stage in stages[1:] if stage.start is not None] == [BEST.tolist()] * 2
    assert (answer.objective, answer.bound) == (9, 9)
    assert answer.solution is not None
    assert answer.solution.tolist() == BEST.tolist()


def test_early_stages_are_short_and_the_last_has_the_rest() -> None:
    stages = [Stage("a"), Stage("b"), Stage("c")]
    run(*stages)
    assert [stage.seconds for stage in stages[:2]] == [[0.2], [0.2]]
    assert 90 < stages[2].seconds[0] <= 100
    run(*stages, time_limit=1.0)
    assert stages[0].seconds[1] == pytest.approx(0.1)


def test_a_stage_may_come_twice() -> None:
    twice = Stage("a")
    answer = run(twice, Stage("b"), twice)
    assert twice.seconds[0] == 0.2
    assert 90 < twice.seconds[1] <= 100
    assert set(answer.details) == {"a", "b"}


@pytest.mark.parametrize(
    "last",
    [
        {"status": "optimal", "solution": BEST, "objective": 9, "bound": 9},
        {"status": "infeasible"},
        {"interrupted": True},
    ],
)
def test_nothing_follows_a_final_answer(last: dict[str, Any]) -> None:
    after = Stage("b")
    answer = run(Stage("a", **last), after)
    assert after.seconds == []
    assert answer.status == last.get("status", "feasible")
    assert set(answer.details) == {"a"}


class Refusing(Stage):
    """Finds the instance too large."""

    def solve(self, instance: Instance, *, options: Options, monitor: Monitor, start: Any = None) -> Answer:
        raise SolverError("too large")


def test_a_stage_that_refuses_is_skipped() -> None:
    answer = run(Refusing("a"), Stage("b", solution=BEST, objective=9))
    assert answer.objective == 9
    assert answer.details["a"] == {"skipped": "too large"}


def test_the_last_stage_must_not_refuse() -> None:
    with pytest.raises(SolverError, match="too large"):
        run(Stage("a", solution=BEST, objective=9), Refusing("b"))


def test_auto_on_weights_that_the_local_search_cannot_add() -> None:
    large = Knapsack().instance({"profits": [1, 3], "weights": [2**62, 2**62], "capacity": 2**62})
    result = co_gym.solve(large)
    assert (result.status, result.objective) == ("optimal", 3)
    assert "does not fit" in result.details["local-search"]["skipped"]


def test_the_bound_of_an_earlier_stage_is_kept() -> None:
    class Prover(Stage):
        def solve(self, instance: Instance, *, options: Options, monitor: Monitor, start: Any = None) -> Answer:
            monitor.prove(11)
            return super().solve(instance, options=options, monitor=monitor, start=start)

    assert run(Prover("a"), Stage("b")).bound == 11


@pytest.mark.parametrize(
    ("problem", "name"),
    [
        ("tsp", "fast-tsp+scip"),
        ("knapsack", "local-search+scip"),
        ("qap", "simulated-annealing+scip"),
        ("market-split", "local-search+meet-in-the-middle"),
        ("mip", "scip"),
    ],
)
def test_auto(problem: str, name: str) -> None:
    assert find_method("auto", problem).name == name


def test_stages_joined_by_plus() -> None:
    chain = find_method("greedy+local-search+exact", "mis")
    assert isinstance(chain, Chain)
    assert [stage.role for stage in chain.stages] == ["baseline", "local-search", "exact"]
    assert chain.summary.count(" then ") == 2


@pytest.mark.parametrize("method", ["", "+", "scip+", "scip+skip", "fast-tsp+scip"])
def test_unknown_parts(method: str) -> None:
    with pytest.raises(InputError, match="method"):
        find_method(method, "mis")


def test_a_problem_without_solvers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "solvers", lambda: [])
    with pytest.raises(InputError, match="no registered solver takes mis"):
        find_method("auto", "mis")
