import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from co_gym import registry
from co_gym.envs.batch import stack
from policies.decoders.selection import SelectionDecoder
from policies.encoders.attention import AttentionEncoder
from policies.policy import ConstructivePolicy
from policies.tasks.knapsack import KnapsackTask, MultiKnapsackTask

TASKS = {"knapsack": KnapsackTask, "multiknapsack": MultiKnapsackTask}
CASES = [
    ("knapsack", "unit"),
    ("knapsack", "strongly-correlated"),
    ("multiknapsack", "unit"),
    ("multiknapsack", "chu-beasley"),
]
cases = pytest.mark.parametrize(("problem", "distribution"), CASES)
seeds = given(seed=st.integers(0, 2**31 - 1), n=st.integers(1, 12))
some = settings(max_examples=12, deadline=None)


def batch(problem, distribution, n, seed, count=3):
    made = registry.problem(problem).generate(n, count=count, distribution=distribution, seed=seed)
    return dict(stack(made).items())


def episode(task, data, order):
    """Contexts of episodes that always take the admissible item that comes first in `order` [n]."""
    graph, state = task.graph(data), task.environment().reset(data, num_starts=1)
    rank = torch.empty(len(order), dtype=torch.long).scatter_(0, order, torch.arange(len(order)))
    contexts = []
    while not state.all_done:
        contexts.append(task.context(state, graph).clone())
        task.environment().step(state, rank.masked_fill(~state.action_mask, 10**6).argmin(-1))
    return graph, contexts


def same(left, right, mask=None):
    keep = slice(None) if mask is None else mask
    torch.testing.assert_close(left[keep], right[keep], rtol=2e-3, atol=2e-3)


@cases
def test_the_declared_features_are_there(problem, distribution):
    task, data = TASKS[problem](), batch(problem, distribution, 7, 0)
    graph, contexts = episode(task, data, torch.arange(7))
    assert graph.nodes.shape == (3, 7, task.features.nodes)
    assert graph.nodes.dtype == torch.float32
    m = 1 if problem == "knapsack" else 5
    assert graph.constraints.shape == (3, m, task.features.constraints)
    assert graph.weights.shape == (3, m, 7)
    assert contexts[0].scalars.shape == (3, 1, task.features.scalars)
    assert contexts[0].dynamic.shape == (3, 1, 7, task.features.dynamic)
    assert contexts[0].nodes.shape == (3, 1, 0)


@cases
@some
@seeds
def test_features_follow_the_items_when_they_are_renumbered(problem, distribution, seed, n):
    task, data = TASKS[problem](), batch(problem, distribution, n, seed)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(n))
    moved = {key: value[..., order] if key in ("profits", "weights") else value for key, value in data.items()}
    graph, other = task.graph(data), task.graph(moved)
    same(graph.nodes[:, order], other.nodes)
    same(graph.weights[..., order], other.weights)
    same(graph.constraints, other.constraints)
    starts = [task.environment().reset(part, num_starts=None) for part in (data, moved)]
    for state in starts:
        for name in ("action_mask", "remaining", "current", "available", "done"):
            setattr(state, name, getattr(state, name).unsqueeze(1))
    context, shuffled = (task.context(s, g) for s, g in zip(starts, (graph, other), strict=True))
    same(context.dynamic[:, :, order], shuffled.dynamic)
    same(context.scalars, shuffled.scalars)


@some
@seeds
def test_the_order_of_capacities_does_not_matter(seed, n):
    data = batch("multiknapsack", "unit", n, seed)
    swapped = data | {"weights": data["weights"].flip(1), "capacities": data["capacities"].flip(1)}
    (graph, one), (other, two) = (episode(MultiKnapsackTask(), part, torch.arange(n)) for part in (data, swapped))
    same(graph.nodes, other.nodes)
    same(graph.constraints, other.constraints.flip(1))
    for context, again in zip(one, two, strict=True):
        same(context.dynamic, again.dynamic)
        same(context.scalars, again.scalars)


