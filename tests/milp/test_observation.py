from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from co_gym.formulation import MixedIntegerProgram
from milp.lp_interface import native_lp
from milp.observation import (
    ROW_FEATURES,
    VARIABLE_FEATURES,
    BipartiteGraph,
    CandidateFeatures,
    Khalil,
    NodeBipartite,
)
from policies.branching.synthetic import random_graph

AtNodes = Callable[..., int]
BASIS = {"lower": 0, "basic": 1, "upper": 2, "zero": 3}


def reference_variables(model: Any) -> list[list[float]]:
    """The 19 features of Ecole's NodeBipartite, by getters; 0 where there is no incumbent."""
    norm = math.sqrt(sum(v.getObj() ** 2 for v in model.getVars(transformed=True))) or 1.0
    best, found = model.getBestSol(), []
    for column in model.getLPColsData():
        variable, x = column.getVar(), column.getPrimsol()
        types = ["BINARY", "INTEGER", "IMPLINT", "CONTINUOUS"]
        kind = types.index(variable.vtype())
        if variable.vtype() != "BINARY" and variable.isImpliedIntegral():
            kind = 2
        lower, upper = column.getLb(), column.getUb()
        known = model.getNSols() > 0
        found.append(
            [
                column.getObjCoeff() / norm,
                *(float(kind == t) for t in range(4)),
                float(not model.isInfinity(abs(lower))),
                float(not model.isInfinity(abs(upper))),
                model.getColRedCost(column) / norm,
                x,
                model.feasFrac(x) if kind != 3 else 0.0,
                float(model.isEQ(x, lower)),
                float(model.isEQ(x, upper)),
                column.getAge() / (model.getNLPs() + 5),
                model.getSolVal(best, variable) if known else 0.0,
                variable.getAvgSol() if known else 0.0,
                *(float(BASIS[column.getBasisStatus()] == b) for b in range(4)),
            ]
        )
    return found


def reference_rows(model: Any) -> tuple[list[list[float]], list[dict[int, float]]]:
    """The 5 features of each finite side, and the coefficients."""
    norm = math.sqrt(sum(v.getObj() ** 2 for v in model.getVars(transformed=True))) or 1.0
    features, entries = [], []
    for row in model.getLPRowsData():
        columns, values = row.getCols(), row.getVals()
        size = math.sqrt(sum(a * a for a in values))
        product = sum(a * c.getObjCoeff() for c, a in zip(columns, values, strict=True))
        for sign, side in (-1, row.getLhs()), (1, row.getRhs()):
            if model.isInfinity(abs(side)):
                continue
            features.append(
                [
                    sign * (side - row.getConstant()) / (size or 1.0),
                    sign * product / (size * norm) if size * norm > 1e-9 else 0.0,
                    float(model.isEQ(model.getRowLPActivity(row), side)),
                    sign * row.getDualsol() / ((size or 1.0) * norm),
                    row.getAge() / (model.getNLPs() + 5),
                ]
            )
            entries.append({c.getLPPos(): sign * a for c, a in zip(columns, values, strict=True)})
    return features, entries


def edges(graph: BipartiteGraph) -> list[dict[int, float]]:
    spans = [slice(*graph.indptr[i : i + 2]) for i in range(len(graph.rows))]
    return [dict(zip(graph.indices[s].tolist(), graph.values[s].tolist(), strict=True)) for s in spans]


def test_node_bipartite_is_ecoles(program: MixedIntegerProgram, at_nodes: AtNodes) -> None:
    observation = NodeBipartite()

    def look(model: Any) -> None:
        graph = observation.extract(model)
        wanted = np.array(reference_variables(model))
        for f, name in enumerate(VARIABLE_FEATURES):
            np.testing.assert_allclose(graph.variables[:, f], wanted[:, f], rtol=1e-6, atol=1e-7, err_msg=name)
        features, entries = reference_rows(model)
        for f, name in enumerate(ROW_FEATURES):
            wanted_rows = np.array(features)[:, f]
            np.testing.assert_allclose(graph.rows[:, f], wanted_rows, rtol=1e-6, atol=1e-7, err_msg=name)
        assert edges(graph) == [{j: float(np.float32(a)) for j, a in row.items()} for row in entries]

    assert at_nodes(program, look, 6, heuristics__rounding__freq=1, heuristics__shifting__freq=1) > 0


