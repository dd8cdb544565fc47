"""Every registered solver keeps its promises on small instances; and the checks find solvers that do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from co_gym import registry
from co_gym.instance import Instance
from co_gym.problems.knapsack import Knapsack
from co_gym.problems.mip import MIP
from co_gym.solvers.base import Answer, Monitor, Options, Solver
from co_gym.solvers.portfolio import find_method
from co_gym.testing import assert_solver, brute_force

KNAPSACK = Knapsack()


@pytest.mark.parametrize(
    "solver", registry.solvers(), ids=lambda s: f"{s.name}-{'-'.join(sorted(s.problems or []))}"
)
def test_solver(solver: Solver) -> None:
    # An exact solver ends with its proof, however long the limit; compiling its kernels must not take that time.
    assert_solver(solver, time_limit=30.0 if solver.role == "exact" else 0.3)


@pytest.mark.parametrize("problem", ["tsp", "knapsack", "mis", "qap", "market-split"])
def test_auto(problem: str) -> None:
    instances = registry.problem(problem).generate(5, count=2, seed=3)
    assert_solver(find_method("auto", problem), instances, time_limit=10.0)


def _program(rhs: float) -> Instance:
    return MIP().instance(
        {
            "objective": [3, 2], "offset": 0, "indptr": [0, 2], "indices": [0, 1], "values": [2, 2],
            "row_lower": [rhs], "row_upper": [rhs], "lower": [0, 0], "upper": [3, 3], "integer": [True, True],
        }
    )  # fmt: skip


def test_exact_solver_on_an_infeasible_program() -> None:
    (scip,) = [s for s in registry.solvers() if s.name == "scip" and s.problems is None]
    assert_solver(scip, [_program(4.0), _program(5.0)])


def _random_program(seed: int) -> Instance:
    """Three bounded integer variables and two rows; about half of these programs are infeasible."""
    rng = np.random.default_rng(seed)
    right = rng.integers(-6, 7, size=2)
    return MIP().instance(
        {
            "objective": rng.integers(-9, 10, 3), "offset": rng.integers(-3, 4), "indptr": [0, 3, 6],
            "indices": [0, 1, 2, 0, 1, 2], "values": rng.integers(-4, 5, 6), "row_lower": [right[0], -np.inf],
            "row_upper": [right[0], right[1]], "lower": [-2, 0, 0], "upper": [2, 3, 1], "integer": [True] * 3,
            "maximize": np.array(seed % 2 == 0),
        },
        name=f"random-{seed}",
    )  # fmt: skip


def test_exact_solver_on_random_programs() -> None:
    (scip,) = [s for s in registry.solvers() if s.name == "scip" and s.problems is None]
    instances = [_random_program(seed) for seed in range(40)]
    solvable = [brute_force(MIP(), instance) is not None for instance in instances]
    assert 10 < sum(solvable) < 35
    assert_solver(scip, instances)


class _Fake:
    """Returns the optimum of a knapsack in an honest way, but for its fault."""

    name = "fake"
    role = "exact"
    problems = frozenset({"knapsack"})
    summary = "for tests"

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        best = brute_force(KNAPSACK, instance)
        assert best is not None
        solution, value = best
        nothing, everything = np.zeros_like(solution), np.ones_like(solution)
        if self.fault == "history":
            from co_gym.solvers.base import Event

            monitor.history += [Event(0.0, value, None), Event(0.1, value - 1, None)]
        answers: dict[str, Any] = {
            "suboptimal": {"status": "feasible", "solution": nothing, "objective": 0, "bound": 10**9},
            "no proof": {"status": "feasible", "solution": solution, "objective": value},
            "false proof": {"solution": solution, "objective": value, "bound": value + 1},
            "false claim": {"solution": solution, "objective": value + 1, "bound": value + 1},
            "infeasible": {"solution": everything},
            "excludes": {"status": "feasible", "solution": nothing, "bound": value - 1},
            "nothing": {"status": "unknown"},
            "start": {"status": "feasible", "solution": nothing},
            "details": {"solution": solution, "objective": value, "bound": value, "details": {"x": float("nan")}},
        }
        chosen = answers.get(self.fault, {"solution": solution, "objective": value, "bound": value})
        if self.fault == "writes" and start is not None:
            start[:] = 0
        return Answer(**({"status": "optimal"} | chosen))


def _check(fault: str, role: str = "exact") -> None:
    fake: Any = _Fake(fault)
    fake.role = role
    assert_solver(fake, KNAPSACK.generate(6, seed=1), time_limit=0.2)


def test_an_honest_solver_passes() -> None:
    _check("")


@pytest.mark.parametrize(
    ("fault", "role", "message"),
    [
        ("suboptimal", "exact", "it finds 0, the optimum is"),
        ("no proof", "exact", "expected a proof"),
        ("false proof", "exact", "claims an optimum"),
        ("false claim", "exact", "its answer is refused"),
        ("infeasible", "exact", "its answer is refused"),
        ("excludes", "baseline", "excludes the optimum"),
        ("nothing", "baseline", "it finds no solution"),
        ("start", "baseline", "an optimal start"),
        ("writes", "exact", "writes to the start"),
        ("history", "exact", "the incumbent .* became"),
        ("details", "exact", "details is no plain JSON"),
        ("", "oracle", "role is 'oracle'"),
    ],
)
def test_faults_are_found(fault: str, role: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        _check(fault, role)
