from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from co_gym import registry
from co_gym.errors import SolverError
from co_gym.formulation import MixedIntegerProgram
from quantum.programs import binary_program, range_weights

CASES = [
    ("tsp", 4, "position"), ("qap", 3, "quadratic"), ("mis", 7, "edge"), ("mis", 7, "clique"),
    ("knapsack", 7, None), ("multiknapsack", 7, None), ("market-split", 8, None),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "size", "form"), CASES)
def test_objective_and_feasibility_are_those_of_the_program_given(
    problem: str, size: int, form: str | None
) -> None:
    instance = registry.problem(problem).generate(size, seed=3)[0]
    program = registry.problem(problem).formulate(instance, form).program
    binary = binary_program(program)
    x = np.random.default_rng(0).random((60, binary.num_variables)) < 0.3
    values, feasible = binary.evaluate(x), binary.feasible(x)
    for k in range(len(x)):
        lifted = binary.lift(x[k])
        assert binary.sign * values[k] == pytest.approx(program.evaluate(lifted))
        assert feasible[k] == program.is_feasible(lifted)
        assert binary.evaluate(x[k]) == pytest.approx(values[k])


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_fixing_variables_is_the_same_as_setting_them(seed: int) -> None:
    program = binary_program(random_program(seed))
    rng = np.random.default_rng(seed)
    n = program.num_variables
    where = rng.choice(n, min(2, n), replace=False)
    values = {int(i): int(rng.integers(2)) for i in where}
    x = (rng.random((20, n)) < 0.5).astype(float)
    for i, value in values.items():
        x[:, i] = value
    part, rest = program.fix(values), np.delete(x, where, axis=1)
    np.testing.assert_allclose(part.evaluate(rest), program.evaluate(x))
    np.testing.assert_array_equal(part.feasible(rest), program.feasible(x))
    np.testing.assert_allclose(part.lift(rest[0]), program.lift(x[0]))


@given(st.integers(0, 200))
@settings(max_examples=50, deadline=None)
def test_bits_of_a_range_reach_every_value_and_no_other(width: int) -> None:
    weights = range_weights(width)
    sums = {0}
    for weight in weights:
        sums |= {one + weight for one in sums}
    assert sums == set(range(width + 1))
    assert len(weights) == width.bit_length()


def test_continuous_and_unbounded_variables_are_refused_by_name() -> None:
    instance = registry.problem("qap").generate(3, seed=0)[0]
    with pytest.raises(SolverError, match="continuous"):
        binary_program(registry.problem("qap").formulate(instance, "linear").program)
    program = random_program(0)
    free = np.full(program.num_variables, np.inf)
    with pytest.raises(SolverError, match="unbounded"):
        binary_program(
            MixedIntegerProgram(
                "minimize", program.c, program.A, program.row_lower, program.row_upper, program.lower, free,
                program.integer,
            )
        )  # fmt: skip


def random_program(seed: int) -> MixedIntegerProgram:
    """Bounded integers, a quadratic objective, and a row with a price."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 5)), 2
    A = rng.integers(-3, 4, size=(m, n)).astype(float)
    priced = np.array([[1.0], [0.0]])
    Q = np.zeros((n + 1, n + 1))
    Q[:n, :n] = rng.integers(-2, 3, size=(n, n))
    lower = rng.integers(-2, 1, size=n)
    return MixedIntegerProgram(
        sense="minimize" if seed % 2 else "maximize",
        c=np.append(rng.integers(-5, 6, size=n), 2.0 if seed % 2 else -2.0).astype(float),
        A=sparse.csr_matrix(np.hstack([A, priced])),
        row_lower=np.array([0.0, -np.inf]),
        row_upper=np.array([np.inf, 2.0]),
        lower=np.append(lower, 0.0),
        upper=np.append(lower + rng.integers(0, 6, size=n), np.inf),
        integer=np.append(np.ones(n, dtype=bool), False),
        Q=sparse.csr_matrix(Q),
        offset=1.5,
    )
