import pytest
import torch

from co_gym.errors import InputError
from policies.branching.batch import Edges, edges_of, joined, padded, tensors
from policies.branching.convolution import HalfConvolution
from policies.branching.gcnn import GCNN
from policies.branching.hetero import from_hetero, to_hetero
from policies.branching.hybrid import Hybrid
from policies.branching.samples import batch_of
from policies.branching.statistics import Standardize, among, squash
from policies.branching.synthetic import random_graph, random_shard


@pytest.fixture
def edges():
    graph = tensors(random_graph(0, 9, 6))
    return edges_of(graph)


@pytest.mark.parametrize("to_rows", [True, False])
def test_the_kernels_are_the_messages_and_their_gradients(edges, to_rows):
    torch.manual_seed(0)
    layer = HalfConvolution(16, to_rows)
    rows, columns = torch.randn(6, 16, requires_grad=True), torch.randn(9, 16, requires_grad=True)
    weights = torch.randn(6 if to_rows else 9, 16)
    fused = layer.sums(rows, columns, edges)
    plain = layer.gathered(layer.row(rows), layer.column(columns), edges)
    assert torch.allclose(fused, plain, atol=1e-5)
    inputs = [rows, columns, layer.edge, layer.row.weight, layer.column.weight]
    left, right = (torch.autograd.grad((found * weights).sum(), inputs) for found in (fused, plain))
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(left, right, strict=True))


def test_the_last_linear_map_may_follow_the_sum(edges):
    """As in the paper: each message is mapped, then summed."""
    torch.manual_seed(0)
    layer = HalfConvolution(16, to_rows=True)
    rows, columns = torch.randn(6, 16), torch.randn(9, 16)
    i, j = edges.edge_index
    messages = (layer.row(rows)[i] + layer.column(columns)[j] + layer.edge * edges.values[:, None]).relu()
    paper = torch.zeros(6, 16).index_add(0, i, layer.last(messages))
    assert torch.allclose(layer.last(layer.sums(rows, columns, edges)), paper, atol=1e-4)


def test_empty_rows_and_columns():
    edges = Edges(
        torch.tensor([0, 0, 1], dtype=torch.int32), torch.tensor([2], dtype=torch.int32), torch.ones(1), 3
    )
    for to_rows in (True, False):
        layer = HalfConvolution(4, to_rows)
        found = layer.sums(torch.randn(2, 4), torch.randn(3, 4), edges)
        assert not found[0].any()
        assert found.isfinite().all()


def batch(nodes, seeds=(0, 1)):
    parts = []
    for seed in seeds:
        shard = random_shard(seed)
        graphs = [shard.graph(s) for s in range(4)] if nodes else [shard.root]
        groups = [[s] for s in range(4)] if nodes else [list(range(4))]
        offsets = shard.candidate_offsets
        for graph, group in zip(graphs, groups, strict=True):
            own = [
                {
                    key: torch.from_numpy(getattr(shard, key)[offsets[s] : offsets[s + 1]])
                    for key in ("candidates", "scores", "features")
                }
                for s in group
            ]
            parts.append((tensors(graph), own))
    return batch_of(parts)


def networks():
    torch.manual_seed(0)
    return [one.eval() for one in (GCNN(16), Hybrid(9, 16, 2, 8), Hybrid(9, 16, 3, 8, root=False))]


@pytest.mark.parametrize("network", networks(), ids=["gcnn", "hybrid", "perceptron"])
def test_a_batch_is_its_parts(network):
    network.fit([batch(network.needs_graph)])
    whole = network(batch(network.needs_graph))
    parts = [network(batch(network.needs_graph, [seed])) for seed in (0, 1)]
    assert torch.allclose(whole, torch.cat(parts), atol=1e-5)


@pytest.mark.parametrize("network", networks()[:2], ids=["gcnn", "hybrid"])
def test_the_order_of_columns_and_rows_does_not_matter(network):
    data = batch(network.needs_graph, [0])
    network.fit([data])
    i, j = edges_of(data).edge_index
    new_row = torch.randperm(len(data["rows"]), generator=torch.Generator().manual_seed(1))
    new_column = torch.randperm(len(data["variables"]), generator=torch.Generator().manual_seed(2))
    order = new_row[i].argsort(stable=True)
    counts = torch.zeros(len(new_row), dtype=torch.int64).index_add(0, new_row[i], torch.ones_like(i))
    other = data | {
        "rows": data["rows"][new_row.argsort()],
        "variables": data["variables"][new_column.argsort()],
        "indptr": torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)]).int(),
        "indices": new_column[j][order].int(),
        "values": data["values"][order],
        "candidates": new_column[data["candidates"]],
    }
    assert torch.allclose(network(other), network(data), atol=1e-4)


def test_features_are_standardized_and_limited():
    x = torch.tensor([[1.0, 5.0, 1e6], [3.0, 5.0, -1e6]])
    norm = Standardize(3)
    norm.fit(x)
    assert torch.allclose(norm(x), torch.tensor([[-1.0, 0.0, 1.0], [1.0, 0.0, -1.0]]))
    assert norm(torch.tensor([[1e9, 6.0, -1e30]])).tolist() == [[10.0, 1.0, -10.0]]
    assert squash(torch.tensor([-1.0, 0.0, 1.0])).tolist() == pytest.approx([-0.693147, 0.0, 0.693147])


def test_features_among_the_candidates():
    x = torch.tensor([[1.0, 7.0], [3.0, 7.0], [5.0, 7.0], [9.0, -2.0]])
    found = among(x, torch.tensor([3, 1]))
    assert torch.allclose(found[:, 0], torch.tensor([-1.2247, 0.0, 1.2247, 0.0]), atol=1e-3)
    assert not found[:, 1].any()


def test_graphs_are_joined():
    first, second = (tensors(random_graph(seed, 5, 4)) for seed in (0, 1))
    found, columns = joined([first, second])
    assert columns.tolist() == [0, 5, 10]
    assert found["indptr"].tolist() == [*first["indptr"].tolist(), *(second["indptr"][1:] + len(first["values"]))]
    assert torch.equal(found["indices"][len(first["indices"]) :], second["indices"] + 5)
    assert padded(torch.arange(3.0), torch.tensor([1, 2]), -1.0).tolist() == [[0.0, -1.0], [1.0, 2.0]]


def test_graphs_of_torch_geometric():
    from torch_geometric.data import Batch

    network = GCNN(16)
    data = batch(True, [0])
    singles = [to_hetero(batch_of([part])) for part in parts_of(random_shard(0))]
    again = from_hetero(Batch.from_data_list(singles))
    assert all(torch.equal(again[key], data[key]) for key in again if key != "features")
    assert torch.allclose(network(again), network(data), atol=1e-5)


def parts_of(shard):
    offsets = shard.candidate_offsets
    for s in range(len(shard.depth)):
        own = slice(offsets[s], offsets[s + 1])
        yield (
            tensors(shard.graph(s)),
            [{k: torch.from_numpy(getattr(shard, k)[own]) for k in ("candidates", "scores", "features")}],
        )


def test_sizes_that_are_refused():
    with pytest.raises(InputError, match="layers 0"):
        Hybrid(layers=0)
    with pytest.raises(InputError, match="width 0"):
        GCNN(width=0)
