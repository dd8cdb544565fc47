from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import co_gym
from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.instance import Instance
from co_gym.problems.knapsack import Knapsack
from co_gym.problems.mip import MIP
from co_gym.problems.qap import QAP
from co_gym.problems.tsp import TSP
from co_gym.solvers.base import Answer, Event, Monitor, Options
from co_gym.verifier import verify
from milp.reporting import objective_is_integral, settle
from milp.solver import HEURISTICS, Scip, ScipTSP


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


def run(instance: Instance, time_limit: float = 20.0, start: Any = None, **limits: Any) -> tuple[Answer, Monitor]:
    minimize = co_gym.problem(instance.problem).sense_of(instance) == "minimize"
    monitor = Monitor(minimize=minimize, time_limit=time_limit)
    options = Options(time_limit=time_limit, **limits)
    return Scip().solve(instance, options=options, monitor=monitor, start=start), monitor


def solve(made: MixedIntegerProgram) -> Answer:
    return run(MIP().from_program(made))[0]


def test_emphasis_on_heuristics() -> None:
    instance = Knapsack().generate(60, seed=3)[0]
    found = {
        kind: co_gym.solve(instance, "scip", options=Options(settings={"heuristics": kind})) for kind in HEURISTICS
    }
    assert {result.status for result in found.values()} == {"optimal"}
    assert len({result.objective for result in found.values()}) == 1
    with pytest.raises(InputError, match="did you mean aggressive"):
        co_gym.solve(instance, "scip", options=Options(settings={"heuristics": "agressive"}))


def test_optimum() -> None:
    answer = solve(program())
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(12.0)
    assert answer.bound == pytest.approx(12.0)
    assert answer.solution is not None
    assert answer.solution.tolist() == pytest.approx([4.0, 0.0])
    assert answer.details["ended"] == "optimal"
    json.dumps(answer.details)


UP = {"row_lower": np.array([1.0, 1.0]), "row_upper": np.full(2, np.inf)}
APART = {
    "A": sparse.csr_matrix([[1.0, -1.0], [1.0, -1.0]]),
    "row_lower": np.array([2.0, -np.inf]),
    "row_upper": np.array([np.inf, 1.0]),
}
PARITY = {
    "A": sparse.csr_matrix([[2.0, -2.0], [0.0, 0.0]]),
    "row_lower": np.array([1.0, 0.0]),
    "row_upper": np.array([1.0, 0.0]),
    "integer": np.array([True, True]),
}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        (UP, "unbounded"),
        (UP | {"c": np.array([-3.0, -2.0])}, "optimal"),
        (APART, "infeasible"),
        (APART | {"c": np.zeros(2)}, "infeasible"),
        ({"row_lower": np.array([-np.inf, 5.0])}, "infeasible"),
        (PARITY | {"upper": np.full(2, 1e3)}, "infeasible"),
        ({"integer": np.array([False, False])} | UP, "unbounded"),
    ],
)
def test_infeasible_and_unbounded_are_told_apart(changes: dict[str, Any], status: str) -> None:
    answer = solve(program(**changes))
    assert answer.status == status
    assert (answer.solution is None) == (status != "optimal")


def hard(seed: int = 0, n: int = 9) -> Instance:
    (instance,) = QAP().generate(n, seed=seed)
    return instance


def test_node_limit() -> None:
    answer, _ = run(hard(), node_limit=1)
    assert answer.status in ("feasible", "unknown")
    assert answer.details["ended"] in ("nodelimit", "totalnodelimit")
    assert answer.details["nodes"] <= 1
    assert answer.bound is not None


def test_time_limit() -> None:
    answer, monitor = run(hard(n=15), time_limit=0.3)
    assert answer.details["ended"] == "timelimit"
    assert answer.status in ("feasible", "unknown")
    assert monitor.remaining == 0


def test_memory_limit() -> None:
    answer, _ = run(hard(n=12), memory_limit=1.0)
    assert answer.details["ended"] == "memlimit"


def test_limits_may_be_infinite() -> None:
    infinity = float("inf")
    answer, _ = run(MIP().from_program(program()), time_limit=infinity, memory_limit=infinity, node_limit=10**30)
    assert answer.status == "optimal"