@cases
@some
@given(seed=st.integers(0, 2**31 - 1), n=st.integers(1, 12), money=st.integers(2, 999), unit=st.integers(2, 999))
def test_units_do_not_matter(problem, distribution, seed, n, money, unit):
    data = batch(problem, distribution, n, seed)
    scaled = {
        key: value * (money if key == "profits" else unit) for key, value in data.items() if "mask" not in key
    }
    task = TASKS[problem]()
    (graph, one), (other, two) = (episode(task, part, torch.arange(n)) for part in (data, scaled))
    same(graph.nodes, other.nodes)
    same(graph.constraints, other.constraints)
    same(graph.weights, other.weights)
    for context, again in zip(one, two, strict=True):
        same(context.dynamic, again.dynamic, context.mask)
        same(context.scalars, again.scalars)


@cases
def test_padding_changes_no_decision(problem, distribution):
    definition = registry.problem(problem)
    small, large = (definition.generate(n, distribution=distribution, seed=4)[0] for n in (6, 9))
    torch.manual_seed(0)
    encoder = AttentionEncoder(width=16, heads=2, layers=1, feedforward=16, normalization="layer")
    policy = ConstructivePolicy(TASKS[problem](), encoder, SelectionDecoder())
    alone, padded = stack([small]), stack([small, large])
    greedy = [policy.rollout(policy.encode(data), most, num_starts=6, record=True) for data in (alone, padded)]
    for one, two in zip(greedy[0].contexts, greedy[1].contexts, strict=False):
        same(one.scalars[0], two.scalars[0])
        same(one.dynamic[0], two.dynamic[0, :, :6], one.mask[0])
    assert torch.equal(greedy[0].reward[0], greedy[1].reward[0])
    for data in (alone, padded):
        encoding = policy.encode(data)
        assert policy.logits(encoding, policy.environment.reset(data, num_starts=2)).isnan().sum() == 0


def most(logits):
    return logits.argmax(-1)


@cases
def test_finished_and_hopeless_instances_have_finite_features(problem, distribution):
    data = batch(problem, distribution, 5, 1)
    key = "capacity" if problem == "knapsack" else "capacities"
    data[key] = data[key].clone()
    data[key][0] = 0
    data["weights"] = data["weights"].clone().clamp_min(1e-3 if data["weights"].is_floating_point() else 1)
    data["profits"] = data["profits"] * torch.tensor([[1], [0], [1]])
    task = TASKS[problem]()
    graph, contexts = episode(task, data, torch.arange(5))
    state = task.environment().reset(data, num_starts=2)
    while not state.all_done:
        task.environment().step(state, state.action_mask.to(torch.uint8).argmax(-1))
    contexts.append(task.context(state, graph))
    assert graph.mask is not None
    assert graph.mask.any(-1).all()
    for part in (graph.nodes, graph.constraints, graph.weights):
        assert part.isfinite().all()
    for context in contexts:
        assert context.mask.any(-1).all()
        assert context.dynamic.isfinite().all()
        assert context.scalars.isfinite().all()


def test_what_an_item_takes_of_what_is_left():
    data = {
        "profits": torch.tensor([[3.0, 1.0, 2.0]]),
        "weights": torch.tensor([[[2, 1, 4], [3, 9, 1]]]),
        "capacities": torch.tensor([[8, 12]]),
    }
    task = MultiKnapsackTask()
    state = task.environment().reset(data, num_starts=1)  # item 0 is in: 6 and 9 are left
    context = task.context(state, task.graph(data))
    torch.testing.assert_close(context.dynamic[0, 0, 1:, 0], torch.tensor([1.0, 4 / 6]))
    torch.testing.assert_close(context.dynamic[0, 0, 1:, 1], torch.tensor([(1 / 6 + 1) / 2, (4 / 6 + 1 / 9) / 2]))
    torch.testing.assert_close(context.scalars[0, 0], torch.tensor([0.75, 0.75, 2 / 3]))
