from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from milp.descriptor import DESCRIPTOR, describe
from milp.observation import BipartiteGraph, NodeBipartite
from policies.branching.synthetic import random_graph


def relabelled(graph: BipartiteGraph, rng: np.random.Generator) -> BipartiteGraph:
    """The same graph with columns and rows in another order."""
    columns, rows = rng.permutation(len(graph.variables)), rng.permutation(len(graph.rows))
    spans = [np.arange(graph.indptr[i], graph.indptr[i + 1]) for i in rows]
    order = np.concatenate([np.empty(0, int), *spans])
    sizes = np.diff(graph.indptr)[rows]
    return replace(
        graph,
        variables=graph.variables[columns],
        rows=graph.rows[rows],
        indptr=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
        indices=np.argsort(columns)[graph.indices[order]].astype(np.int32),
        values=graph.values[order],
    )


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 12), m=st.integers(0, 9))
def test_the_order_of_rows_and_columns_does_not_matter(seed: int, n: int, m: int) -> None:
    graph = random_graph(seed, n, m)
    found = describe(graph)
    assert found.dtype == np.float32
    assert found.shape == (len(DESCRIPTOR),)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, describe(relabelled(graph, np.random.default_rng(seed))), 1e-5, 1e-6)


def test_families_differ(programs: dict[str, Any], at_nodes: Callable[..., int]) -> None:
    found = {}
    for name in ("set cover", "auction", "facility"):

        def look(model: Any, name: str = name) -> None:
            found[name] = dict(zip(DESCRIPTOR, describe(NodeBipartite().extract(model)), strict=True))

        assert at_nodes(programs[name](), look, 1) == 1
    assert found["set cover"]["binary share"] == found["auction"]["binary share"] == 1.0
    assert found["facility"]["continuous share"] > 0.8
    # covers have left sides and packings right ones, before cuts
    assert found["set cover"]["right sides' share"] < 0.5 < found["auction"]["right sides' share"]
    assert found["auction"]["unit sides' share"] > 0.5