@pytest.mark.parametrize("time_limit", [20.0, 1e-6])
def test_the_start_is_used(time_limit: float) -> None:
    instance = hard(n=12)
    start = np.random.default_rng(0).permutation(12)
    answer, _ = run(instance, time_limit=time_limit, start=start, node_limit=1)
    assert answer.solution is not None
    assert QAP().objective(instance, answer.solution) <= QAP().objective(instance, start)


def test_the_history_ends_with_the_answer() -> None:
    (instance,) = Knapsack().generate(30, distribution="strongly-correlated", seed=4)
    answer, monitor = run(instance)
    assert answer.status == "optimal"
    assert monitor.objective == answer.objective
    assert isinstance(answer.bound, int)
    assert answer.bound == answer.objective
    assert all(isinstance(e.bound, int) for e in monitor.history if e.bound is not None)


def test_same_seed_same_solution() -> None:
    first, second = (run(hard(n=7), seed=5)[0] for _ in range(2))
    assert first.solution is not None
    assert second.solution is not None
    assert first.solution.tolist() == second.solution.tolist()
    assert first.details["nodes"] == second.details["nodes"]


@pytest.mark.parametrize(
    ("changes", "integral"),
    [
        ({}, False),
        ({"integer": np.array([True, True])}, True),
        ({"c": np.array([3.0, 0.0])}, True),
        ({"c": np.array([3.5, 0.0])}, False),
        ({"c": np.array([3.0, 0.0]), "offset": 0.5}, False),
    ],
)
def test_objective_is_integral(changes: dict[str, Any], integral: bool) -> None:
    assert objective_is_integral(program(**changes)) is integral


def test_settle_rounds_integers() -> None:
    integral = program(integer=np.array([True, True]))
    assert settle(integral, np.array([3.0000004, 0.9999996])).tolist() == [3.0, 1.0]


def test_settle_leaves_good_values_alone() -> None:
    assert settle(program(), np.array([2.0000000001, 0.75])).tolist() == [2.0, 0.75]


def test_settle_stays_within_bounds() -> None:
    assert settle(program(), np.array([3.0, -1e-9])).tolist() == [3.0, 0.0]


def test_settle_solves_for_continuous_variables_again() -> None:
    """Rounding x moves y = 10^4 x by more than the tolerance: y has to follow."""
    linked = program(
        A=sparse.csr_matrix([[1e4, -1.0], [0.0, 0.0]]),
        row_lower=np.array([0.0, -np.inf]),
        row_upper=np.array([0.0, np.inf]),
        upper=np.array([5.0, 1e5]),
    )
    settled = settle(linked, np.array([3 - 4e-7, 3e4 - 4e-3]))
    assert settled.tolist() == pytest.approx([3.0, 3e4])
    assert verify(MIP().from_program(linked), settled).feasible


def test_settle_gives_up_where_nothing_fits() -> None:
    fixed = program(A=sparse.csr_matrix([[1.0, 0.0], [0.0, 0.0]]), row_lower=np.array([2.5, -np.inf]))
    assert settle(fixed, np.array([2.4, 1.0])).tolist() == [2.0, 1.0]


def test_branch_and_cut_for_tours() -> None:
    (instance,) = TSP().generate(40, seed=2)
    monitor = Monitor(minimize=True, time_limit=30)
    answer = ScipTSP().solve(instance, options=Options(), monitor=monitor)
    assert answer.status == "optimal"
    assert answer.solution is not None
    check = verify(instance, answer.solution, claimed=answer.objective, bound=answer.bound)
    assert check.ok
    assert monitor.bound == pytest.approx(answer.objective)
    assert answer.details["ended"] == "optimal"
    json.dumps(answer.details, allow_nan=False)


def test_a_failing_callback_is_named_and_loses_nothing() -> None:
    """SCIP itself would say no more than 'unspecified error'."""
    (instance,) = Knapsack().generate(30, seed=1)

    def fail(event: Event) -> None:
        raise RuntimeError("the display is gone")

    result = co_gym.solve(instance, "scip", options=Options(time_limit=20), on_event=fail)
    assert result.details["error"] == "RuntimeError: the display is gone"
    assert result.feasible
