from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from co_gym.formulation import MixedIntegerProgram
from milp.kernels import khalil
from milp.lp_interface import native_lp
from milp.observation import Khalil

AtNodes = Callable[..., int]


def statistics(numbers: list[float]) -> list[float]:
    """Mean, deviation, least, largest."""
    if not numbers:
        return [0.0] * 4
    return [float(np.mean(numbers)), float(np.std(numbers)), min(numbers), max(numbers)]


def ratio(a: float, b: float) -> float:
    return a / b if b != 0 else 0.0


Root = dict[int, list[float]]


class Entries:
    """The LP by getters: for each column its rows and coefficients."""

    def __init__(self, model: Any) -> None:
        self.rows = model.getLPRowsData()
        self.of_row = [
            {c.getLPPos(): a for c, a in zip(row.getCols(), row.getVals(), strict=True)} for row in self.rows
        ]
        sides = [(row.getLhs(), row.getRhs(), row.getConstant()) for row in self.rows]
        self.active = [
            any(model.isEQ(model.getRowLPActivity(row), side) for side in (low, high))
            for row, (low, high, _) in zip(self.rows, sides, strict=True)
        ]
        self.sides = [
            [(sign, side - c) for sign, side in ((1, high), (-1, low)) if not model.isInfinity(abs(side))]
            for low, high, c in sides
        ]

    def column(self, j: int) -> list[tuple[int, float]]:
        return [(i, row[j]) for i, row in enumerate(self.of_row) if j in row]


def reference_static(model: Any, entries: Entries) -> Root:
    found = {}
    for j, column in enumerate(model.getLPColsData()):
        objective, own = column.getObjCoeff(), entries.column(j)
        degrees = [float(len(entries.of_row[i])) for i, _ in own]
        positive, negative = [a for _, a in own if a > 0], [a for _, a in own if a < 0]
        found[j] = [
            objective, max(objective, 0.0), min(objective, 0.0), len(own), *statistics(degrees),
            len(positive), *statistics(positive), len(negative), *statistics(negative),
        ]  # fmt: skip
    return found


def reference_khalil(model: Any, root: Root, known: np.ndarray) -> list[list[float]]:
    """The 72 features of Khalil et al. 2016; `known` has the cutoffs, for which there are no getters."""
    variables, values, _, _, priority, _ = model.getLPBranchCands()
    entries, found = Entries(model), []
    candidates = {v.getCol().getLPPos() for v in variables[:priority]}
    for variable, x, learned in zip(variables[:priority], values, known, strict=False):
        j = variable.getCol().getLPPos()
        own, static = entries.column(j), root[j]
        down = model.feasFrac(x)
        up_cost = (1 - down) * model.getVarPseudocost(variable, 1)
        down_cost = down * model.getVarPseudocost(variable, 0)
        a, b = max(up_cost, 1e-5), max(down_cost, 1e-5)
        degrees = statistics([float(len(entries.of_row[i])) for i, _ in own])
        found.append(
            [
                *static, min(down, 1 - down), 1 - down, up_cost, down_cost, min(a, b) / max(a, b),
                up_cost + down_cost, up_cost * down_cost, learned[2], learned[3],
                ratio(learned[2], variable.getNBranchings(1)), ratio(learned[3], variable.getNBranchings(0)),
                *degrees, *(ratio(degrees[k], degrees[k] + static[4 + k]) for k in (0, 2, 3)),
                *side_ratios(entries, own), *coefficient_ratios(entries, own),
                *active_coefficients(entries, own, candidates),
            ]
        )  # fmt: skip
    return found


def side_ratios(entries: Entries, own: list[tuple[int, float]]) -> list[float]:
    pairs = [(sign * a, sign * side) for i, a in own for sign, side in entries.sides[i]]
    found = []
    for wanted in (True, False):
        ratios = [ratio(a, abs(a) + abs(b)) for a, b in pairs if (b >= 0) == wanted]
        found += [min([1.0, *ratios]), max([-1.0, *ratios])]
    return found


def coefficient_ratios(entries: Entries, own: list[tuple[int, float]]) -> list[float]:
    ratios: dict[tuple[int, int], list[float]] = {(s, t): [] for s in (1, -1) for t in (1, -1)}
    for i, a in own:
        s = 1 if a > 0 else -1
        for t in (1, -1):
            rest = sum(b for b in entries.of_row[i].values() if b * t > 0)
            ratios[s, t].append(a / rest if s == t else a / (a - rest))
    return [x for r in ratios.values() for x in (min([1.0, *r]), max([0.0, *r]))]


