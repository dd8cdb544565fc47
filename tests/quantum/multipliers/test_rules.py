from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from co_gym import registry
from co_gym.errors import InputError
from quantum.hamiltonians import state_bits
from quantum.lagrangian import relaxation
from quantum.multipliers import RULES, Dual, Inner, Region, maximize, rule
from quantum.oracles import augmented_oracle, linear_oracle, table_oracle
from quantum.programs import BinaryProgram, binary_program

LINEAR = [("multiknapsack", 12, None), ("mis", 14, "edge"), ("market-split", 12, None)]
QUADRATIC = [("qap", 3, "quadratic"), ("tsp", 4, "position")]
ENOUGH = {"dual-ascent": 200, "polyak": 200, "cutting-plane": 60, "bundle": 40, "augmented": 40}
TOLERANCE = {"dual-ascent": 0.03, "polyak": 0.03, "cutting-plane": 1e-6, "bundle": 1e-6, "augmented": 1e-6}


def program_of(problem: str, size: int, form: str | None, seed: int = 0) -> BinaryProgram:
    instance = registry.problem(problem).generate(size, seed=seed)[0]
    return binary_program(registry.problem(problem).formulate(instance, form).program)


def optimum(program: BinaryProgram) -> float:
    x = state_bits(np.arange(2**program.num_variables), program.num_variables)
    return float(program.evaluate(x)[program.feasible(x)].min())


def oracle_of(program: BinaryProgram, name: str) -> Callable[..., Inner]:
    if name == "augmented":
        return augmented_oracle(program)
    return table_oracle(program) if program.Q.nnz else linear_oracle(program)


def run(program: BinaryProgram, name: str, steps: int, start: np.ndarray | None = None) -> Dual:
    start = np.zeros(program.num_rows) if start is None else start
    return maximize(oracle_of(program, name), rule(name), start, Region.of(program, optimum(program)), steps)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("case", LINEAR)
def test_with_a_linear_objective_the_best_value_is_that_of_the_lp(case: tuple, name: str) -> None:
    for seed in range(4):
        program = program_of(*case, seed)
        bound, unit = relaxation(program).bound, Region.of(program).unit
        start = np.full(program.num_rows, 0.8 if case[0] == "market-split" else 0.0)  # not at the optimum
        found = run(program, name, ENOUGH[name], start)
        assert name == "augmented" or found.history[0].inner.value < bound - 0.1 * unit
        assert found.bound is not None
        assert found.bound == found.value >= bound - TOLERANCE[name] * max(abs(bound), unit)
        if name != "augmented":
            assert found.bound <= bound + 1e-9 * max(abs(bound), unit)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("case", LINEAR)
def test_the_best_value_is_there_at_once_from_the_duals_of_the_lp(case: tuple, name: str) -> None:
    program = program_of(*case)
    relaxed = relaxation(program)
    assert run(program, name, 1, relaxed.duals).value >= relaxed.bound - 1e-9 * max(1.0, abs(relaxed.bound))


@pytest.mark.parametrize("case", QUADRATIC)
def test_rules_agree_on_the_best_bound_of_quadratic_objectives(case: tuple) -> None:
    for seed in range(3):
        program = program_of(*case, seed)
        bundle, planes, ascent = (
            run(program, name, 150).value for name in ("bundle", "cutting-plane", "dual-ascent")
        )
        assert planes == pytest.approx(bundle, rel=1e-5, abs=1e-6)
        assert bundle * 0.95 - 1e-9 <= ascent <= bundle * (1 + 1e-5) + 1e-6


@pytest.mark.parametrize("case", [*LINEAR[:2], *QUADRATIC])
def test_the_augmented_lagrangian_closes_the_gap(case: tuple) -> None:
    for seed in range(3):
        program = program_of(*case, seed)
        assert run(program, "augmented", 60).bound == pytest.approx(optimum(program), rel=1e-6)


@given(st.integers(0, 10**4), st.sampled_from([*LINEAR, *QUADRATIC]), st.sampled_from(list(RULES)))
@settings(max_examples=40, deadline=None)
def test_bounds_are_below_the_optimum_and_multipliers_in_the_box(seed: int, case: tuple, name: str) -> None:
    program = program_of(*case, seed)
    region, best = Region.of(program), optimum(program)
    start = np.random.default_rng(seed).normal(size=program.num_rows) * region.units
    found = maximize(oracle_of(program, name), rule(name), start, replace(region, upper=best), 8)
    assert found.bound is not None
    assert found.bound <= best + 1e-9 * max(1.0, abs(best))
    for step in found.history:
        assert ((step.multipliers >= region.low) & (step.multipliers <= region.high)).all()


