from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from co_gym import registry
from co_gym.errors import SolverError
from co_gym.formulation import MixedIntegerProgram
from quantum.hamiltonians import state_bits
from quantum.lagrangian import lagrangian, multiplier_box
from quantum.oracles import MOST_VARIABLES, augmented_oracle, linear_oracle, program_bound, table_oracle
from quantum.programs import BinaryProgram, binary_program

CASES = [("multiknapsack", 8, None), ("mis", 8, "edge"), ("market-split", 8, None), ("qap", 3, "quadratic")]


def program_of(problem: str, size: int, form: str | None, seed: int = 0) -> BinaryProgram:
    instance = registry.problem(problem).generate(size, seed=seed)[0]
    return binary_program(registry.problem(problem).formulate(instance, form).program)


def all_states(program: BinaryProgram) -> np.ndarray:
    return state_bits(np.arange(2**program.num_variables), program.num_variables).astype(float)


def random_program(seed: int) -> BinaryProgram:
    """Rows with one side, with two, and equations; some may be missed at a price."""
    rng = np.random.default_rng(seed)
    n, m = 5, 4
    A = rng.integers(-3, 4, size=(m, n)).astype(float)
    activity = A @ (rng.random(n) < 0.5)
    given = MixedIntegerProgram(
        sense="minimize",
        c=rng.integers(-5, 6, size=n).astype(float),
        A=sparse.csr_matrix(A),
        row_lower=np.array([-np.inf, activity[1] - 1.0, activity[2], activity[3] - 2.0]),
        row_upper=np.array([activity[0], np.inf, activity[2], activity[3] + 1.0]),
        lower=np.zeros(n),
        upper=np.ones(n),
        integer=np.ones(n, dtype=bool),
        Q=sparse.csr_matrix(rng.integers(-2, 3, size=(n, n)).astype(float)) if seed % 2 else None,
        offset=0.5,
    )
    program = binary_program(given)
    prices = np.where(rng.random((2, m)) < 0.3, rng.uniform(0.5, 4.0, size=(2, m)), np.inf)
    return replace(program, shortfall=prices[0], surplus=prices[1])


def multipliers_of(program: BinaryProgram, rng: np.random.Generator) -> np.ndarray:
    """Inside of the box, often at 0."""
    low, high = (np.clip(side, -4, 4) for side in multiplier_box(program))
    return rng.uniform(low, high) * (rng.random(program.num_rows) < 0.7)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_values_are_minima_and_slopes_supergradients(seed: int) -> None:
    program, rng = random_program(seed), np.random.default_rng(seed)
    u = multipliers_of(program, rng)
    oracles = [table_oracle(program)] + ([] if program.Q.nnz else [linear_oracle(program)])
    for oracle in oracles:
        inner = oracle(u)
        assert inner.exact
        assert inner.value == pytest.approx(lagrangian(program, u).energy(all_states(program)).min())
        for _ in range(10):
            v = multipliers_of(program, rng)
            assert oracle(v).value <= inner.value + inner.slopes @ (v - u) + 1e-9


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_the_augmented_minimum_is_a_bound_between_the_dual_function_and_the_optimum(seed: int) -> None:
    program, rng = random_program(seed), np.random.default_rng(seed)
    x, oracle = all_states(program), augmented_oracle(program)
    feasible = program.feasible(x)
    u, r = multipliers_of(program, rng), 10.0 ** rng.uniform(-2, 2, size=program.num_rows)
    inner = oracle(u, r)
    assert inner.exact
    assert inner.value >= table_oracle(program)(u).value - 1e-9
    assert inner.value <= program.evaluate(x)[feasible].min() + 1e-9
    for _ in range(10):
        v = multipliers_of(program, rng)
        assert oracle(v, r).value <= inner.value + inner.slopes @ (v - u) + 1e-8


def test_the_augmented_term_of_a_constraint_is_that_of_the_method_of_multipliers() -> None:
    program, x = program_of("multiknapsack", 6, None), None
    u, r = np.linspace(0.5, 2.0, program.num_rows), np.full(program.num_rows, 0.1)
    x = all_states(program)
    excess = x @ program.A.T.toarray() - program.upper
    hinge = (np.maximum(u + r * excess, 0.0) ** 2 - u**2) / (2 * r)
    expected = program.evaluate(x) + hinge.sum(axis=1)
    assert augmented_oracle(program)(u, r).value == pytest.approx(expected.min())


@pytest.mark.parametrize("case", CASES[:3])
def test_slopes_are_those_of_the_mean_of_all_minimizers(case: tuple) -> None:
    program = program_of(*case)
    program = replace(program, c=np.zeros(program.num_variables))
    u = np.zeros(program.num_rows)
    expected = program.A @ np.full(program.num_variables, 0.5)
    for oracle in (linear_oracle(program), table_oracle(program)):
        inner = oracle(u)
        one_sided = np.where(np.isfinite(program.upper), expected - program.upper, expected - program.lower)
        np.testing.assert_allclose(inner.slopes, one_sided)


def test_programs_beyond_an_oracle_are_refused() -> None:
    with pytest.raises(SolverError, match="quadratic"):
        linear_oracle(program_of("qap", 3, "quadratic"))
    large = program_of("multiknapsack", MOST_VARIABLES + 1, None)
    for oracle in (table_oracle, augmented_oracle):
        with pytest.raises(SolverError, match="at most"):
            oracle(large)


@pytest.mark.parametrize("case", CASES)
def test_rounded_bounds_are_in_the_sense_of_the_program_and_valid(case: tuple) -> None:
    for seed in range(3):
        program = program_of(*case, seed)
        x = all_states(program)
        best = float(program.evaluate(x)[program.feasible(x)].min())
        for slack in (0.0, 1e-9, 0.3, 0.9, 5.5):
            rounded = program.sign * program_bound(program, best - slack)
            assert best - slack - 1e-9 <= rounded <= best + 1e-9
            assert program.sign * program_bound(program, best + 1e-9) == pytest.approx(best)
            if slack < 1:
                assert rounded == pytest.approx(best)


def test_bounds_are_not_rounded_where_the_objective_is_not_integral() -> None:
    program = program_of("multiknapsack", 6, None)
    finer = replace(program, c=program.c / 3.0)
    assert program_bound(finer, -10.4) == 10.4
    assert program_bound(replace(program, offset=0.25), -10.4) == pytest.approx(9.75)
    split = program_of("market-split", 8, None)
    assert program_bound(split, 0.1) == 1.0
    assert program_bound(replace(split, surplus=split.surplus * 0.5), 0.1) == 0.1
