from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import co_gym
from co_gym.problems.mis import MIS
from milp.distributions.graphs import barabasi_albert, clique_partition, clique_rows, erdos_renyi
from milp.distributions.independent_set import (
    generalized_independent_set,
    independent_set,
    independent_set_erdos_renyi,
    vertex_cover,
)


def test_barabasi_albert_graph() -> None:
    edges = barabasi_albert(np.random.default_rng(0), 500, 4)
    assert edges.shape == (4 * 496, 2)
    assert (edges[:, 0] < edges[:, 1]).all()
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert edges[:4].tolist() == [[0, 4], [1, 4], [2, 4], [3, 4]]
    assert (np.bincount(edges[:, 1])[4:] == 4).all()
    degrees = np.bincount(edges.ravel())
    assert degrees[:50].mean() > 4 * degrees[-50:].mean()  # the rich get richer


def test_new_nodes_attach_in_proportion_to_degree() -> None:
    ends = np.concatenate([barabasi_albert(np.random.default_rng(i), 4, 1)[-1:, 0] for i in range(4000)])
    path = np.bincount(ends, minlength=3) / len(ends)  # 0-1, then 2 at either end, then 3: the middle has half
    assert path[:2].sum() == pytest.approx(0.75, abs=0.03)
    assert path[2] == pytest.approx(0.25, abs=0.03)


def test_erdos_renyi_graph() -> None:
    edges = erdos_renyi(np.random.default_rng(0), 200, 0.3)
    assert (edges[:, 0] < edges[:, 1]).all()
    assert len(edges) == pytest.approx(0.3 * 199 * 100, rel=0.05)


def test_clique_partition_by_hand() -> None:
    triangle_with_a_tail = np.array([[0, 1], [0, 2], [1, 2], [2, 3]])
    assert clique_partition(triangle_with_a_tail, 5) == [[2, 0, 1], [3], [4]]
    assert clique_rows(triangle_with_a_tail, 5).toarray().tolist() == [[1, 1, 1, 0, 0], [0, 0, 1, 1, 0]]


@pytest.mark.parametrize("seed", range(5))
def test_clique_rows_are_the_edges(seed: int) -> None:
    edges = erdos_renyi(np.random.default_rng(seed), 30, 0.4)
    cliques = clique_partition(edges, 30)
    assert sorted(node for clique in cliques for node in clique) == list(range(30))
    A = clique_rows(edges, 30)
    shared = (A.T @ A).toarray()
    expected = np.zeros((30, 30))
    expected[edges[:, 0], edges[:, 1]] = 1
    assert (np.triu(shared, k=1) == expected).all()
    assert A.shape[0] < len(edges)


@pytest.mark.parametrize("model", ["barabasi-albert", "erdos-renyi"])
def test_optimum_is_that_of_the_problem(model: str, optimum: Callable) -> None:
    if model == "erdos-renyi":
        edges = erdos_renyi(np.random.default_rng(7), 40, 0.2)
        program = independent_set_erdos_renyi(np.random.default_rng(7), 40, 0.2)
    else:
        edges = barabasi_albert(np.random.default_rng(7), 60, 4)
        program = independent_set(np.random.default_rng(7), 60, 4)
    instance = MIS().instance({"edges": edges, "weights": np.ones(program.num_variables)})
    value, x = optimum(program)
    assert value == co_gym.solve(instance, "scip").objective
    assert MIS().violations(instance, np.round(x).astype(np.int64)) == []


def test_covers_complement_independent_sets(optimum: Callable) -> None:
    program = vertex_cover(np.random.default_rng(2), 50, 5)
    assert ((program.c >= 0) & (program.c < 1)).all()
    assert (program.A.sum(axis=1) == 2).all()
    complement = replace(
        program,
        sense="maximize",
        row_lower=np.full(program.num_rows, -np.inf),
        row_upper=np.ones(program.num_rows),
    )
    assert optimum(program)[0] + optimum(complement)[0] == pytest.approx(program.c.sum())


@pytest.mark.parametrize("seed", range(3))
def test_generalized_independent_set_by_enumeration(seed: int, optimum: Callable) -> None:
    nodes, revenue, cost = 9, 5.0, 2.0
    program = generalized_independent_set(np.random.default_rng(seed), nodes, 0.6, 0.7, revenue, cost)
    A = program.A.toarray()
    ends = np.argwhere(A[:, :nodes] == 1)[:, 1].reshape(-1, 2)
    removable = (A[:, nodes:] == -1).any(axis=1)
    best = -np.inf
    for chosen in itertools.product([0, 1], repeat=nodes):
        inside = np.array(chosen)[ends].all(axis=1)
        if not inside[~removable].any():
            best = max(best, revenue * sum(chosen) - cost * inside[removable].sum())
    assert optimum(program)[0] == pytest.approx(best)


def test_generalized_independent_set_shape() -> None:
    program = generalized_independent_set(np.random.default_rng(0), 75, 0.5)
    removable = program.num_variables - 75
    assert program.num_rows == pytest.approx(0.5 * 75 * 37, rel=0.1)
    assert removable / program.num_rows == pytest.approx(0.75, abs=0.05)
    assert program.c.tolist() == [100.0] * 75 + [-1.0] * removable