def scaled(program: BinaryProgram, factor: float, row: int, stretch: float) -> BinaryProgram:
    """Objective times a factor, and one row times another."""
    rows = np.ones(program.num_rows)
    rows[row] = stretch
    return replace(
        program,
        c=factor * program.c,
        A=sparse.csr_matrix(sparse.diags(rows) @ program.A),
        lower=rows * program.lower,
        upper=rows * program.upper,
        Q=sparse.csr_matrix(factor * program.Q),
        offset=factor * program.offset,
        shortfall=factor * program.shortfall / rows,
        surplus=factor * program.surplus / rows,
    )


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("case", [*LINEAR, QUADRATIC[0]])
@pytest.mark.parametrize(("factor", "stretch"), [(1000.0, 1.0), (1.0, 1000.0), (0.001, 0.001)])
def test_progress_does_not_depend_on_units(case: tuple, name: str, factor: float, stretch: float) -> None:
    program = program_of(*case)
    other = scaled(program, factor, 1, stretch)
    values = [step.inner.value for step in run(program, name, 8).history]
    others = [step.inner.value / factor for step in run(other, name, 8).history]
    np.testing.assert_allclose(others, values, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("noise", [0.01, 1.0])
@pytest.mark.parametrize("case", [*LINEAR, QUADRATIC[1]])
def test_noise_stops_no_rule(case: tuple, name: str, noise: float) -> None:
    program, rng = program_of(*case), np.random.default_rng(0)
    region = Region.of(program, optimum(program))
    exact = oracle_of(program, name)

    def noisy(*where: np.ndarray) -> Inner:
        inner = exact(*where)
        value = inner.value + noise * region.unit * rng.normal()
        return Inner(
            value, inner.slopes + noise * region.unit / region.units * rng.normal(size=where[0].size), False
        )

    found = maximize(noisy, rule(name), np.zeros(program.num_rows), region, 60)
    assert found.bound is None
    assert len(found.history) == 60
    for step in found.history:
        assert np.isfinite(step.multipliers).all()
        assert ((step.multipliers >= region.low) & (step.multipliers <= region.high)).all()


def test_dual_ascent_converges_under_noise() -> None:
    program, rng = program_of("multiknapsack", 12, None), np.random.default_rng(0)
    region, exact = Region.of(program), linear_oracle(program)

    def noisy(u: np.ndarray) -> Inner:
        inner = exact(u)
        return Inner(inner.value, inner.slopes + 0.1 * region.unit / region.units * rng.normal(size=u.size), False)

    found = maximize(noisy, rule("dual-ascent"), np.zeros(program.num_rows), region, 200)
    bound = relaxation(program).bound
    assert exact(found.history[-1].multipliers).value == pytest.approx(bound, rel=0.03)
    assert found.history[0].inner.value < bound - 0.2 * abs(bound)


@pytest.mark.parametrize(
    ("name", "constants"),
    [
        ("dual-ascent", {"length": 0.0}), ("dual-ascent", {"decay": 1.5}), ("polyak", {"factor": 3.0}),
        ("polyak", {"patience": 0}), ("bundle", {"length": -1.0}), ("cutting-plane", {"radius": 0.0}),
        ("augmented", {"shrink": 1.0}), ("augmented", {"growth": 0.5}),
    ],
)  # fmt: skip
def test_constants_out_of_range_are_refused(name: str, constants: dict[str, float]) -> None:
    with pytest.raises(InputError, match="expected"):
        rule(name, **constants)


def test_unknown_names_are_refused_with_those_that_are_known() -> None:
    with pytest.raises(InputError, match="bundle"):
        rule("bundel")
    with pytest.raises(InputError, match="length"):
        rule("bundle", lenght=1.0)


def test_polyak_needs_an_upper_bound() -> None:
    program = program_of(*LINEAR[0])
    with pytest.raises(InputError, match="feasible solution"):
        maximize(linear_oracle(program), rule("polyak"), np.zeros(program.num_rows), Region.of(program), 3)


@pytest.mark.parametrize("name", RULES)
def test_an_infeasible_program_ends_after_its_steps_with_a_rising_bound(name: str) -> None:
    program = replace(program_of(*LINEAR[0]), lower=np.full(5, 1e6), upper=np.full(5, np.inf))
    region = Region.of(program, 1e12)
    found = maximize(oracle_of(program, name), rule(name), np.zeros(5), region, 60)
    assert found.bound is not None
    assert found.bound > 100 * region.unit