def active_coefficients(entries: Entries, own: list[tuple[int, float]], candidates: set[int]) -> list[float]:
    active, found = [(i, abs(a)) for i, a in own if entries.active[i]], []
    for kind in range(4):
        weights = []
        for i, _ in active:
            row = entries.of_row[i]
            total = sum(abs(a) for j, a in row.items() if kind == 1 or j in candidates)
            weights.append([1.0, 1 / (total or 1.0), 1 / (total or 1.0), abs(entries.rows[i].getDualsol())][kind])
        weighted = [w * a for w, (_, a) in zip(weights, active, strict=True)]
        found += [sum(weights), sum(weighted), *statistics(weighted)]
    return found


def test_khalil_is_the_papers(program: MixedIntegerProgram, at_nodes: AtNodes) -> None:
    observation, root = Khalil(), Root()

    def look(model: Any) -> None:
        lp = native_lp(model)
        root.update(root or reference_static(model, Entries(model)))
        found = observation.extract(model)
        wanted = np.array(reference_khalil(model, root, lp.statistics(lp.candidates())))
        assert found.shape == wanted.shape == (len(lp.candidates()), 72)
        for f in range(72):
            scale = 1e-6 * max(1.0, np.abs(wanted[:, f]).max())
            np.testing.assert_allclose(found[:, f], wanted[:, f], rtol=2e-6, atol=scale, err_msg=f"feature {f}")

    assert at_nodes(program, look, 4) > 0


def all_khalil(A: np.ndarray, objective: np.ndarray, dual: np.ndarray, slack: np.ndarray) -> np.ndarray:
    """The features of all columns of a dense matrix; slack 0 is tight, negative ones leave only a left side."""
    n = A.shape[1]
    indptr = np.concatenate([[0], np.cumsum((A != 0).sum(1))]).astype(np.int32)
    indices, values = np.nonzero(A)[1].astype(np.int32), A[A != 0]
    activity = A.sum(1)
    lower, upper = np.where(slack < 0, activity - 1, -np.inf), np.where(slack >= 0, activity + slack, np.inf)
    starts, rows, transposed = khalil.transpose(indptr, indices, values, n)
    sums = khalil.row_sums(indptr, values)
    static = khalil.static_features(starts, rows, transposed, indptr, objective)
    columns = np.arange(n, dtype=np.int32)
    entries = starts, rows, transposed
    weights = khalil.active_weights(columns[::2], *entries, sums, dual, activity, lower, upper, 1e-9)
    kept, is_kept = np.full((n, 19), np.nan), np.zeros(n, dtype=np.bool_)
    first, again = np.empty((2, n, 72), dtype=np.float32)
    for out in (first, again):
        khalil.candidate_features(
            columns, np.full(n, 0.3), np.ones((n, 12)), static, *entries, indptr, sums, weights, lower, upper,
            1e20, kept, is_kept, out,
        )  # fmt: skip
    assert is_kept.all()
    np.testing.assert_array_equal(first, again)  # what is kept of the columns is what was computed
    return first


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), m=st.integers(1, 8), n=st.integers(1, 8))
def test_khalil_does_not_depend_on_the_order_of_rows(seed: int, m: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    A = rng.integers(-3, 4, (m, n)) * (rng.random((m, n)) < 0.7) + 0.0
    objective, dual, slack = rng.normal(size=n), rng.normal(size=m), rng.integers(-1, 2, m) + 0.0
    order = rng.permutation(m)
    found = all_khalil(A, objective, dual, slack)
    np.testing.assert_allclose(found, all_khalil(A[order], objective, dual[order], slack[order]), 1e-5, 1e-5)
    assert np.isfinite(found).all()


def test_transposing() -> None:
    A = np.array([[0.0, 2.0, 0.0], [-1.0, 0.0, 0.0], [3.0, 4.0, 0.0]])
    indptr, indices = np.array([0, 1, 2, 4], np.int32), np.array([1, 0, 0, 1], np.int32)
    starts, rows, values = khalil.transpose(indptr, indices, A[A != 0], 3)
    np.testing.assert_array_equal(starts, [0, 2, 4, 4])
    np.testing.assert_array_equal(rows, [1, 2, 0, 2])
    np.testing.assert_array_equal(values, [-1.0, 3.0, 2.0, 4.0])


@pytest.mark.parametrize("slack", [0.0, 1.0])
def test_khalil_without_active_rows_or_entries(slack: float) -> None:
    found = all_khalil(np.array([[1.0, 0.0]]), np.ones(2), np.ones(1), np.array([slack]))
    assert found[0, 48] == (slack == 0.0)
    np.testing.assert_array_equal(found[1, 48:], 0.0)
    np.testing.assert_array_equal(found[1, 3:18], 0.0)
