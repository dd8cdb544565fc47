import pytest
import torch
import torch.nn.functional as F

from policies.encoders.attention import SMALL, AttentionEncoder
from policies.graph import Features, Graph, spacings


def make(**settings):
    torch.manual_seed(0)
    encoder = AttentionEncoder(16, heads=2, layers=2, feedforward=24, **settings)
    encoder.build(Features(nodes=2))
    return encoder


def cities(batch=3, n=7):
    points = torch.rand(batch, n, 2, generator=torch.Generator().manual_seed(1))
    return Graph(nodes=points, distances=torch.cdist(points, points))


SETTINGS = [
    {"normalization": kind, "pre_norm": pre, "distance_bias": bias}
    for kind in ("instance", "layer", "rms")
    for pre in (False, True)
    for bias in (False, True)
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_renaming_nodes_renames_embeddings_and_instances_are_independent(settings):
    encoder, graph, order = make(**settings), cities(), torch.randperm(7)
    out = encoder(graph)
    renamed = Graph(nodes=graph.nodes[:, order], distances=graph.distances[:, order][:, :, order])
    torch.testing.assert_close(encoder(renamed), out[:, order], rtol=1e-4, atol=1e-5)
    alone = Graph(nodes=graph.nodes[1:2], distances=graph.distances[1:2])
    torch.testing.assert_close(encoder(alone), out[1:2], rtol=1e-4, atol=1e-5)


def test_padding_changes_nothing():
    encoder, graph = make(normalization="layer", pre_norm=True), cities()
    nodes = torch.cat([graph.nodes, torch.rand(3, 4, 2)], 1)
    mask = torch.arange(11).expand(3, 11) < 7
    padded = encoder(Graph(nodes=nodes, mask=mask))
    torch.testing.assert_close(padded[:, :7], encoder(Graph(nodes=graph.nodes)), rtol=1e-4, atol=1e-5)


def test_a_layer_is_attention_and_a_feedforward_network():
    """Against torch's own multi-head attention with the same weights."""
    encoder, graph = make(normalization="none"), cities()
    layer = encoder.layers[0]
    x = encoder.embed(graph.nodes)
    mixed, _ = F.multi_head_attention_forward(
        *(x.transpose(0, 1),) * 3, 16, 2, layer.qkv.weight, None, None, None, False, 0.0,
        layer.out.weight, layer.out.bias, need_weights=False,
    )  # fmt: skip
    y = x + mixed.transpose(0, 1)
    expected = y + layer.back(layer.hidden(y).relu())
    torch.testing.assert_close(layer(x, None, None), expected, rtol=1e-4, atol=1e-5)


def test_few_and_many_nodes_take_different_ways_to_the_same_result():
    encoder, graph = make(), cities(n=SMALL)
    small = Graph(nodes=graph.nodes[:, : SMALL - 1])
    mask = torch.ones(3, SMALL - 1, dtype=torch.bool)
    torch.testing.assert_close(encoder(small), encoder(Graph(nodes=small.nodes, mask=mask)), rtol=1e-4, atol=1e-5)


def test_instance_norm_is_torchs():
    encoder = make()
    norm, x = encoder.layers[0].norms[0], torch.randn(3, 7, 16)
    expected = F.instance_norm(x.transpose(1, 2), weight=norm.weight, bias=norm.bias).transpose(1, 2)
    torch.testing.assert_close(norm(x), expected, rtol=1e-4, atol=1e-5)


def test_spacings_do_not_depend_on_the_number_of_cities():
    few, many = cities(1, 100), cities(1, 400)
    nearest = [float(spacings(g)[0].topk(2, largest=False).values[:, 1].mean()) for g in (few, many)]
    assert nearest[0] == pytest.approx(nearest[1], rel=0.15)
    assert spacings(Graph(nodes=torch.rand(1, 3, 2))) is None
