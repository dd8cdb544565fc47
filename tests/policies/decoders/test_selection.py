import copy
from dataclasses import replace

import pytest
import torch

from co_gym import registry
from co_gym.envs.batch import stack
from co_gym.errors import InputError
from policies.decoders.selection import SelectionDecoder
from policies.encoders.attention import AttentionEncoder
from policies.graph import Context, Features, Graph
from policies.policy import ConstructivePolicy
from policies.tasks.knapsack import KnapsackTask, MultiKnapsackTask
from policies.tasks.mis import MISTask

TASKS = [("knapsack", KnapsackTask), ("multiknapsack", MultiKnapsackTask), ("mis", MISTask)]


SETTINGS = pytest.mark.parametrize(
    ("dynamic", "scalars", "hidden", "clip"), [(3, 2, 4, 10.0), (1, 3, 16, 0.0), (0, 2, 3, 2.0), (2, 0, 0, 10.0)]
)


def draw(logits):
    return torch.distributions.Categorical(logits=logits).sample()


@pytest.mark.parametrize(("problem", "task"), TASKS)
@pytest.mark.parametrize(("compiled", "anew"), [(True, False), (True, True), (False, False)])
def test_all_steps_at_once_are_the_steps_one_by_one(problem, task, compiled, anew):
    torch.manual_seed(1)
    data = stack(registry.problem(problem).generate(12, count=3, seed=1))
    encoder = AttentionEncoder(width=16, heads=2, layers=1, feedforward=16)
    policy = ConstructivePolicy(task(), encoder, SelectionDecoder(hidden=5, compiled=compiled))
    encoding = policy.encode(data)
    seen = []

    def choose(logits):
        seen.append(logits.log_softmax(-1))
        return draw(logits)

    rollout = policy.rollout(encoding, choose, num_starts=4, record=True)
    log_prob, entropy = policy.evaluate(encoding, replace(rollout, encoding=None) if anew else rollout)
    table = torch.stack(seen, 1)
    expected = table.gather(-1, torch.stack(rollout.actions, 1).unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(log_prob, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(entropy, torch.distributions.Categorical(logits=table).entropy())


def setting(dynamic, scalars, hidden, clip, n=11):
    """Two decoders with the same parameters, embeddings, a graph, a context and actions."""
    torch.manual_seed(2)
    features = Features(nodes=3, scalars=scalars, dynamic=dynamic)
    quick = SelectionDecoder(hidden=hidden, clip=clip)
    quick.build(features, 8)
    slow = copy.deepcopy(quick)
    slow.compiled = False
    mask = torch.rand(2, 5, n) < 0.6
    mask[..., 0] = True
    mask[0, 0, 1:] = False
    context = Context(
        mask=mask,
        nodes=torch.empty(2, 5, 0, dtype=torch.long),
        scalars=torch.randn(2, 5, scalars) if scalars else None,
        dynamic=torch.randn(2, 5, n, dynamic) if dynamic else None,
    )
    graph = Graph(nodes=torch.randn(2, n, 3))
    return quick, slow, torch.randn(2, n, 8), graph, context, mask.float().flatten(0, 1).multinomial(1).view(2, 5)


@SETTINGS
def test_compiled_kernels_do_what_plain_operations_do(dynamic, scalars, hidden, clip):
    quick, slow, embeddings, graph, context, _ = setting(dynamic, scalars, hidden, clip)
    found, expected = (decoder.logits(decoder.prepare(embeddings, graph), context) for decoder in (quick, slow))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(found.isneginf(), ~context.mask)


@SETTINGS
def test_gradients_are_those_of_automatic_differentiation(dynamic, scalars, hidden, clip):
    quick, slow, embeddings, graph, context, action = setting(dynamic, scalars, hidden, clip)
    weights = torch.randn(2, 2, 5)
    found = []
    for decoder in (quick, slow):
        leaf = embeddings.clone().requires_grad_()
        log_prob, entropy = decoder.evaluate(decoder.prepare(leaf, graph), context, action)
        (weights[0] * log_prob + weights[1] * entropy).sum().backward()
        found.append([log_prob, entropy, leaf.grad, *(p.grad for p in decoder.parameters())])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-5)


def test_the_rating_is_a_sum_that_can_be_written_down():
    _, decoder, embeddings, graph, context, _ = setting(2, 1, 3, 0.0)
    row, unit = decoder.coefficients(torch.cat([embeddings, graph.nodes], -1))[1, 4], decoder.units
    x, s = context.dynamic[1, 2, 4], context.scalars[1, 2]
    entering = [row[4 + h] + unit[h, :2] @ x + unit[h, 2] * s[0] for h in range(3)]
    expected = row[0] + row[1:3] @ x + row[3] * s[0] + sum(row[7 + h] * entering[h].relu() for h in range(3))
    context.mask[1, 2, 4] = True
    found = decoder.logits(decoder.prepare(embeddings, graph), context)[1, 2, 4]
    torch.testing.assert_close(found, expected.detach())


def test_logits_stay_within_the_clip():
    quick, _, embeddings, graph, context, _ = setting(3, 2, 4, 2.0)
    logits = quick.logits(quick.prepare(100 * embeddings, graph), context)
    assert logits[context.mask].abs().max() <= 2.0


@SETTINGS
def test_what_is_remembered_changes_no_gradient(dynamic, scalars, hidden, clip):
    quick, _, embeddings, graph, context, action = setting(dynamic, scalars, hidden, clip)
    found = []
    for remembered in (True, False):
        cache = quick.prepare(embeddings, graph)
        cache = quick.with_adapted(cache, quick.adaptable(cache).detach().requires_grad_())
        memo = quick.remembered_logits(cache, context)[1] if remembered else ()
        log_prob, entropy = quick.evaluate(cache, context, action, memo)
        (2 * log_prob + entropy).sum().backward()
        found.append(quick.adaptable(cache).grad)
    assert found[0].isfinite().all()
    torch.testing.assert_close(*found)


def test_a_task_whose_context_has_nodes_is_refused():
    with pytest.raises(InputError, match="without nodes in their context"):
        SelectionDecoder().build(Features(nodes=2, context_nodes=2), 8)


def test_negative_options_are_refused():
    with pytest.raises(InputError, match="hidden -1, clip"):
        SelectionDecoder(hidden=-1)
