from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from co_gym.errors import SolverError
from co_gym.formulation import MixedIntegerProgram
from co_gym.relaxation import solve_relaxation


def random_program(seed: int) -> MixedIntegerProgram:
    """A bounded program with rows of all kinds that holds at least one point."""
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 7, size=2)
    A = rng.normal(size=(m, n)) * (rng.random((m, n)) < 0.7)
    lower, upper = -rng.random(n) * 3, rng.random(n) * 3
    activity = A @ rng.uniform(lower, upper)
    slack = rng.random((2, m))
    kind = rng.integers(4, size=m)  # both sides, lower only, upper only, equality
    low = np.where(kind == 2, -np.inf, activity - slack[0] * (kind != 3))
    high = np.where(kind == 1, np.inf, activity + slack[1] * (kind != 3))
    return MixedIntegerProgram(
        sense="maximize" if seed % 2 else "minimize",
        c=rng.normal(size=n),
        A=sparse.csr_matrix(A),
        row_lower=low,
        row_upper=high,
        lower=lower,
        upper=upper,
        integer=np.zeros(n, dtype=bool),
        offset=float(rng.normal()),
    )


def by_scipy(p: MixedIntegerProgram) -> float:
    A = p.A.toarray()
    has_low, has_high = np.isfinite(p.row_lower), np.isfinite(p.row_upper)
    sign = 1 if p.sense == "minimize" else -1
    found = linprog(
        sign * p.c,
        A_ub=np.vstack([A[has_high], -A[has_low]]),
        b_ub=np.concatenate([p.row_upper[has_high], -p.row_lower[has_low]]),
        bounds=np.column_stack([p.lower, p.upper]),
    )
    assert found.status == 0
    return float(sign * found.fun + p.offset)


@pytest.mark.parametrize("seed", range(30))
def test_agrees_with_scipy_and_strong_duality_holds(seed: int) -> None:
    program = random_program(seed)
    found = solve_relaxation(program)
    assert found.status == "optimal"
    assert found.bound == pytest.approx(by_scipy(program), abs=1e-7)
    assert found.x is not None
    assert found.duals is not None
    assert found.reduced_costs is not None
    assert program.is_feasible(found.x)
    assert program.evaluate(found.x) == pytest.approx(found.bound, abs=1e-7)
    np.testing.assert_allclose(found.reduced_costs, program.c - program.A.T @ found.duals, atol=1e-7)
    # A positive multiplier prices the side that a minimum presses against: the lower one; reversed for a maximum.
    sign = 1 if program.sense == "minimize" else -1

    def priced(prices: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
        side = np.where(sign * prices > 0, low, high)
        used = np.abs(prices) > 1e-9
        return float(prices[used] @ side[used])

    dual = priced(found.duals, program.row_lower, program.row_upper)
    dual += priced(found.reduced_costs, program.lower, program.upper) + program.offset
    assert dual == pytest.approx(found.bound, abs=1e-6)


@pytest.mark.parametrize("sense", ["minimize", "maximize"])
def test_duals_are_the_change_per_unit_of_a_side(sense: str) -> None:
    """min or max 2x + 3y with x + y = 4 and x <= 3: one unit more on the right is one more y."""
    program = MixedIntegerProgram(
        sense=sense,  # type: ignore[arg-type]
        c=np.array([2.0, 3.0]),
        A=sparse.csr_matrix([[1.0, 1.0]]),
        row_lower=np.array([4.0]),
        row_upper=np.array([4.0]),
        lower=np.zeros(2),
        upper=np.array([3.0, 3.5]),
        integer=np.zeros(2, dtype=bool),
    )
    base = solve_relaxation(program)
    more = solve_relaxation(replace(program, row_lower=np.array([4.1]), row_upper=np.array([4.1])))
    assert base.bound is not None
    assert more.bound is not None
    assert base.duals is not None
    assert base.duals[0] == pytest.approx((more.bound - base.bound) / 0.1)


def test_integrality_is_dropped() -> None:
    program = replace(random_program(0), integer=np.ones(random_program(0).num_variables, dtype=bool))
    assert solve_relaxation(program).bound == solve_relaxation(random_program(0)).bound


def test_infeasible() -> None:
    program = random_program(3)
    first = program.A[:1]
    doubled = replace(
        program,
        A=sparse.csr_matrix(sparse.vstack([first, first])),
        row_lower=np.array([5.0, -np.inf]),
        row_upper=np.array([np.inf, 4.0]),
        lower=np.full(program.num_variables, -np.inf),
        upper=np.full(program.num_variables, np.inf),
    )
    found = solve_relaxation(doubled)
    assert (found.status, found.bound, found.x) == ("infeasible", None, None)


def _ray(low: float, high: float) -> MixedIntegerProgram:
    """max x + y, low <= x - y <= high, x and y >= 0."""
    return MixedIntegerProgram(
        sense="maximize",
        c=np.ones(2),
        A=sparse.csr_matrix([[1.0, -1.0], [1.0, -1.0]]),
        row_lower=np.array([low, -np.inf]),
        row_upper=np.array([np.inf, high]),
        lower=np.zeros(2),
        upper=np.full(2, np.inf),
        integer=np.zeros(2, dtype=bool),
    )


@pytest.mark.parametrize(("low", "high", "status"), [(-1.0, 1.0, "unbounded"), (1.0, -1.0, "infeasible")])
def test_rays_are_told_from_infeasibility(low: float, high: float, status: str) -> None:
    assert solve_relaxation(_ray(low, high)).status == status


def test_no_rows_and_no_columns() -> None:
    empty = MixedIntegerProgram(
        sense="minimize", c=np.zeros(0), A=sparse.csr_matrix((0, 0)), row_lower=np.zeros(0), row_upper=np.zeros(0),
        lower=np.zeros(0), upper=np.zeros(0), integer=np.zeros(0, dtype=bool), offset=2.5,
    )  # fmt: skip
    found = solve_relaxation(empty)
    assert (found.status, found.bound) == ("optimal", 2.5)


def test_quadratic_objectives_are_refused() -> None:
    program = random_program(0)
    n = program.num_variables
    with pytest.raises(SolverError, match="quadratic"):
        solve_relaxation(replace(program, Q=sparse.csr_matrix(np.eye(n))))


def test_after_a_run_of_highs_with_other_threads() -> None:
    """HiGHS keeps the number of threads of its first run, and refuses another; nothing here asks for one."""
    code = """
import highspy, numpy as np
from scipy import sparse
from co_gym.formulation import MixedIntegerProgram
from co_gym.relaxation import solve_relaxation

highs = highspy.Highs()
highs.setOptionValue("threads", 2)
highs.addVar(0, 1)
highs.run()
program = MixedIntegerProgram(
    sense="maximize", c=np.ones(1), A=sparse.csr_matrix([[2.0]]), row_lower=np.array([-np.inf]),
    row_upper=np.array([3.0]), lower=np.zeros(1), upper=np.full(1, 9.0), integer=np.zeros(1, dtype=bool),
)
assert abs(solve_relaxation(program).bound - 1.5) < 1e-9

from milp.tsp.edge_lp import EdgeLP

lp = EdgeLP(4)
lp.add_edges(*np.triu_indices(4, 1), np.ones(6))
assert lp.solve(10.0).optimal
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