def test_candidate_features_hold_all_parts(program: MixedIntegerProgram, at_nodes: AtNodes) -> None:
    everything, of_khalil, graphs = CandidateFeatures(), Khalil(), NodeBipartite()
    bounds: list[float] = []

    def look(model: Any) -> None:
        decision, alone = everything.extract(model, with_graph=True), everything.extract(model)
        np.testing.assert_array_equal(decision.features, alone.features)
        assert alone.graph is None
        lp, graph = native_lp(model), graphs.extract(model)
        columns = lp.candidates().columns
        np.testing.assert_array_equal(decision.candidates.columns, columns)
        assert decision.features.shape == (len(columns), CandidateFeatures.size)
        np.testing.assert_array_equal(decision.features[:, :72], of_khalil.extract(model))
        np.testing.assert_array_equal(decision.features[:, 72:91], graph.variables[columns])
        learned = lp.statistics(lp.candidates())[:, 6:].astype(np.float32)
        np.testing.assert_array_equal(decision.features[:, 91:97], learned)
        np.testing.assert_array_equal(decision.features[:, 97], model.getDepth())
        bounds.append(model.getLPObjVal())
        assert (decision.features[:, 98] >= 0).all()
        assert decision.graph is not None
        np.testing.assert_array_equal(decision.graph.variables, graph.variables)
        np.testing.assert_array_equal(decision.graph.rows, graph.rows)

    assert at_nodes(program, look, 5) == len(bounds) > 0


def test_missing_incumbents_as_in_ecole(programs: dict[str, Any], at_nodes: AtNodes) -> None:
    def look(model: Any) -> None:
        graph = NodeBipartite(missing=math.nan).extract(model)
        assert np.isnan(graph.variables[:, 13:15]).all()
        assert not np.isnan(np.delete(graph.variables, [13, 14], axis=1)).any()

    assert at_nodes(programs["mixed"](), look, 1) == 1


def test_observing_does_not_load_torch() -> None:
    code = "import sys, milp.observation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_pyg_batches_of_two_graphs() -> None:
    from torch_geometric.data import Batch

    graphs = [random_graph(0, 5, 3), random_graph(1, 7, 4)]
    single = [graph.to_pyg(candidates=np.array([1, 4])) for graph in graphs]
    assert all(data.validate() for data in single)
    assert single[0]["variables"].candidates.tolist() == [False, True, False, False, True]
    assert "candidates" not in graphs[0].to_pyg()["variables"]
    joined = Batch.from_data_list(single)
    first = graphs[0].edge_index.shape[1]
    found = joined["constraints", "contain", "variables"]
    np.testing.assert_array_equal(found.edge_index[:, :first], graphs[0].edge_index)
    np.testing.assert_array_equal(found.edge_index[:, first:], graphs[1].edge_index + np.array([[3], [5]]))
    np.testing.assert_array_equal(found.edge_attr[:, 0], np.concatenate([g.values for g in graphs]))
    assert joined["variables"].candidates.nonzero()[:, 0].tolist() == [1, 4, 6, 9]
    np.testing.assert_array_equal(joined["constraints"].x, np.concatenate([g.rows for g in graphs]))


def test_tensordict() -> None:
    graph = random_graph(0, 5, 3)
    found = graph.to_tensordict()
    assert set(found.keys()) == {"variables", "rows", "edge_index", "edge_values"}
    assert tuple(found.batch_size) == ()
    np.testing.assert_array_equal(found["edge_index"], graph.edge_index)
    np.testing.assert_array_equal(found["edge_values"], graph.values)
    np.testing.assert_array_equal(found["variables"], graph.variables)
