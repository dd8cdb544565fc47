import copy
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from co_gym.errors import InputError
from policies.decoders.pointer import PointerDecoder
from policies.decoders.pointer_compiled import _blocks
from policies.decoding.choose import Sampling
from policies.encoders.attention import AttentionEncoder
from policies.graph import Context, Features, Graph
from policies.policy import ConstructivePolicy
from policies.tasks.knapsack import KnapsackTask
from policies.tasks.tsp import TSPTask

CITIES = torch.rand(3, 9, 2, generator=torch.Generator().manual_seed(0))


def make(bias=True, clip=10.0):
    torch.manual_seed(0)
    encoder = AttentionEncoder(16, heads=4, layers=1, feedforward=16, distance_bias=bias)
    return ConstructivePolicy(TSPTask(), encoder, PointerDecoder(heads=4, clip=clip, distance_bias=bias))


def gradients(policy, weights, *, compiled, fresh=True):
    """Log-probabilities and entropies of the same sampled tours, and the gradients of a mix of them."""
    policy.decoder.compiled = compiled
    encoding = policy.encode({"coordinates": CITIES})
    rollout = policy.rollout(encoding, Sampling(seed=3), num_starts=5, record=True)
    found = policy.evaluate(encoding, replace(rollout, encoding=None) if fresh else rollout)
    policy.zero_grad()
    sum((part * weight).sum() for part, weight in zip(found, weights, strict=True)).backward()
    return *found, {name: p.grad for name, p in policy.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize(("bias", "clip"), [(True, 10.0), (False, 10.0), (True, 0.0)])
def test_compiled_kernels_agree_with_plain_operations(bias, clip, fresh):
    policy = make(bias, clip)
    weights = torch.randn(2, 3, 8, 5, generator=torch.Generator().manual_seed(1))
    log_prob, entropy, grads = gradients(policy, weights, compiled=True, fresh=fresh)
    expected, expected_entropy, expected_grads = gradients(policy, weights, compiled=False)
    torch.testing.assert_close(log_prob, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(entropy, expected_entropy, rtol=1e-4, atol=1e-5)
    assert grads.keys() == expected_grads.keys()
    largest = max(float(g.abs().max()) for g in expected_grads.values())
    for name, gradient in expected_grads.items():
        torch.testing.assert_close(grads[name], gradient, rtol=2e-3, atol=1e-5 * largest, msg=name)


@pytest.mark.parametrize("compiled", [True, False])
def test_all_steps_at_once_are_the_steps_one_by_one(compiled):
    policy = make()
    policy.decoder.compiled = compiled
    encoding = policy.encode({"coordinates": CITIES})
    seen, sampling = [], Sampling(seed=1)

    def choose(logits):
        seen.append(logits.log_softmax(-1))
        return sampling(logits)

    rollout = policy.rollout(encoding, choose, num_starts=9, record=True)
    log_prob, _ = policy.evaluate(encoding, replace(rollout, encoding=None))
    expected = torch.stack(seen, 1).gather(-1, torch.stack(rollout.actions, 1).unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(log_prob, expected, rtol=1e-4, atol=1e-5)


def test_scalars_alone_are_context_enough():
    torch.manual_seed(0)
    encoder = AttentionEncoder(16, heads=2, layers=1, feedforward=16, normalization="layer")
    policy = ConstructivePolicy(KnapsackTask(), encoder, PointerDecoder(heads=2))
    generator = torch.Generator().manual_seed(0)
    data = {"profits": torch.rand(2, 8, generator=generator), "weights": torch.rand(2, 8, generator=generator)}
    encoding = policy.encode(data | {"capacity": torch.full((2,), 2.0)})
    rollout = policy.rollout(encoding, Sampling(seed=2), num_starts=4, record=True)
    found = policy.evaluate(encoding, rollout)
    policy.decoder.compiled = False
    expected = policy.evaluate(encoding, replace(rollout, encoding=None))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_decision_must_depend_on_something():
    with pytest.raises(InputError, match="SelectionDecoder"):
        PointerDecoder().build(Features(nodes=2), 16)


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(9)))
def test_renaming_the_cities_renames_the_logits(order):
    policy, index = make(), torch.tensor(order)
    state = policy.environment.reset({"coordinates": CITIES}, num_starts=9)
    logits = policy.logits(policy.encode({"coordinates": CITIES}), state)
    renamed = CITIES[:, index]
    other = policy.logits(
        policy.encode({"coordinates": renamed}), policy.environment.reset({"coordinates": renamed}, num_starts=9)
    )
    torch.testing.assert_close(other, logits[:, index][:, :, index], rtol=1e-4, atol=1e-4)


def test_no_context_node_yet_is_a_query_of_its_own():
    policy = make()
    encoding = policy.encode({"coordinates": CITIES})
    context = Context(mask=torch.ones(3, 1, 9, dtype=torch.bool), nodes=torch.full((3, 1, 2), -1))
    logits = policy.decoder.logits(encoding.cache, context)
    policy.decoder.compiled = False
    torch.testing.assert_close(logits, policy.decoder.logits(encoding.cache, context), rtol=1e-4, atol=1e-5)
    assert logits.isfinite().all()


@pytest.mark.parametrize(
    ("batch", "queries", "numbers"), [(3, 5, 7), (1, 10**6, 800), (64, 400, 160), (2, 3, 10**7)]
)
def test_blocks_cover_everything_once(batch, queries, numbers):
    count = torch.zeros(batch, queries, dtype=torch.int64)
    for block in _blocks(batch, queries, numbers):
        count[block] += 1
    assert (count == 1).all()


def test_the_policy_itself_does_not_change_with_a_copy_of_its_cache():
    """Adapting a cache, as active search does, leaves the original alone."""
    policy = make()
    encoding = policy.encode({"coordinates": CITIES})
    before = encoding.cache.keys.clone()
    copied = policy.decoder.with_adapted(encoding.cache, copy.deepcopy(before.detach()) + 1.0)
    assert torch.equal(encoding.cache.keys, before)
    assert not torch.equal(copied.keys, before)


def test_distance_bias_prefers_what_is_near():
    torch.manual_seed(0)
    decoder = PointerDecoder(heads=2, clip=0.0, distance_bias=True)
    decoder.build(Features(nodes=2, context_nodes=2), 8)
    with torch.no_grad():
        decoder.pointer_key.weight.zero_()
    points = torch.rand(1, 12, 2)
    graph = Graph(nodes=points, distances=torch.cdist(points, points))
    cache = decoder.prepare(torch.randn(1, 12, 8), graph)
    mask = torch.ones(1, 1, 12, dtype=torch.bool)
    logits = decoder.logits(cache, Context(mask=mask, nodes=torch.tensor([[[0, 5]]])))
    assert torch.equal(logits[0, 0].argsort(descending=True), graph.distances[0, 5].argsort())
