"""Edge lists, nearest neighbours and structural features against networkx, SciPy and loops."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import torch

from policies.encoders.edges import edge_list, links, nearest, neighbour_list
from policies.encoders.structure import structure
from policies.graph import Graph


def random_links(batch: int, n: int, p: float, seed: int = 0) -> torch.Tensor:
    upper = (torch.rand(batch, n, n, generator=torch.Generator().manual_seed(seed)) < p).triu(1)
    return upper | upper.transpose(1, 2)


@pytest.mark.parametrize(("n", "k"), [(8, 3), (8, 7), (4, 10), (1, 5)])
def test_nearest_neighbours(n: int, k: int) -> None:
    points = torch.rand(3, n, 2, generator=torch.Generator().manual_seed(0))
    distances = torch.cdist(points, points)
    found = nearest(Graph(nodes=points, distances=distances), k)
    assert found.valid is None
    assert found.index.shape == found.distances.shape == (3, n, min(k, n - 1))
    for b in range(3):
        for i in range(n):
            order = sorted((float(distances[b, i, j]), j) for j in range(n) if j != i)[:k]
            assert found.index[b, i].tolist() == [b * n + j for _, j in order]
            assert found.distances[b, i].tolist() == pytest.approx([d * n**0.5 for d, _ in order])
    edges = neighbour_list(found)
    assert edges.shape == (2, 3 * n * min(k, n - 1))
    assert (edges[0].div(n, rounding_mode="floor") == edges[1].div(n, rounding_mode="floor")).all()


def test_nearest_neighbours_keep_to_the_mask_and_to_the_adjacency() -> None:
    points = torch.rand(2, 9, 2, generator=torch.Generator().manual_seed(1))
    mask = torch.arange(9) < torch.tensor([[9], [4]])
    graph = Graph(
        nodes=points, distances=torch.cdist(points, points), mask=mask, adjacency=random_links(2, 9, 0.5)
    )
    found, linked = nearest(graph, 5), links(graph)
    assert found.valid is not None
    assert torch.equal(found.valid.sum(2), linked.sum(2).clamp_max(5))
    for source, target in neighbour_list(found).t().tolist():
        assert source // 9 == target // 9
        assert linked[source // 9, target % 9, source % 9]
    b, i, j = (int(x) for x in found.valid[1:].nonzero()[0])
    other = int(found.index[b + 1, i, j]) % 9
    expected = torch.dist(points[1, i], points[1, other]) * 4**0.5
    assert float(found.distances[1, i, j]) == pytest.approx(float(expected), rel=1e-5)


def test_edge_list_of_several_graphs() -> None:
    linked = random_links(3, 6, 0.4)
    wanted = {(b * 6 + i, b * 6 + j) for b in range(3) for i in range(6) for j in range(6) if linked[b, i, j]}
    edges = edge_list(linked)
    assert {(s, t) for s, t in edges.t().tolist()} == wanted
    assert edges.shape[1] == len(wanted)
    assert (edges[1].diff() >= 0).all()
    assert edge_list(torch.zeros(2, 3, 3, dtype=torch.bool)).shape == (2, 0)


@pytest.mark.parametrize("walk", [0, 1, 2, 7])
def test_structure_against_powers_of_the_walk(walk: int) -> None:
    linked = random_links(4, 10, 0.3, seed=2)
    found = structure(linked, walk)
    assert found.shape == (4, 10, 2 + max(walk - 1, 0))
    for b in range(4):
        graph = nx.from_numpy_array(linked[b].numpy())
        degree = np.array([graph.degree(i) for i in range(10)], dtype=float)
        mean = degree[degree > 0].mean()
        matrix = linked[b].numpy() / np.maximum(degree, 1)[:, None]
        powers = [np.diag(np.linalg.matrix_power(matrix, t)) * mean for t in range(2, walk + 1)]
        wanted = np.stack([np.log1p(degree), degree / mean, *powers], -1)
        np.testing.assert_allclose(found[b].numpy(), wanted, atol=1e-5)
