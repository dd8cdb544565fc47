import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from co_gym import registry
from co_gym.envs.batch import stack
from co_gym.errors import InputError
from policies.decoders.selection import SelectionDecoder
from policies.encoders.attention import AttentionEncoder
from policies.policy import ConstructivePolicy
from policies.tasks import mis
from policies.tasks.mis import MISTask


def graphs(sizes, seed, **options):
    return [registry.problem("mis").generate(n, seed=seed + i, **options)[0] for i, n in enumerate(sizes)]


def states(data, starts=3, steps=1):
    task = MISTask()
    graph, state = task.graph(data), task.environment().reset(data, num_starts=starts)
    for _ in range(steps):
        task.environment().step(state, state.action_mask.to(torch.uint8).argmax(-1))
    return graph, state, task.context(state, graph)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), n=st.integers(1, 20))
def test_features_follow_the_nodes_when_they_are_renumbered(seed, n):
    data = dict(stack(graphs([n, n], seed, max_weight=4, probability=0.3)).items())
    order = torch.from_numpy(np.random.default_rng(seed).permutation(n))
    moved = {"weights": data["weights"][:, order], "adjacency": data["adjacency"][:, order][:, :, order]}
    (graph, state, context), (other, _, _) = states(data), states(moved)
    torch.testing.assert_close(graph.nodes[:, order], other.nodes)
    state.action_mask = state.action_mask[..., order]
    again = MISTask().context(state, other)
    torch.testing.assert_close(context.dynamic[:, :, order], again.dynamic)
    torch.testing.assert_close(context.scalars, again.scalars)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), n=st.integers(1, 20), unit=st.floats(1e-3, 1e3))
def test_the_unit_of_the_weights_does_not_matter(seed, n, unit):
    data = dict(stack(graphs([n], seed, max_weight=9)).items())
    data["weights"] = data["weights"].double()
    graph, _, context = states(data)
    other, _, again = states(data | {"weights": data["weights"] * unit})
    torch.testing.assert_close(graph.nodes, other.nodes)
    torch.testing.assert_close(context.dynamic, again.dynamic)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), sizes=st.lists(st.integers(1, 12), min_size=2, max_size=3))
def test_neighbour_lists_give_the_same_features_as_a_matrix(seed, sizes):
    made = graphs(sizes, seed, probability=0.3)
    (dense, _, _), (lists, _, _) = (states(dict(stack(made, sparse=sparse).items())) for sparse in (False, True))
    assert torch.equal(dense.adjacency, lists.adjacency)
    assert torch.equal(dense.nodes, lists.nodes)


def test_padding_changes_no_decision():
    small, large = graphs([15, 25], 3)
    torch.manual_seed(0)
    encoder = AttentionEncoder(width=16, heads=2, layers=1, feedforward=16, normalization="layer")
    policy = ConstructivePolicy(MISTask(), encoder, SelectionDecoder())
    alone, padded = stack([small]), stack([small, large])
    one, two = (
        policy.rollout(policy.encode(data), lambda logits: logits.argmax(-1), num_starts=15, record=True)
        for data in (alone, padded)
    )
    for context, again in zip(one.contexts, two.contexts, strict=False):
        torch.testing.assert_close(context.scalars[0], again.scalars[0])
        torch.testing.assert_close(context.dynamic[0], again.dynamic[0, :, :15])
    assert torch.equal(one.reward[0], two.reward[0])


def test_degrees_and_losses_are_those_of_the_graph_that_is_left():
    data = dict(stack(graphs([30, 30], 1, max_weight=5)).items())
    _, state, context = states(data)
    for b in range(2):
        whole = nx.from_numpy_array(data["adjacency"][b].numpy())
        for s in range(3):
            left = whole.subgraph(np.flatnonzero(state.action_mask[b, s]).tolist())
            degree, w = dict(left.degree()), data["weights"][b].tolist()
            mean = np.mean(list(degree.values()))
            for v in left:
                loss = sum(w[u] / (degree[u] + 1) for u in left[v]) / w[v]
                expected = [degree[v] / (mean + 1), 0.5 * np.log1p(degree[v]), np.log1p(loss)]
                np.testing.assert_allclose(context.dynamic[b, s, v], expected, rtol=1e-4)
            np.testing.assert_allclose(context.scalars[b, s, 0], len(left) / 30, rtol=1e-5)


def test_clustering_is_that_of_networkx():
    (instance,) = graphs([30], 2, distribution="rb-small")
    data = dict(stack([instance]).items())
    graph = MISTask().graph(data)
    clustering = nx.clustering(nx.from_numpy_array(data["adjacency"][0].numpy()))
    np.testing.assert_allclose(graph.nodes[0, :, 5], [clustering[v] for v in range(30)], rtol=1e-5)


def test_finished_rows_and_graphs_without_edges_have_finite_features():
    data = {"weights": torch.tensor([[1, 0, 2], [0, 0, 0]]), "adjacency": torch.zeros(2, 3, 3, dtype=torch.bool)}
    data["adjacency"][0, 0, 1:] = data["adjacency"][0, 1:, 0] = True
    graph, state, context = states(data, starts=3, steps=0)
    assert state.done.any()
    assert not state.all_done
    assert graph.nodes.isfinite().all()
    assert context.dynamic.isfinite().all()
    assert context.scalars.isfinite().all()


def test_a_graph_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(mis, "MOST_NODES", 9)
    with pytest.raises(InputError, match="10 nodes: policies take graphs of up to 9"):
        MISTask().graph(dict(stack(graphs([10], 0), sparse=True).items()))
