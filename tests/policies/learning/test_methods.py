import pytest
import torch

from co_gym.envs.batch import stack
from co_gym.errors import InputError
from co_gym.problems.tsp import TSP
from policies.decoding.choose import Greedy, Sampling
from policies.learning.baselines import CriticBaseline, ExponentialBaseline, RolloutBaseline, SharedBaseline
from policies.learning.champion import Champion, greedy
from policies.learning.ppo import PPO, clipped_loss, part
from policies.learning.reinforce import Reinforce


def optimizer(parameters):
    return torch.optim.Adam(parameters, lr=0.01)


@pytest.fixture
def batch():
    return dict(stack(TSP().generate(6, count=4, seed=2)).items())


def test_clipped_loss_is_the_textbook_one():
    log_prob = torch.log(torch.tensor([0.3, 0.6, 0.3, 0.6])).view(1, 2, 2)
    before = torch.log(torch.tensor([0.4, 0.4, 0.4, 0.4])).view(1, 2, 2)
    # ratios 0.75, 1.5 in each step; advantage 1 of the first start, -2 of the second
    loss = clipped_loss(log_prob, before, torch.tensor([[1.0, -2.0]]), 0.2)
    assert loss.item() == pytest.approx(-((0.75 + 0.75) + (-3.0 - 3.0)) / 2)
    gain = clipped_loss(log_prob.flip(-1), before, torch.tensor([[1.0, -2.0]]), 0.2)
    assert gain.item() == pytest.approx(-((1.2 + 1.2) + (-1.6 - 1.6)) / 2)


def test_without_a_step_the_clipped_gradient_is_the_policy_gradient(policy, batch):
    encoding = policy.encode(batch)
    rollout = policy.rollout(encoding, Sampling(seed=1), num_starts=6, record=True)
    advantage = rollout.reward - rollout.reward.mean(1, keepdim=True)
    log_prob, _ = policy.evaluate(encoding, rollout)
    parameters = list(policy.encoder.parameters())
    plain = torch.autograd.grad(-(advantage * log_prob.sum(1)).mean(), parameters, retain_graph=True)
    clipped = torch.autograd.grad(clipped_loss(log_prob, log_prob.detach(), advantage, 0.2), parameters)
    for a, b in zip(plain, clipped, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-3)


def test_parts_of_episodes_have_the_same_probabilities(policy, batch):
    encoding = policy.encode(batch)
    rollout = policy.rollout(encoding, Sampling(seed=1), num_starts=6, record=True)
    starts = torch.tensor([4, 1])
    whole, some = (policy.evaluate(encoding, each)[0] for each in (rollout, part(rollout, starts)))
    torch.testing.assert_close(whole[..., starts], some)


def test_minibatches_cover_all_starts_in_each_pass(policy):
    method = PPO(policy, optimizer, passes=3, minibatches=4)
    method.entropy_of = lambda index: (0, 0, index, 0)  # type: ignore[method-assign]
    groups = method._groups(torch.zeros(2, 6), 1)
    assert len(groups) == 12
    assert all(sorted(torch.cat(groups[i : i + 4]).tolist()) == [0, 1, 2, 3, 4, 5] for i in (0, 4, 8))


def test_baselines(policy, batch):
    reward = torch.tensor([[1.0, 3.0], [2.0, 6.0], [0.0, 0.0], [1.0, 1.0]])
    assert SharedBaseline()(policy, batch, reward).tolist() == [[2.0], [4.0], [0.0], [1.0]]
    moving = ExponentialBaseline(0.5)
    assert moving(policy, batch, reward).item() == pytest.approx(1.75)
    assert moving(policy, batch, reward + 2).item() == pytest.approx(2.75)
    rollout = RolloutBaseline()
    rollout.begin(policy)
    expected = policy.rollout(policy.encode(batch), Greedy(), num_starts=2).reward
    assert torch.equal(rollout(policy, batch, reward), expected)


