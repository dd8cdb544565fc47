from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from co_gym import registry
from quantum.instances import subject
from quantum.programs import BinaryProgram
from quantum.repair import Repair

CASES = [
    ("multiknapsack", 9, {"num_constraints": 3}), ("mis", 9, {}), ("qap", 3, {}), ("tsp", 4, {}),
    ("market-split", 8, {"num_constraints": 2}),
]  # fmt: skip


def made(problem: str, size: int, seed: int, **options: int) -> BinaryProgram:
    return subject(registry.problem(problem).generate(size, seed=seed, **options)[0]).program


def neighbours(x: np.ndarray, flips: int) -> np.ndarray:
    """All strings with one to so many flips."""
    chosen = [one for size in range(1, flips + 1) for one in combinations(range(x.size), size)]
    found = np.tile(x, (len(chosen), 1))
    for line, one in zip(found, chosen, strict=True):
        line[list(one)] ^= 1
    return found


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize(("problem", "size", "options"), CASES)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_what_is_made_is_feasible_and_locally_optimal(
    problem: str, size: int, options: dict, pairs: bool, seed: int
) -> None:
    program = made(problem, size, seed % 7, **options)
    x = np.random.default_rng(seed).integers(0, 2, size=program.num_variables).astype(np.uint8)
    given_x = x.copy()
    found = Repair(program, pairs)(x)
    np.testing.assert_array_equal(x, given_x)
    if found is None:
        assert not program.feasible(x)
        return
    assert program.feasible(found)
    near = neighbours(found, 2 if pairs else 1)
    allowed = program.feasible(near)
    assert np.all(program.evaluate(near[allowed]) >= program.evaluate(found) - 1e-6)
    if program.feasible(x):
        assert program.evaluate(found) <= program.evaluate(x) + 1e-9


def test_flips_lessen_the_violation_at_the_least_loss() -> None:
    """Weights 4, 4, 2 within 6: of the two that mend alone, the item of less profit goes."""
    data = {"profits": np.array([9, 5, 4]), "weights": np.array([[4, 4, 2]]), "capacities": np.array([6])}
    program = subject(registry.problem("multiknapsack").instance(data)).program
    assert Repair(program)(np.array([1, 1, 1], dtype=np.uint8)) == pytest.approx([1, 0, 1])


def test_what_still_fits_is_added_and_pairs_exchange() -> None:
    data = {"profits": np.array([2, 3, 1]), "weights": np.array([[3, 3, 1]]), "capacities": np.array([4])}
    program = subject(registry.problem("multiknapsack").instance(data)).program
    start = np.array([1, 0, 0], dtype=np.uint8)
    assert Repair(program)(start) == pytest.approx([1, 0, 1])
    assert Repair(program, pairs=True)(start) == pytest.approx([0, 1, 1])


def test_a_string_that_flips_do_not_mend() -> None:
    program = made("tsp", 5, 0)
    rng = np.random.default_rng(0)
    found = [Repair(program)(x) for x in rng.integers(0, 2, size=(20, program.num_variables))]
    assert any(one is None for one in found)
