"""What every graph network must satisfy: equivariance, independence of the batch and of padding, gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from co_gym.errors import InputError
from policies.encoders.base import Encoder
from policies.encoders.bipartite import BipartiteEncoder
from policies.encoders.gated_gcn import GatedGCNEncoder
from policies.encoders.message_passing import GATEncoder, GINEncoder
from policies.graph import Features, Graph

FEATURES = Features(nodes=3, constraints=2)
ENCODERS: dict[str, Callable[[], Encoder]] = {
    "gated": lambda: GatedGCNEncoder(width=16, layers=2, neighbours=4),
    "gated, narrow edges": lambda: GatedGCNEncoder(width=16, layers=2, neighbours=4, edge_width=4),
    "gin": lambda: GINEncoder(width=16, layers=2, walk=5),
    "gin, mean": lambda: GINEncoder(width=16, layers=2, aggregation="mean", walk=0),
    "gat": lambda: GATEncoder(width=16, heads=2, layers=2),
    "bipartite": lambda: BipartiteEncoder(width=16, layers=2),
}
sizes = st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(0, 2**16))


def random_graph(batch: int, n: int, seed: int, m: int = 3) -> Graph:
    rng = torch.Generator().manual_seed(seed)
    points = torch.rand(batch, n, 2, generator=rng)
    upper = (torch.rand(batch, n, n, generator=rng) < 0.4).triu(1)
    return Graph(
        nodes=torch.cat([points, torch.rand(batch, n, 1, generator=rng)], -1),
        distances=torch.cdist(points, points),
        adjacency=upper | upper.transpose(1, 2),
        constraints=torch.rand(batch, m, 2, generator=rng),
        weights=torch.rand(batch, m, n, generator=rng) / n,
    )


def change(graph: Graph, nodes: Callable[[Tensor, int], Tensor]) -> Graph:
    """The graph with `nodes(tensor, dim)` applied along each dimension of nodes."""

    def pairs(x: Tensor) -> Tensor:
        return nodes(nodes(x, 1), 2)

    return Graph(
        nodes=nodes(graph.nodes, 1),
        distances=pairs(graph.distances),
        adjacency=pairs(graph.adjacency),
        constraints=graph.constraints,
        weights=nodes(graph.weights, 2),
        mask=graph.mask if graph.mask is None else nodes(graph.mask, 1),
    )


@pytest.fixture(params=list(ENCODERS))
def encoder(request: pytest.FixtureRequest) -> Encoder:
    torch.manual_seed(0)
    made = ENCODERS[request.param]()
    made.build(FEATURES)
    return made


@pytest.mark.parametrize("name", list(ENCODERS))
@settings(max_examples=20)
@given(size=sizes)
def test_relabelled_nodes_have_relabelled_embeddings(name: str, size: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    encoder = ENCODERS[name]()
    encoder.build(FEATURES)
    graph = random_graph(*size)
    order = torch.randperm(size[1], generator=torch.Generator().manual_seed(size[2]))
    shuffled = change(graph, lambda x, dim: x.index_select(dim, order))
    torch.testing.assert_close(encoder(shuffled), encoder(graph)[:, order], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_an_instance_is_independent_of_its_batch_and_of_padding(encoder: Encoder, n: int, batch: int) -> None:
    graph, junk = random_graph(batch, n, 1), random_graph(batch, n + 5, 2)
    junk.constraints[:, :3] = graph.constraints

    def pad(x: Tensor, dim: int) -> Tensor:
        """Appends 5 entries that differ from zero, as those of padding may."""
        shape = list(x.shape)
        shape[dim] = 5
        filler = torch.ones(shape, dtype=x.dtype) if x.dtype == torch.bool else torch.rand(shape)
        return torch.cat([x, filler], dim)

    padded = change(graph, pad)
    padded.mask = torch.arange(n + 5).expand(batch, n + 5) < n
    padded.constraints = torch.cat([graph.constraints, torch.rand(batch, 2, 2)], 1)
    padded.weights = torch.cat([padded.weights, torch.zeros(batch, 2, n + 5)], 1)
    found, alone = encoder(padded)[:, :n], encoder(graph)
    assert alone.shape == (batch, n, encoder.width)
    torch.testing.assert_close(found, alone, atol=1e-4, rtol=1e-4)
    first = {key: None if part is None else part[:1] for key in Graph.__slots__ for part in [getattr(graph, key)]}
    torch.testing.assert_close(encoder(Graph(**first)), alone[:1], atol=1e-4, rtol=1e-4)


def test_every_parameter_has_a_gradient_and_embeddings_differ(encoder: Encoder) -> None:
    graph = random_graph(3, 9, 3)
    x = encoder(graph)
    assert x.dtype == torch.float32
    assert x.std(1).min() > 0
    (x * torch.randn(x.shape, generator=torch.Generator().manual_seed(4))).sum().backward()
    idle = [name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.abs().any()]
    assert idle == []


def test_missing_parts_are_named() -> None:
    bare = Graph(nodes=torch.rand(1, 4, 3))
    wanted = {"gated": "distances", "gin": "adjacency", "gat": "adjacency", "bipartite": "constraints"}
    for name, part in wanted.items():
        encoder = ENCODERS[name]()
        encoder.build(FEATURES)
        with pytest.raises(InputError, match=f"no {part}"):
            encoder(bare)
    with pytest.raises(InputError, match="no constraints"):
        BipartiteEncoder().build(Features(nodes=2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GatedGCNEncoder(neighbours=0), "neighbours is 0"),
        (lambda: GatedGCNEncoder(width=16, edge_width=5), "edge_width is 5"),
        (lambda: GATEncoder(width=16, heads=3), "heads is 3"),
    ],
)
def test_numbers_out_of_range(make: Callable[[], Encoder], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