def test_the_critic_learns(policy, batch):
    critic = CriticBaseline(hidden=8)
    with pytest.raises(RuntimeError, match="has to estimate"):
        critic.loss(torch.zeros(4, 2))
    critic.begin(policy)
    steps = torch.optim.Adam(critic.parameters(), lr=0.05)
    reward = torch.full((4, 2), -3.0)
    for _ in range(60):
        steps.zero_grad()
        assert not critic(policy, batch, reward).requires_grad
        critic.loss(reward).backward()
        steps.step()
    assert critic(policy, batch, reward).mean().item() == pytest.approx(-3.0, abs=0.2)
    assert all(p.grad is None for p in policy.parameters())


def test_a_champion_is_replaced_by_a_better_policy_only(policy, batch):
    champion = Champion(policy)
    other = Champion(policy).kept
    with torch.no_grad():
        for p in other.parameters():
            p.add_(0.5 * torch.randn(p.shape, generator=torch.Generator().manual_seed(3)))
    data = dict(stack(TSP().generate(12, count=200, seed=3)).items())
    better = greedy(other, data).mean() > greedy(policy, data).mean()
    champion.observe(data)
    good, bad = (other, policy) if better else (policy, other)
    champion.kept.load_state_dict(good.state_dict())
    assert not champion.compete(bad)
    champion.kept.load_state_dict(bad.state_dict())
    assert not champion.compete(good)  # nothing to compare on
    champion.observe(data)
    assert champion.compete(good)
    assert all(torch.equal(value, good.state_dict()[key]) for key, value in champion.kept.state_dict().items())


def test_copies_begin_with_the_weights_that_the_policy_was_given(policy):
    method = Reinforce(policy, optimizer, baseline=RolloutBaseline())
    with torch.no_grad():
        policy.encoder.embed.weight.add_(1.0)
    kept = method.baseline.champion.kept.encoder.embed.weight
    assert not torch.equal(kept, policy.encoder.embed.weight)
    method.adopt()
    assert torch.equal(kept, policy.encoder.embed.weight)


def test_leaders_count_more(policy):
    reward = torch.tensor([[1.0, 3.0, 2.0]])
    advantage = reward - reward.mean()
    method = Reinforce(policy, optimizer, leader=4.0)
    assert method._shaped(reward, advantage).tolist() == [[-1.0, 4.0, 0.0]]
    with pytest.raises(InputError, match="leader"):
        Reinforce(policy, optimizer, leader=0.0)


METHODS = {
    "ppo": ["policies.learning.ppo.PPO", "--model.init_args.entropy=0.01"],
    "self-improvement": ["policies.learning.self_improvement.SelfImprovement", "--model.init_args.samples=12"],
    "imitation": [
        "policies.learning.imitation.Imitation",
        "--data.init_args.labels={method: nearest-neighbour}",
    ],
    "critic": [
        "policies.learning.reinforce.Reinforce",
        "--model.init_args.baseline=policies.learning.baselines.CriticBaseline",
    ],
    "rollout": [
        "policies.learning.reinforce.Reinforce",
        "--model.init_args.baseline=policies.learning.baselines.RolloutBaseline",
        "--model.init_args.num_starts=1",
    ],
}


SLOW = ("critic", "rollout", "self-improvement")


@pytest.mark.parametrize("method", [pytest.param(m, marks=[pytest.mark.slow] * (m in SLOW)) for m in METHODS])
def test_methods_learn_short_tours(method, train, metrics):
    """Much better on 20 cities than the same weights without training."""
    path, *options = METHODS[method]
    rate = "--model.init_args.optimizer.init_args.lr"
    shared = [f"--model.class_path={path}", *options, "--data.init_args.batch_size=16"]
    untrained = metrics(train("untrained", *shared, f"{rate}=0.0", "--trainer.max_epochs=1"))
    steps = ["--data.init_args.batches=40", "--model.init_args.scheduler.init_args.steps=80", f"{rate}=0.005"]
    trained = metrics(train("trained", *shared, *steps))
    first, last = (
        [row["val/gap_greedy"] for row in rows if "val/gap_greedy" in row][-1] for rows in (untrained, trained)
    )
    assert last < 0.5 * first, (first, last)
