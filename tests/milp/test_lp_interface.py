from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pyscipopt import SCIP_BRANCHDIR

from co_gym.errors import SolverError
from co_gym.formulation import MixedIntegerProgram
from milp import lp_interface, native
from milp.kernels import reading
from milp.lp_interface import GetterLP, Matrix, NativeLP, native_lp, open_lp
from milp.observation import CandidateFeatures, Khalil, NodeBipartite, Pseudocosts

AtNodes = Callable[..., int]


def dense(matrix: Matrix) -> np.ndarray:
    found = np.zeros((matrix.num_rows, matrix.num_columns))
    rows = np.repeat(np.arange(matrix.num_rows), np.diff(matrix.indptr))
    np.add.at(found, (rows, matrix.indices), matrix.values)
    return found


def assert_same_lp(fast: NativeLP, slow: GetterLP) -> None:
    a, b = fast.matrix(), slow.matrix()
    np.testing.assert_array_equal(a.indptr, b.indptr)
    np.testing.assert_array_equal(dense(a), dense(b))
    for name in ("constants", "objective", "types"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    v, w = fast.values(), slow.values()
    for field in fields(v):
        x, y = getattr(v, field.name), getattr(w, field.name)
        if field.name in ("activity", "row_lower", "row_upper"):  # with and without the rows' constants
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-9, err_msg=field.name)
        else:
            np.testing.assert_array_equal(x, y, err_msg=field.name)
    for x, y in zip(fast.ages(), slow.ages(), strict=True):
        np.testing.assert_array_equal(x, y)
    assert fast.scalars().objective_norm == pytest.approx(slow.scalars().objective_norm)
    np.testing.assert_array_equal(fast.candidates().columns, slow.candidates().columns)
    np.testing.assert_array_equal(fast.candidates().values, slow.candidates().values)
    x, y = fast.incumbent(), slow.incumbent()
    assert (x is None) == (y is None)
    if x is not None and y is not None:
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("presolve", [0, -1])
def test_same_as_the_getters(program: MixedIntegerProgram, at_nodes: AtNodes, presolve: int) -> None:
    found: list[tuple[NativeLP, GetterLP]] = []
    rows: set[int] = set()

    def look(model: Any) -> None:
        if not found:
            found.append((NativeLP(model), GetterLP(model)))
        assert_same_lp(*found[0])
        rows.add(found[0][0].matrix().num_rows)

    at_nodes(program, look, 25, presolving__maxrounds=presolve)


def test_with_incumbents(programs: dict[str, Any], at_nodes: AtNodes) -> None:
    incumbents = []

    def look(model: Any) -> None:
        fast, slow = NativeLP(model), GetterLP(model)
        assert_same_lp(fast, slow)
        incumbents.append(fast.incumbent())

    at_nodes(programs["lseu"](), look, 40, heuristics__rounding__freq=1, heuristics__simplerounding__freq=1,
             heuristics__shifting__freq=1)  # fmt: skip
    assert any(pair is not None for pair in incumbents)


def test_missing_bounds_are_infinite(programs: dict[str, Any], at_nodes: AtNodes) -> None:
    program = programs["mixed"]()

    def look(model: Any) -> None:
        for lp in (NativeLP(model), GetterLP(model)):
            values = lp.values()
            assert np.isinf(values.lower).sum() == np.isinf(program.lower).sum() == 3
            assert np.isinf(values.upper).sum() == np.isinf(program.upper).sum() == 4
            sides = np.array([values.row_lower, values.row_upper])
            assert np.isneginf(sides[0]).any()
            assert np.isposinf(sides[1]).any()
            assert np.abs(sides[np.isfinite(sides)]).max() < 1e6

    assert at_nodes(program, look, 1, propagating__maxrounds=0, propagating__maxroundsroot=0) == 1


def test_the_matrix_stays_until_rows_change(programs: dict[str, Any], at_nodes: AtNodes) -> None:
    seen: list[tuple[Matrix, np.ndarray]] = []
    lps: list[NativeLP] = []

    def look(model: Any) -> None:
        lps[:] = lps or [NativeLP(model)]
        matrix = lps[0].matrix()
        assert lps[0].matrix() is matrix
        seen.append((matrix, dense(NativeLP(model).matrix())))

    at_nodes(programs["lseu"](), look, 60)
    matrices = [matrix for matrix, _ in seen]
    kept = sum(a is b for a, b in pairwise(matrices))
    assert 0 < kept < len(seen) - 1
    for matrix, fresh in seen:
        np.testing.assert_array_equal(dense(matrix), fresh)
    versions = [matrix.version for matrix in matrices]
    assert versions == sorted(versions)
    assert versions[-1] == len({id(matrix) for matrix in matrices}) - 1


