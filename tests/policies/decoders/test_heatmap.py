import copy

import pytest
import torch

from co_gym import registry
from co_gym.envs.batch import stack
from co_gym.errors import InputError
from policies.decoders.heatmap import HeatmapDecoder
from policies.encoders.attention import AttentionEncoder
from policies.graph import Context, Features, Graph
from policies.policy import ConstructivePolicy
from policies.tasks.mis import MISTask
from policies.tasks.tsp import TSPTask

TASKS = [("tsp", TSPTask), ("mis", MISTask)]
KINDS = pytest.mark.parametrize("pairs", [True, False])


def draw(logits):
    return torch.distributions.Categorical(logits=logits).sample()


@pytest.mark.parametrize(("problem", "task"), TASKS)
@pytest.mark.parametrize("compiled", [True, False])
def test_all_steps_at_once_are_the_steps_one_by_one(problem, task, compiled):
    torch.manual_seed(1)
    data = stack(registry.problem(problem).generate(9, count=3, seed=1))
    encoder = AttentionEncoder(width=16, heads=2, layers=1, feedforward=16)
    decoder = HeatmapDecoder(hidden=3, distance_bias=True, compiled=compiled)
    policy = ConstructivePolicy(task(), encoder, decoder)
    encoding = policy.encode(data)
    seen = []

    def choose(logits):
        seen.append(logits.log_softmax(-1))
        return draw(logits)

    rollout = policy.rollout(encoding, choose, num_starts=4, record=True)
    log_prob, entropy = policy.evaluate(encoding, rollout)
    table = torch.stack(seen, 1)
    expected = table.gather(-1, torch.stack(rollout.actions, 1).unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(log_prob, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(entropy, torch.distributions.Categorical(logits=table).entropy())


def setting(pairs, clip=10.0, n=7):
    """Two decoders with the same parameters, embeddings, a graph, a context and actions."""
    torch.manual_seed(3)
    quick = HeatmapDecoder(hidden=4, clip=clip, distance_bias=True)
    quick.build(Features(nodes=2, context_nodes=2 if pairs else 0), 8)
    slow = copy.deepcopy(quick)
    slow.compiled = False
    mask = torch.rand(2, 5, n) < 0.6
    mask[..., 0] = True
    nodes = torch.randint(-1, n, (2, 5, 2 if pairs else 0))
    if pairs:
        nodes[0, :2] = -1
    points = torch.rand(2, n, 2)
    graph = Graph(nodes=points, distances=torch.cdist(points, points))
    action = mask.float().flatten(0, 1).multinomial(1).view(2, 5)
    return quick, slow, torch.randn(2, n, 8), graph, Context(mask=mask, nodes=nodes), action


@KINDS
def test_logits_are_read_from_the_heat(pairs):
    quick, slow, embeddings, graph, context, _ = setting(pairs)
    cache = quick.prepare(embeddings, graph)
    heat = quick.heat(cache)
    assert heat.shape == ((2, 7, 7) if pairs else (2, 7))
    assert heat.requires_grad
    logits = quick.logits(cache, context)
    torch.testing.assert_close(logits, slow.logits(slow.prepare(embeddings, graph), context))
    assert torch.equal(logits.isneginf(), ~context.mask)
    for b in range(2):
        for q in range(5):
            allowed = context.mask[b, q]
            if not pairs:
                torch.testing.assert_close(logits[b, q][allowed], heat[b][allowed])
            elif context.nodes[b, q, -1] >= 0:
                torch.testing.assert_close(logits[b, q][allowed], heat[b, context.nodes[b, q, -1]][allowed])


@KINDS
def test_gradients_are_those_of_automatic_differentiation(pairs):
    quick, slow, embeddings, graph, context, action = setting(pairs)
    weights = torch.randn(2, 2, 5)
    found = []
    for decoder in (quick, slow):
        leaf = embeddings.clone().requires_grad_()
        log_prob, entropy = decoder.evaluate(decoder.prepare(leaf, graph), context, action)
        (weights[0] * log_prob + weights[1] * entropy).sum().backward()
        found.append([log_prob, entropy, leaf.grad, *(p.grad for p in decoder.parameters())])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-5)


def test_distance_lowers_the_heat_of_a_pair():
    quick, _, embeddings, graph, _, _ = setting(True, clip=0.0)
    graph.distances = graph.distances.clone()
    before = quick.heat(quick.prepare(embeddings, graph))
    graph.distances[0, 1, 2] += 1.0
    change = quick.heat(quick.prepare(embeddings, graph)) - before
    torch.testing.assert_close(change[0, 1, 2], torch.tensor(-(7**0.5)), rtol=1e-4, atol=1e-5)
    assert change.count_nonzero() == 1


def test_renumbered_nodes_have_the_same_heat():
    quick, _, embeddings, graph, _, _ = setting(True)
    order = torch.tensor([3, 1, 0, 6, 5, 2, 4])
    moved = Graph(nodes=graph.nodes[:, order], distances=graph.distances[:, order][:, :, order])
    heat = quick.heat(quick.prepare(embeddings, graph))
    torch.testing.assert_close(heat[:, order][:, :, order], quick.heat(quick.prepare(embeddings[:, order], moved)))


def test_negative_options_are_refused():
    with pytest.raises(InputError, match="clip -1"):
        HeatmapDecoder(clip=-1.0)
