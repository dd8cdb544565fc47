from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from co_gym.errors import InputError
from quantum.hamiltonians import Quadratic
from quantum.refinement import Moves, Refinement


def random_quadratic(seed: int, q: int) -> Quadratic:
    rng = np.random.default_rng(seed)
    Q = rng.integers(-4, 5, size=(q, q)) if seed % 2 else rng.normal(size=(q, q))
    return Quadratic.of(1.0, rng.normal(size=q), np.where(rng.random((q, q)) < 0.5, Q, 0))


def neighbours(bits: np.ndarray, flips: int) -> np.ndarray:
    """All bits with at most so many flips."""
    chosen = [one for size in range(1, flips + 1) for one in combinations(range(bits.size), size)]
    made = np.tile(bits, (len(chosen), 1))
    for row, one in zip(made, chosen, strict=True):
        row[list(one)] ^= 1
    return made


@pytest.mark.parametrize(("moves", "flips"), [("flip", 1), ("pair", 2)])
@given(seed=st.integers(0, 10**6), q=st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_refined_bits_are_no_worse_and_locally_optimal(moves: Moves, flips: int, seed: int, q: int) -> None:
    form = random_quadratic(seed, q)
    bits = np.random.default_rng(seed + 1).integers(0, 2, size=q).astype(np.uint8)
    given_bits = bits.copy()
    for function in (form, form.ising()):
        refined = Refinement(function, moves)(bits)
        assert form.energy(refined) <= form.energy(bits) + 1e-9
        assert form.energy(refined) <= form.energy(neighbours(refined, flips)).min() + 1e-6
    np.testing.assert_array_equal(bits, given_bits)


def test_pairs_leave_an_optimum_of_single_flips() -> None:
    # b1 or b2 alone, and b2 is the better one: from b1 there is no way by one flip.
    form = Quadratic(0.0, np.array([-1.0, -2.0]), np.array([[0, 1]]), np.array([5.0]))
    start = np.array([1, 0], dtype=np.uint8)
    assert Refinement(form)(start).tolist() == [1, 0]
    assert Refinement(form, "pair")(start).tolist() == [0, 1]


def test_without_moves_bits_stay() -> None:
    form = random_quadratic(1, 6)
    bits = np.array([1, 0, 1, 1, 0, 0], dtype=np.uint8)
    np.testing.assert_array_equal(Refinement(form, "none")(bits), bits)


def test_unknown_moves_are_refused() -> None:
    with pytest.raises(InputError, match="none, flip or pair"):
        Refinement(random_quadratic(1, 3), "swap")  # type: ignore[arg-type]
