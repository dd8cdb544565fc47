from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from co_gym import registry
from quantum.hamiltonians import state_bits
from quantum.lagrangian import lagrangian, multiplier_box, relaxation, subgradient
from quantum.programs import BinaryProgram, binary_program

CASES = [("multiknapsack", 8, None), ("mis", 8, "edge"), ("market-split", 8, None), ("qap", 3, "quadratic")]


def program_of(problem: str, size: int, form: str | None, seed: int = 0) -> BinaryProgram:
    instance = registry.problem(problem).generate(size, seed=seed)[0]
    return binary_program(registry.problem(problem).formulate(instance, form).program)


def optimum(program: BinaryProgram) -> float:
    x = state_bits(np.arange(2**program.num_variables), program.num_variables)
    return float(program.evaluate(x)[program.feasible(x)].min())


@pytest.mark.parametrize("case", CASES)
@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_the_dual_function_is_a_lower_bound(case: tuple, seed: int) -> None:
    program = program_of(*case, seed)
    low, high = (np.clip(side, -20, 20) for side in multiplier_box(program))
    u = np.random.default_rng(seed).uniform(low, high)
    assert lagrangian(program, u).energies().min() <= optimum(program) + 1e-9


@pytest.mark.parametrize("case", CASES[:3])
def test_with_a_linear_objective_the_best_bound_is_that_of_the_lp(case: tuple) -> None:
    for seed in range(5):
        program = program_of(*case, seed)
        relaxed = relaxation(program)
        at_duals = lagrangian(program, relaxed.duals)
        assert not at_duals.pairs.size
        assert at_duals.energies().min() == pytest.approx(relaxed.bound)


@pytest.mark.parametrize("case", CASES)
def test_the_relaxation_bounds_the_optimum(case: tuple) -> None:
    program = program_of(*case)
    found = relaxation(program)
    assert found.bound <= optimum(program) + 1e-9
    assert found.x.shape == (program.num_variables,)
    assert found.duals.shape == (program.num_rows,)


@pytest.mark.parametrize("case", CASES)
def test_the_subgradient_is_the_derivative_of_the_lagrangian(case: tuple) -> None:
    program, rng = program_of(*case), np.random.default_rng(1)
    low, high = (np.clip(side, -9, 9) for side in multiplier_box(program))
    u = rng.uniform(low, high)
    x = (rng.random((5, program.num_variables)) < 0.5).astype(float)
    slopes = subgradient(program, u, x)
    for i in np.flatnonzero(np.abs(u) > 1e-3):
        step = np.zeros_like(u)
        step[i] = 1e-4
        change = lagrangian(program, u + step).energy(x) - lagrangian(program, u - step).energy(x)
        np.testing.assert_allclose(slopes[:, i], change / 2e-4, rtol=1e-6, atol=1e-6)
