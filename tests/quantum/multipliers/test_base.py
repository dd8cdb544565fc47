from __future__ import annotations

import json

import numpy as np
import pytest

from co_gym import registry
from co_gym.errors import InputError, SolverError
from quantum.multipliers import RULES, Inner, Region, Step, maximize, rule
from quantum.oracles import augmented_oracle, linear_oracle
from quantum.programs import BinaryProgram, binary_program


@pytest.fixture(scope="module")
def program() -> BinaryProgram:
    problem = registry.problem("multiknapsack")
    return binary_program(problem.formulate(problem.generate(12, seed=0)[0]).program)


@pytest.mark.parametrize("name", RULES)
def test_a_run_goes_on_where_it_was_interrupted(program: BinaryProgram, name: str) -> None:
    oracle = augmented_oracle(program) if name == "augmented" else linear_oracle(program)
    region, start = Region.of(program, 1e4), np.zeros(program.num_rows)
    calls: list[Step] = []
    whole = maximize(oracle, rule(name), start, region, 12, on_step=calls.append)
    assert len(calls) == len(whole.history) > 6
    saved = json.loads(json.dumps([step.as_json() for step in whole.history[:5]]))
    known, later = [Step.from_json(record) for record in saved], []
    again = maximize(oracle, rule(name), start, region, 12, known=known, on_step=later.append)
    assert len(later) == len(whole.history) - 5
    for one, other in zip(whole.history, again.history, strict=True):
        np.testing.assert_array_equal(one.multipliers, other.multipliers)
        assert one.inner.value == other.inner.value
        assert one.norm == other.norm


def test_steps_of_another_run_are_refused(program: BinaryProgram) -> None:
    oracle, region, start = linear_oracle(program), Region.of(program), np.zeros(program.num_rows)
    known = maximize(oracle, rule("bundle"), start, region, 5).history
    with pytest.raises(InputError, match="another run"):
        maximize(oracle, rule("dual-ascent"), start, region, 5, known=known)


def test_the_best_step_is_returned_and_only_exact_values_are_bounds() -> None:
    values = iter([(1.0, True), (7.0, False), (3.0, True), (2.0, False)])

    def oracle(u: np.ndarray) -> Inner:
        value, exact = next(values)
        return Inner(value, np.ones(2), exact)

    free = np.full(2, np.inf)
    region = Region(-free, free, np.ones(2))
    found = maximize(oracle, rule("dual-ascent"), np.zeros(2), region, 4)
    assert (found.value, found.bound) == (7.0, 3.0)
    np.testing.assert_array_equal(found.multipliers, found.history[1].multipliers)
    assert found.history[1].norm == pytest.approx(np.sqrt(2))


@pytest.mark.parametrize("name", RULES)
def test_it_ends_where_nothing_is_better(name: str) -> None:
    def peak(u: np.ndarray, *weights: np.ndarray) -> Inner:
        return Inner(5.0 - abs(u[0] - 0.0), -np.sign(u), True)

    region = Region(np.array([-9.0]), np.array([9.0]), np.ones(1), upper=100.0)
    assert len(maximize(peak, rule(name), np.zeros(1), region, 50).history) == 1
    reached = Region(np.array([-9.0]), np.array([9.0]), np.ones(1), upper=4.0)
    assert len(maximize(peak, rule(name), np.ones(1), reached, 50).history) == 1
    at_boundary = Region(np.array([2.0]), np.array([9.0]), np.ones(1), upper=100.0)
    assert len(maximize(peak, rule(name), np.zeros(1), at_boundary, 50).history) == 1


def test_a_program_without_rows_needs_one_step() -> None:
    region = Region(np.zeros(0), np.zeros(0), np.zeros(0))
    found = maximize(lambda u: Inner(-2.0, u, False), rule("bundle"), np.zeros(0), region, 9)
    assert (len(found.history), found.value, found.bound) == (1, -2.0, None)


def test_bad_arguments_are_refused(program: BinaryProgram) -> None:
    region, oracle = Region.of(program), linear_oracle(program)
    start = np.zeros(program.num_rows)
    with pytest.raises(InputError, match="expected"):
        maximize(oracle, rule("bundle"), np.zeros(3), region, 5)
    with pytest.raises(InputError, match="at least 1"):
        maximize(oracle, rule("bundle"), start, region, 0)
    with pytest.raises(InputError, match="weights"):
        maximize(oracle, rule("augmented"), start, region, 5)
    with pytest.raises(InputError, match="slopes"):
        maximize(lambda u: Inner(0.0, np.zeros(2), True), rule("bundle"), start, region, 5)
    with pytest.raises(SolverError, match="finite"):
        maximize(lambda u: Inner(np.nan, u, True), rule("bundle"), start, region, 5)


def test_a_region_is_checked() -> None:
    with pytest.raises(InputError, match="same"):
        Region(np.zeros(2), np.ones(3), np.ones(2))
    with pytest.raises(InputError, match="positive"):
        Region(np.zeros(2), np.ones(2), np.array([1.0, 0.0]))
    with pytest.raises(InputError, match="above"):
        Region(np.ones(2), np.zeros(2), np.ones(2))
