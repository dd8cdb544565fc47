from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram
from milp.distributions import distribution
from milp.fixing import FREED, loosened, restricted


def program(A: list[list[float]], low: list[float], high: list[float]) -> MixedIntegerProgram:
    n = len(A[0])
    return MixedIntegerProgram(
        sense="minimize",
        c=np.ones(n),
        A=sparse.csr_matrix(np.array(A, dtype=float)),
        row_lower=np.array(low),
        row_upper=np.array(high),
        lower=np.zeros(n),
        upper=np.ones(n),
        integer=np.ones(n, dtype=bool),
    )


def test_what_no_row_forbids_stays_fixed() -> None:
    cover = program([[1, 1, 0], [0, 1, 1]], [1, 1], [np.inf, np.inf])
    fixed = np.array([True, True, True])
    assert loosened(cover, np.array([0.0, 1.0, 0.0]), fixed, np.zeros(3)).all()


def test_the_most_doubtful_are_freed_where_a_row_cannot_hold() -> None:
    size = 3 * FREED
    cover = program([[1.0] * size], [1], [np.inf])
    doubt = np.linspace(0.0, 0.1, size)
    kept = loosened(cover, np.zeros(size), np.ones(size, dtype=bool), doubt)
    assert np.flatnonzero(~kept).tolist() == list(range(size - FREED, size))


def test_only_what_can_help_is_freed() -> None:
    packing = program([[1, 1, -1, 0]], [-np.inf], [1])
    kept = loosened(packing, np.array([1.0, 1.0, 0.0, 1.0]), np.ones(4, dtype=bool), np.zeros(4))
    assert kept.tolist() == [False, False, False, True]


def test_continuous_variables_count_with_their_bounds() -> None:
    row = program([[1, -10]], [-np.inf], [0])
    kept = loosened(row, np.array([1.0, 0.0]), np.array([True, False]), np.zeros(2))
    assert kept.tolist() == [True, False]


@pytest.mark.parametrize("name", ["set-cover-tiny", "auction-tiny", "facility-tiny", "item-placement-tiny"])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_no_row_alone_is_impossible_afterwards(name: str, seed: int) -> None:
    whole, rng = distribution(name).program("train", 0), np.random.default_rng(seed)
    values = np.where(whole.binary, rng.random(whole.num_variables) < 0.5, 0.0).astype(float)
    fixed = whole.binary & (rng.random(whole.num_variables) < 0.9)
    kept = loosened(whole, values, fixed, rng.random(whole.num_variables))
    assert not (kept & ~fixed).any()
    lower, upper = np.where(kept, values, whole.lower), np.where(kept, values, whole.upper)
    positive, negative = whole.A.maximum(0.0), whole.A.minimum(0.0)
    assert (positive @ upper + negative @ lower >= whole.row_lower - 1e-5).all()
    assert (positive @ lower + negative @ upper <= whole.row_upper + 1e-5).all()


@pytest.mark.parametrize("name", ["item-placement-tiny", "facility-tiny", "generalized-independent-set-tiny"])
def test_a_restricted_program_is_the_program(name: str) -> None:
    """Values of its variables, put in place, have the same objective and the same slacks."""
    program = distribution(name).program("test", 0)
    rng = np.random.default_rng(0)
    values = np.where(
        program.integer, rng.integers(0, 2, program.num_variables), rng.random(program.num_variables)
    )
    free = rng.choice(np.flatnonzero(program.integer), 5, replace=False)
    part, columns = restricted(program, values, free)
    assert set(free.tolist()) <= set(columns.tolist())
    assert part.num_variables == 5 + np.count_nonzero(~program.integer)
    other = values.copy()
    other[columns] = np.where(program.integer[columns], 1.0 - values[columns], 0.5 * values[columns])
    assert part.evaluate(other[columns]) == pytest.approx(program.evaluate(other))
    kept = np.flatnonzero(np.diff(program.A[:, columns].indptr))
    assert part.num_rows == kept.size
    activity, whole = part.A @ other[columns], (program.A @ other)[kept]
    for found, side in ((part.row_lower, program.row_lower), (part.row_upper, program.row_upper)):
        finite = np.isfinite(side[kept])
        np.testing.assert_array_equal(np.isfinite(found), finite)
        np.testing.assert_allclose((activity - found)[finite], (whole - side[kept])[finite], atol=1e-9)
