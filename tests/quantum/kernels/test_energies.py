from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum.diagonals import compact, multiples
from quantum.hamiltonians import Ising, Table, state_bits
from quantum.kernels.energies import levels, table


def terms(seed: int, q: int, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Integral fields, pairs and couplings."""
    rng = np.random.default_rng(seed)
    pairs = np.array([(a, b) for a in range(q) for b in range(a + 1, q)], dtype=np.int64).reshape(-1, 2)
    return rng.integers(-most, most + 1, size=q), pairs, rng.integers(-most, most + 1, size=len(pairs))


@given(st.integers(0, 10**6), st.integers(1, 8), st.sampled_from([1, 3, 40, 1500]))
@settings(max_examples=40, deadline=None)
def test_levels_and_energies_are_those_of_the_definition(seed: int, q: int, most: int) -> None:
    fields, pairs, couplings = terms(seed, q, most)
    expected = Ising(2.5, fields, pairs, couplings).energy(state_bits(np.arange(2**q), q))
    first, second = pairs[:, 0].copy(), pairs[:, 1].copy()
    found = table(2.5, fields.astype(float), first, second, couplings.astype(float))
    np.testing.assert_allclose(found, expected, atol=1e-9)
    whole = levels(fields, first, second, couplings)
    total = int(np.abs(fields).sum() + np.abs(couplings).sum())
    assert whole.dtype == (np.uint8 if total < 256 else np.uint16)
    np.testing.assert_array_equal(2 * whole.astype(np.int64) - total + 2.5, expected)


@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(0.01, 100.0))
@settings(max_examples=40, deadline=None)
def test_compact_tables_have_the_energies_up_to_a_constant(seed: int, q: int, unit: float) -> None:
    fields, pairs, couplings = terms(seed, q, 3)
    whole = Ising(1.0, unit * fields, pairs, unit * couplings)
    broken = Ising(1.0, np.append(whole.fields[:-1], np.sqrt(2.0)), pairs, whole.couplings)
    for diagonal, kinds in ((whole, "u"), (broken, "uf"), (Table(whole.energies()), "f")):
        entries, step, centre = compact(diagonal, 64)
        assert entries.shape == (64,)
        assert entries.dtype.kind in kinds
        difference = step * (entries[: 2**q].astype(float) - centre) - diagonal.energies()
        np.testing.assert_allclose(difference, difference[0], atol=1e-9 * max(unit, 1.0))


def test_units_are_found_only_where_there_are_some() -> None:
    assert multiples(np.array([0.3, -0.2, 0.0]))[1].tolist() == [3, -2, 0]  # type: ignore[index]
    assert multiples(np.zeros(2)) is not None
    assert multiples(np.array([1.0, np.sqrt(2.0)])) is None
    assert multiples(np.array([1.0, 70000.0])) is None
    unit, counts = multiples(np.array([0.5, 1.25])) or (0.0, None)
    assert unit == pytest.approx(0.25)
    assert counts is not None
    assert counts.tolist() == [2, 5]
