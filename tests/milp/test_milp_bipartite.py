from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pyscipopt import SCIP_PARAMSETTING, Model
from scipy import sparse

from co_gym.errors import InputError, SolverError
from co_gym.formulation import MixedIntegerProgram
from milp import native
from milp.model import build_model
from milp.observation import BipartiteGraph, MilpBipartite

PROGRAM = MixedIntegerProgram(
    sense="minimize",
    c=np.array([3.0, -4.0, 0.0]),
    A=sparse.csr_matrix([[3.0, 4.0, 0.0], [0.0, 1.0, 1.0], [2.0, 0.0, 1.0]]),
    row_lower=np.array([-np.inf, 1.0, 2.0]),
    row_upper=np.array([10.0, 3.0, 2.0]),
    lower=np.array([0.0, -2.0, -np.inf]),
    upper=np.array([1.0, 5.0, np.inf]),
    integer=np.array([True, True, False]),
)


def dense(graph: BipartiteGraph) -> np.ndarray:
    found = np.zeros((len(graph.rows), len(graph.variables)))
    found[graph.edge_rows, graph.indices] = graph.values
    return found


def test_features() -> None:
    graph = MilpBipartite().extract(build_model(PROGRAM)[0])
    assert graph.variables.dtype == graph.rows.dtype == graph.values.dtype == np.float32
    wanted = [[3, 1, 0, 0, 0, 1, 1, 0, 1], [-4, 0, 1, 0, 0, 1, 1, -2, 5], [0, 0, 0, 0, 1, 0, 0, 0, 0]]
    np.testing.assert_array_equal(graph.variables, wanted)
    np.testing.assert_array_equal(dense(graph), [[3, 4, 0], [0, -1, -1], [0, 1, 1], [-2, 0, -1], [2, 0, 1]])
    np.testing.assert_array_equal(graph.rows, [[10], [-1], [3], [-2], [2]])


def test_normalized() -> None:
    graph = MilpBipartite(normalize=True).extract(build_model(PROGRAM)[0])
    np.testing.assert_allclose(graph.variables[:, 0], np.float32([0.6, -0.8, 0.0]))
    np.testing.assert_allclose(graph.rows[:3, 0], np.float32([2, -1 / np.sqrt(2), 3 / np.sqrt(2)]))
    np.testing.assert_allclose(np.linalg.norm(dense(graph), axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("sense", ["minimize", "maximize"])
def test_the_objective_is_minimized_at_any_stage(sense: str) -> None:
    model, _ = build_model(replace(PROGRAM, sense=sense))
    before = MilpBipartite().extract(model)
    assert before.variables[0, 0] == (3.0 if sense == "minimize" else -3.0)
    model.setPresolve(SCIP_PARAMSETTING.OFF)
    model.setParam("presolving/maxrounds", 0)
    model.presolve()
    after = MilpBipartite().extract(model)
    np.testing.assert_array_equal(np.sort(after.variables[:, 0]), np.sort(before.variables[:, 0]))


def presolved() -> Model:
    """A model whose presolving leaves negated variables in set packing, knapsack and logical constraints."""
    model, rng, n = Model(), np.random.default_rng(0), 40
    model.hideOutput()
    x = [model.addVar(vtype="B", obj=float(rng.integers(1, 9)), name=f"x{j}") for j in range(n)]
    for _ in range(60):
        a, b, c, d = rng.choice(n, 4, replace=False)
        model.addCons(x[a] + (1 - x[b]) + x[c] + x[d] >= 1)
        model.addCons((1 - x[a]) + (1 - x[b]) + x[c] <= 2)
    for _ in range(3):
        model.addCons(sum(int(rng.integers(2, 9)) * v for v in x) >= 97)
    model.addCons(x[0] + x[1] == 1)
    model.addCons((2 * x[2] - 5 * x[3] + 4 * x[4] <= 4) >= -3)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    return model


def test_presolved_programs_have_the_same_solutions() -> None:
    model, solved = presolved(), presolved()
    model.presolve()
    assert {c.getConshdlrName() for c in model.getConss(True)} > {"knapsack"}
    assert any(v.getStatus() == "NEGATED" for c in model.getConss(True) for v in model.getConsVars(c))
    names = [variable.name for variable in model.getVars(True)]
    graph = MilpBipartite().extract(model)
    assert (graph.values != 0).all()
    solved.optimize()
    best = {"t_" + v.name: solved.getVal(v) for v in solved.getVars()}
    x = np.array([best[name] for name in names])
    assert (dense(graph) @ x <= graph.rows[:, 0] + 1e-5).all()
    resolved = MixedIntegerProgram(
        "minimize", graph.variables[:, 0].astype(float), sparse.csr_matrix(dense(graph)),
        np.full(len(graph.rows), -np.inf), graph.rows[:, 0].astype(float), graph.variables[:, 7].astype(float),
        graph.variables[:, 8].astype(float), graph.variables[:, 1:4].any(1),
    )  # fmt: skip
    again, _ = build_model(resolved)
    again.optimize()
    assert again.getObjVal() == pytest.approx(resolved.c @ x)


def test_presolved_programs_need_c_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise native.MissingSymbols("there is no library")

    monkeypatch.setattr(native, "library", missing)
    model = presolved()
    assert len(MilpBipartite().extract(model).variables) == 40
    model.presolve()
    with pytest.raises(SolverError, match="presolving has merged variables, and there is no library"):
        MilpBipartite().extract(model)


def test_nonlinear_constraints_are_refused() -> None:
    model = Model()
    x = model.addVar("x", ub=3)
    model.addCons(x * x <= 4, name="circle")
    with pytest.raises(InputError, match="constraint 'circle' is nonlinear: expected linear ones"):
        MilpBipartite().extract(model)


def test_after_the_solve_it_is_too_late() -> None:
    model, _ = build_model(PROGRAM)
    model.optimize()
    with pytest.raises(SolverError, match="observed before it is solved, not in stage SOLVED"):
        MilpBipartite().extract(model)


def test_no_constraints_and_empty_ones() -> None:
    model = Model()
    model.addVar("x", obj=1.0)
    graph = MilpBipartite(normalize=True).extract(model)
    assert graph.rows.shape == (0, 1)
    assert graph.indptr.tolist() == [0]
    assert graph.indices.size == graph.values.size == graph.edge_rows.size == 0
