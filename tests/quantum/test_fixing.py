from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from co_gym import registry
from co_gym.errors import SolverError
from co_gym.relaxation import Relaxation
from quantum.fixing import by_propagation, by_reduced_costs
from quantum.hamiltonians import state_bits
from quantum.lagrangian import relaxation
from quantum.programs import BinaryProgram, binary_program

CASES = [
    ("knapsack", 10, None), ("multiknapsack", 10, None), ("mis", 10, "edge"), ("qap", 3, "quadratic"),
    ("tsp", 4, "position"), ("market-split", 8, None),
]  # fmt: skip


def generated(problem: str, size: int, form: str | None, seed: int) -> BinaryProgram:
    instance = registry.problem(problem).generate(size, seed=seed)[0]
    return binary_program(registry.problem(problem).formulate(instance, form).program)


def states(program: BinaryProgram) -> np.ndarray:
    return state_bits(np.arange(2**program.num_variables), program.num_variables)


def agrees(x: np.ndarray, values: dict[int, int]) -> np.ndarray:
    return np.logical_and.reduce(
        [x[:, j] == value for j, value in values.items()] or [np.ones(len(x), dtype=bool)]
    )


def random_rows(seed: int, n: int = 6, m: int = 3) -> BinaryProgram:
    """Tight rows of all kinds, the last one with a price; often infeasible."""
    rng = np.random.default_rng(seed)
    A = rng.integers(-3, 6, size=(m, n)).astype(float)
    A[rng.random(A.shape) < 0.3] = 0.0
    lower = A @ rng.integers(2, size=n) + rng.integers(-1, 3, size=m)
    price = np.append(np.full(m - 1, np.inf), 2.0)
    return BinaryProgram(
        c=rng.normal(size=n), A=sparse.csr_matrix(A), lower=np.where(rng.random(m) < 0.3, -np.inf, lower),
        upper=lower + rng.choice([0.0, 1.0, np.inf], m), Q=sparse.csr_matrix((n, n)), offset=0.0, sign=1.0,
        shortfall=price, surplus=price, expansion=sparse.identity(n, format="csr"), base=np.zeros(n),
        deviations=np.zeros((0, 3), dtype=np.int64), scales=np.zeros(0),
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_reduced_costs_lose_no_solution_better_than_the_incumbent(case: tuple) -> None:
    fixed = 0
    for seed in range(12):
        program = generated(*case, seed)
        x = states(program)
        x = x[program.feasible(x)]
        value, relaxed = np.sort(program.evaluate(x)), relaxation(program)
        for incumbent in (value[0], value[min(2, value.size - 1)], value[0] + 0.3 * (value[-1] - value[0])):
            values = by_reduced_costs(program, relaxed, float(incumbent))
            better = program.evaluate(x) < incumbent - 1e-9 * abs(incumbent)
            assert agrees(x, values)[better].all()
            fixed += len(values)
    assert fixed > 0 or case[0] != "knapsack"


def test_reduced_costs_fix_most_of_a_knapsack_with_its_optimum_known() -> None:
    program = generated("knapsack", 14, None, 1)
    x = states(program)
    optimum = float(program.evaluate(x)[program.feasible(x)].min())
    values = by_reduced_costs(program, relaxation(program), optimum)
    assert len(values) >= 5
    assert by_reduced_costs(program, relaxation(program), 0.0) == {}


def test_an_optimum_that_equals_the_bound_is_kept() -> None:
    """Where the incumbent is no better than the bound, equally good solutions are not excluded by rounding."""
    program = replace(
        generated("knapsack", 4, None, 0), upper=np.array([np.inf]), c=np.array([-1.0, 0.0, 0.0, 2.0])
    )
    values = by_reduced_costs(program, relaxation(program), -1.0)
    assert values == {0: 1, 3: 0}


@given(st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_propagation_keeps_every_feasible_point(seed: int) -> None:
    program = random_rows(seed)
    x = states(program)
    feasible = program.feasible(x)
    try:
        values = by_propagation(program)
    except SolverError:
        assert not feasible.any()
        return
    assert agrees(x, values)[feasible].all()
    rest = program.fix(values)
    assert by_propagation(rest) == {}


def test_propagation_goes_from_row_to_row_and_finds_infeasibility() -> None:
    """3a + b <= 2 sets a = 0, a + b >= 1 then b = 1, and b + c <= 1 then c = 0; d is free."""
    A = np.array([[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0], [3.0, 1.0, 0.0, 0.0]])
    lower, upper = np.array([-np.inf, 1.0, -np.inf]), np.array([1.0, np.inf, 2.0])
    infinite = np.full(3, np.inf)
    program = replace(
        random_rows(0, 4), A=sparse.csr_matrix(A), lower=lower, upper=upper, shortfall=infinite, surplus=infinite
    )
    assert by_propagation(program) == {0: 0, 1: 1, 2: 0}
    assert by_propagation(replace(program, surplus=np.array([np.inf, np.inf, 5.0]))) == {}
    with pytest.raises(SolverError, match="row 2 cannot be satisfied"):
        by_propagation(replace(program, lower=np.array([-np.inf, 1.0, 5.0]), upper=np.array([1.0, np.inf, 6.0])))
    with pytest.raises(SolverError, match="variable 1 has no value"):
        by_propagation(replace(program, lower=np.array([2.0, -np.inf, -np.inf]), upper=np.array([2.0, 0.0, 2.0])))


def test_without_a_relaxation_there_are_no_reduced_costs() -> None:
    with pytest.raises(SolverError, match="infeasible"):
        by_reduced_costs(random_rows(0), Relaxation("infeasible"), 0.0)
