"""The layers of graph networks against loops over nodes and edges and against torch-geometric."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch_geometric.nn import GINConv

from policies.decoders.pointer import PointerDecoder
from policies.encoders.bipartite import BipartiteEncoder, averages
from policies.encoders.edges import edge_list, nearest
from policies.encoders.gated_gcn import GatedGCNEncoder, GatedLayer
from policies.encoders.message_passing import GINEncoder, gather_dense, gather_sparse
from policies.graph import Features, Graph
from policies.policy import ConstructivePolicy
from policies.tasks.tsp import TSPTask


def points(batch: int, n: int, seed: int = 0) -> Graph:
    x = torch.rand(batch, n, 2, generator=torch.Generator().manual_seed(seed))
    return Graph(nodes=x, distances=torch.cdist(x, x))


@pytest.mark.parametrize("edge_width", [8, 2])
@pytest.mark.parametrize("masked", [False, True])
def test_gated_layer_against_loops(edge_width: int, masked: bool) -> None:
    torch.manual_seed(0)
    graph = points(2, 6)
    if masked:
        graph.mask = torch.arange(6) < torch.tensor([[6], [3]])
    near, layer = nearest(graph, 4), GatedLayer(8, edge_width, "layer")
    x, e = torch.randn(2, 6, 8), torch.randn(2, 6, near.index.shape[2], edge_width)
    found_x, found_e = layer(x, e, near)
    own, here, there, value = layer.nodes(x.view(12, 8)).split((8, edge_width, edge_width, 8), -1)
    for b in range(2):
        for i in range(3 if masked else 6):
            total, gates = torch.zeros(8), torch.zeros(8)
            for j, row in enumerate(near.index[b, i].tolist()):
                mixed = layer.edges(e[b, i, j]) + here[6 * b + i] + there[row]
                new = e[b, i, j] + layer.edge_norm(mixed).relu()
                torch.testing.assert_close(found_e[b, i, j], new, atol=1e-5, rtol=1e-5)
                if near.valid is None or near.valid[b, i, j]:
                    gate = new.sigmoid().repeat(8 // edge_width)
                    total, gates = total + gate * value[row], gates + gate
            wanted = x[b, i] + layer.node_norm(own[6 * b + i] + total / (gates + 1e-6)).relu()
            torch.testing.assert_close(found_x[b, i], wanted, atol=1e-4, rtol=1e-4)


def test_lengths_are_in_units_of_the_spacing() -> None:
    """What is seen of a tour's edges does not depend on how many equal cities lie around."""
    few, many = points(1, 50), points(1, 800)
    ratio = nearest(few, 5).distances.mean() / nearest(many, 5).distances.mean()
    assert 0.85 < float(ratio) < 1.3


@pytest.mark.parametrize("p", [0.0, 0.1, 0.7])
def test_sums_over_neighbours_agree_with_torch_geometric(p: float) -> None:
    rng = torch.Generator().manual_seed(0)
    upper = (torch.rand(3, 11, 11, generator=rng) < p).triu(1)
    linked, x = upper | upper.transpose(1, 2), torch.randn(3, 11, 5, generator=rng)
    conv = GINConv(torch.nn.Identity())
    wanted = conv(x.flatten(0, 1), edge_list(linked)).view_as(x) - x
    torch.testing.assert_close(gather_dense(linked)(x), wanted, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gather_sparse(linked)(x), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("chords", [0, 1500])
def test_mean_over_neighbours_for_sparse_and_dense_graphs(chords: int) -> None:
    """A path of 300 nodes is summed by edge list, with many chords as a matrix."""
    linked = torch.zeros(1, 300, 300, dtype=torch.bool)
    ends = torch.randint(300, (2, chords), generator=torch.Generator().manual_seed(0))
    u, v = torch.cat([torch.stack([torch.arange(299), torch.arange(1, 300)]), ends], 1)
    linked[0, u, v] = linked[0, v, u] = True
    linked[0].fill_diagonal_(False)
    x = torch.randn(1, 300, 4)
    wanted = torch.stack([x[0, linked[0, i]].mean(0) for i in range(300)])
    torch.testing.assert_close(GINEncoder(aggregation="mean").edges(linked)(x)[0], wanted, atol=1e-5, rtol=1e-5)


def test_means_over_items_and_constraints_against_loops() -> None:
    rng = torch.Generator().manual_seed(0)
    weights = torch.rand(2, 4, 6, generator=rng)
    weights[1, 2:] = 0.0
    mask = torch.arange(6) < torch.tensor([[6], [4]])
    graph = Graph(nodes=torch.rand(2, 6, 1), constraints=torch.rand(2, 4, 1), weights=weights, mask=mask)
    x, c = torch.randn(2, 6, 3, generator=rng), torch.randn(2, 4, 3, generator=rng)
    down, down_weighted, up, up_weighted = averages(graph)
    for b, (n, m) in enumerate([(6, 4), (4, 2)]):
        share = weights[b, :m, :n] * n
        torch.testing.assert_close((down @ x)[b, 0], x[b, :n].mean(0))
        torch.testing.assert_close((up @ c)[b, 0], c[b, :m].mean(0))
        for i in range(m):
            wanted = sum((share[i, j] * x[b, j] for j in range(n)), torch.zeros(3)) / n
            torch.testing.assert_close((down_weighted @ x)[b, i], wanted)
        for j in range(n):
            wanted = sum((share[i, j] * c[b, i] for i in range(m)), torch.zeros(3)) / m
            torch.testing.assert_close((up_weighted @ c)[b, j], wanted)


def test_the_order_of_constraints_does_not_matter() -> None:
    torch.manual_seed(0)
    encoder = BipartiteEncoder(width=16)
    encoder.build(Features(nodes=2, constraints=3))
    nodes, constraints, weights = torch.rand(2, 7, 2), torch.rand(2, 5, 3), torch.rand(2, 5, 7)
    order = torch.tensor([3, 1, 4, 0, 2])
    first = encoder(Graph(nodes=nodes, constraints=constraints, weights=weights))
    second = encoder(Graph(nodes=nodes, constraints=constraints[:, order], weights=weights[:, order]))
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-5)


def test_a_tour_policy_on_gated_convolutions_learns() -> None:
    """A few steps of REINFORCE make the tours of a fixed batch shorter than those of the untrained policy."""
    torch.manual_seed(0)
    encoder = GatedGCNEncoder(width=32, layers=2, neighbours=5, edge_width=8)
    policy = ConstructivePolicy(TSPTask(), encoder, PointerDecoder(heads=2))
    adam = torch.optim.Adam(policy.parameters(), 3e-3)
    data = {"coordinates": points(8, 10).nodes}

    def sample(logits: Tensor) -> Tensor:
        return torch.distributions.Categorical(logits=logits).sample()

    lengths = []
    for _ in range(40):
        encoding = policy.encode(data)
        rollout = policy.rollout(encoding, sample, num_starts=10, record=True)
        log_prob, _ = policy.evaluate(encoding, rollout)
        advantage = rollout.reward - rollout.reward.mean(1, keepdim=True)
        adam.zero_grad()
        (-(advantage * log_prob.sum(1)).mean()).backward()
        adam.step()
        lengths.append(-float(rollout.reward.mean()))
    assert sum(lengths[-5:]) / 5 < 0.8 * lengths[0]
