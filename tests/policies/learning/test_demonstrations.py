import pytest
import torch

from co_gym.envs.batch import stack
from co_gym.errors import InputError
from co_gym.problems.knapsack import Knapsack
from co_gym.problems.tsp import TSP
from policies.decoders.selection import SelectionDecoder
from policies.decoding.choose import Sampling
from policies.encoders.attention import AttentionEncoder
from policies.learning.demonstrations import demonstrate, right_actions
from policies.policy import ConstructivePolicy
from policies.tasks.knapsack import KnapsackTask


def shown(policy, data, solution, starts=4, uniform=False, seed=0):
    return demonstrate(policy, policy.encode(data), solution, Sampling(seed=seed), starts, uniform=uniform)


def edges(tour):
    steps = torch.stack([tour, tour.roll(-1, -1)], -1).sort(-1).values
    return {tuple(pair) for pair in steps.tolist()}


@pytest.mark.parametrize("uniform", [False, True])
def test_every_episode_is_the_tour_from_elsewhere(policy, uniform):
    data = stack(TSP().generate(6, count=3, seed=2))
    tours = torch.stack([torch.randperm(6, generator=torch.Generator().manual_seed(i)) for i in range(3)])
    found = shown(policy, data, tours, starts=6, uniform=uniform).rollout.state.tour
    for tour, episodes in zip(tours, found, strict=True):
        assert all(edges(episode) == edges(tour) for episode in episodes)
        assert episodes[1:, 0].tolist() == [1, 2, 3, 4, 5]  # begins freely, then everywhere
    seconds = {
        (int(e[0]), int(e[1]))
        for seed in range(8)
        for e in shown(policy, data, tours, 6, uniform, seed).rollout.state.tour[0]
    }
    assert len({b for a, b in seconds if a == 3}) == 2  # in both directions


def test_only_decisions_with_wrong_alternatives_count(policy):
    data = stack(TSP().generate(6, count=2, seed=2))
    weight = shown(policy, data, torch.arange(6).expand(2, 6)).weight
    assert weight.shape == (2, 6, 4)
    assert weight[0, :, 1].tolist() == [0, 1, 1, 1, 1, 0]  # any city is a beginning; the last one is forced


def test_log_probabilities_are_those_of_all_right_actions(policy):
    data = stack(TSP().generate(6, count=2, seed=2))
    tours = torch.arange(6).expand(2, 6).contiguous()
    encoding = policy.encode(data)
    state = policy.environment.reset(encoding.data, num_starts=3)
    logits = policy.logits(encoding, state)
    right = right_actions(state, tours) & state.action_mask
    assert right.sum(-1).tolist() == [[2, 2, 2]] * 2
    expected = (logits.softmax(-1) * right).sum(-1).log()
    torch.testing.assert_close(shown(policy, data, tours, 3).log_prob[:, 1, 1:], expected[:, 1:])


def knapsack_policy():
    torch.manual_seed(1)
    return ConstructivePolicy(
        KnapsackTask(), AttentionEncoder(width=16, heads=2, layers=1, feedforward=16), SelectionDecoder(hidden=2)
    )


def test_subsets_are_built_in_any_order():
    policy = knapsack_policy()
    data = stack(Knapsack().generate(8, count=3, seed=4))
    best = policy.rollout(policy.encode(data), Sampling(), num_starts=4).state.selected[:, 0].long()
    found = shown(policy, data, best, starts=5)
    assert (found.rollout.state.selected.long() == best.unsqueeze(1)).all()
    firsts = found.rollout.actions[0][0]
    assert set(firsts.tolist()[1:]) <= set(best[0].nonzero().flatten().tolist())
    assert len(set(firsts.tolist())) > 1


def test_solutions_that_can_be_extended_teach_no_extension():
    policy = knapsack_policy()
    data = stack(Knapsack().generate(8, count=1, seed=4))
    only = torch.zeros(1, 8, dtype=torch.int64)
    smallest = int(data["weights"][0].argmin())
    only[0, smallest] = 1
    found = shown(policy, data, only, starts=1)
    assert int(found.rollout.actions[0][0, 0]) == smallest
    assert found.weight[0, :, 0].tolist()[0] == 1
    assert not found.weight[0, 1:].any()


def test_the_sampled_gradient_is_that_of_the_total_probability(policy):
    """The mean over many draws against the gradient of the log of the summed probabilities."""
    one = dict(stack(TSP().generate(6, count=1, seed=2)).items())
    parameter = policy.decoder.pointer_key.weight
    encoding = policy.encode(one)
    # the second episode has come to city 1, beside which are 0 and 2
    context = policy.task.context(policy.environment.reset(encoding.data, num_starts=2), encoding.graph)
    total = sum(
        policy.decoder.evaluate(encoding.cache, context, torch.tensor([[1, action]]))[0][:, 1].exp()
        for action in (0, 2)
    )
    exact = torch.autograd.grad(total.log().sum(), parameter)[0]
    copies = policy.encode({key: value.expand(4000, *value.shape[1:]).contiguous() for key, value in one.items()})
    tours = torch.arange(6).expand(4000, 6)
    found = demonstrate(policy, copies, tours, Sampling(seed=9), 2, uniform=False)
    log_prob, _ = policy.evaluate(copies, found.rollout)
    assert (found.rollout.actions[0][:, 1] == 1).all()
    sampled = torch.autograd.grad(log_prob[:, 1, 1].mean(), parameter)[0]
    assert (sampled - exact).norm() < 0.1 * exact.norm()


def test_unknown_states_are_refused():
    with pytest.raises(InputError, match="not known which actions"):
        right_actions(object(), torch.zeros(1, 1))  # type: ignore[arg-type]