def test_a_swap_of_rows_is_seen(programs: dict[str, Any], at_nodes: AtNodes) -> None:
    def look(model: Any) -> None:
        lp, getters = NativeLP(model), NodeBipartite()
        getters.bind(lp)
        before = lp.matrix()
        graph = getters.extract(model)
        lp._row_indices[:2] = lp._row_indices[1::-1].copy()  # as if the LP had held them in the other order
        after = lp.matrix()
        assert after is not before
        assert after.version == before.version + 1
        np.testing.assert_array_equal(dense(after), dense(before))
        again = getters.extract(model)
        assert again.matrix is after
        assert again.indices is not graph.indices
        assert getters.extract(model).indices is again.indices

    assert at_nodes(programs["set cover"](), look, 1) == 1


def test_variable_pointers_are_those_of_the_candidates(programs: dict[str, Any], at_nodes: AtNodes) -> None:
    def look(model: Any) -> None:
        lp = native_lp(model)
        candidates = lp.candidates()
        np.testing.assert_array_equal(lp.variable_pointers()[candidates.columns], candidates.pointers)

    assert at_nodes(programs["auction"](), look, 2)


def test_pseudocost_scores_are_scips(programs: dict[str, Any], at_nodes: AtNodes) -> None:
    def look(model: Any) -> None:
        lp, (variables, values, *_) = native_lp(model), model.getLPBranchCands()
        candidates = lp.candidates()
        wanted = [model.getVarPseudocostScore(v, x) for v, x in zip(variables, values, strict=True)]
        np.testing.assert_array_equal(lp.pseudocost_scores(candidates), wanted)
        np.testing.assert_array_equal(Pseudocosts().extract(model), wanted)
        known = lp.statistics(candidates)
        assert known.shape == (len(candidates), reading.NUM_STATISTICS)
        np.testing.assert_array_equal(known[:, 6], wanted)
        for direction, at in (SCIP_BRANCHDIR.UPWARDS, 4), (SCIP_BRANCHDIR.DOWNWARDS, 5):
            np.testing.assert_array_equal(known[:, at], [v.getNBranchings(direction) for v in variables])
            costs = [model.getVarPseudocost(v, direction) for v in variables]
            np.testing.assert_array_equal(known[:, at - 4], costs)

    at_nodes(programs["flugpl"](), look, 20)


def missing() -> None:
    raise native.MissingSymbols("this library lacks SCIPgetLPI")


@pytest.fixture
def no_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "library", missing)
    monkeypatch.setattr(lp_interface, "_warned", set())


@pytest.mark.usefixtures("no_functions")
def test_without_c_functions_there_is_one_warning(programs: dict[str, Any], at_nodes: AtNodes) -> None:
    def look(model: Any) -> None:
        with pytest.warns(RuntimeWarning, match="PySCIPOpt's getters are used, which are slower"):
            assert isinstance(open_lp(model), GetterLP)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert isinstance(open_lp(model), GetterLP)

    assert at_nodes(programs["auction"](), look, 1) == 1


def test_without_c_functions_the_graph_is_the_same(
    program: MixedIntegerProgram, at_nodes: AtNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast, slow = NodeBipartite(), NodeBipartite()

    def look(model: Any) -> None:
        if slow._lp is None:
            with monkeypatch.context() as patch, warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                patch.setattr(native, "library", missing)
                slow.reset(model)
            assert isinstance(slow._lp, GetterLP)
        a, b = fast.extract(model), slow.extract(model)
        np.testing.assert_array_equal(a.indptr, b.indptr)
        np.testing.assert_allclose(a.variables, b.variables, rtol=2e-6)
        np.testing.assert_allclose(a.rows, b.rows, rtol=2e-6, atol=1e-7)
        for i in range(len(a.rows)):
            span = slice(*a.indptr[i : i + 2])
            assert sorted(zip(a.indices[span], a.values[span], strict=True)) == sorted(
                zip(b.indices[span], b.values[span], strict=True)
            )

    at_nodes(program, look, 5)


@pytest.mark.usefixtures("no_functions")
@pytest.mark.parametrize("observation", [Khalil, CandidateFeatures, Pseudocosts])
def test_without_c_functions_candidates_have_no_features(
    programs: dict[str, Any], at_nodes: AtNodes, observation: type
) -> None:
    with pytest.raises(SolverError, match="this needs SCIP's C functions: this library lacks SCIPgetLPI"):
        at_nodes(programs["auction"](), lambda model: observation().extract(model), 1)
