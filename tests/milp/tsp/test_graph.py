"""Graph kernels against networkx."""

import networkx as nx
import numpy as np
import pytest

from milp.tsp.graph import (
    adjacency,
    connected_components,
    contract,
    minimum_cut_tree,
    shrink_heavy_edges,
    subtree_members,
)


def random_graph(seed, n=14, density=0.35):
    rng = np.random.default_rng(seed)
    tails, heads = np.nonzero(np.triu(rng.random((n, n)) < density, 1))
    return n, tails, heads, rng.integers(1, 9, len(tails)) / 4.0


def as_networkx(n, tails, heads, weights):
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_weighted_edges_from(zip(tails.tolist(), heads.tolist(), weights.tolist(), strict=True))
    return graph


@pytest.mark.parametrize("seed", range(8))
def test_components_match_networkx(seed):
    n, tails, heads, weights = random_graph(seed, density=0.1)
    labels = connected_components(n, tails, heads)
    expected = {frozenset(c) for c in nx.connected_components(as_networkx(n, tails, heads, weights))}
    assert {frozenset(np.flatnonzero(labels == k).tolist()) for k in range(labels.max() + 1)} == expected


@pytest.mark.parametrize("seed", range(8))
def test_cut_tree_matches_networkx(seed):
    n, tails, heads, weights = random_graph(seed, density=0.2 + 0.05 * seed)
    parent, value = minimum_cut_tree(n, tails, heads, weights)
    members = subtree_members(parent)
    graph = as_networkx(n, tails, heads, weights)
    for v in range(1, n):
        crossing = members[v][tails] != members[v][heads]
        assert weights[crossing].sum() == pytest.approx(value[v])
        assert members[v, v]
        assert not members[v, parent[v]]
    for s in range(n):
        for t in range(s):
            separating = [value[v] for v in range(1, n) if members[v, s] != members[v, t]]
            assert min(separating) == pytest.approx(nx.maximum_flow_value(graph, s, t, capacity="weight"))


def test_cut_tree_of_isolated_nodes():
    none = np.empty(0, np.int64)
    parent, value = minimum_cut_tree(4, none, none, np.empty(0))
    assert parent[0] == 0
    assert not value.any()


def test_adjacency_lists_every_arc_at_its_tail():
    n, tails, heads, _ = random_graph(3)
    start, arcs, target = adjacency(n, tails, heads)
    for v in range(n):
        ends = sorted(target[arcs[start[v] : start[v + 1]]].tolist())
        assert ends == sorted([*heads[tails == v].tolist(), *tails[heads == v].tolist()])


def test_contract_adds_parallel_edges_and_drops_loops():
    tails, heads = np.array([0, 0, 1, 2]), np.array([1, 2, 2, 3])
    a, b, w = contract(np.array([0, 0, 1, 2]), tails, heads, np.array([1.0, 0.25, 0.5, 2.0]))
    assert list(zip(a.tolist(), b.tolist(), w.tolist(), strict=True)) == [(0, 1, 0.75), (1, 2, 2.0)]


def test_shrinking_merges_chains_and_edges_that_become_heavy():
    tails, heads = np.array([0, 1, 0, 3]), np.array([1, 2, 2, 2])
    weights = np.array([1.0, 0.5, 0.5, 0.5])
    labels = shrink_heavy_edges(4, tails, heads, weights)
    assert labels[0] == labels[1] == labels[2] != labels[3]
    one_pass = shrink_heavy_edges(4, tails, heads, weights, passes=1)
    assert one_pass[0] == one_pass[1] != one_pass[2]
