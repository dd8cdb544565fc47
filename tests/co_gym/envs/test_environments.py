"""What holds for every environment, on instances of every kind of data that it takes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tensordict import TensorDict

from co_gym import InputError, Instance, problem, verify
from co_gym.envs import (
    Environment,
    KnapsackEnv,
    MISEnv,
    MultiKnapsackEnv,
    RandomPolicy,
    State,
    TSPEnv,
    TwoOptEnv,
    stack,
    unstack,
)


@dataclass(frozen=True)
class Case:
    """An environment, and instances for it.

    Attributes:
        make: The environment for a backend.
        draw: `draw(size, seed)` is one instance.
        sparse: How graphs are stacked.
        dtype: Of float data.
    """

    make: Callable[..., Environment]
    draw: Callable[[int, int], Instance]
    sparse: bool = False
    dtype: torch.dtype = torch.float64

    def instances(self, sizes: list[int], seed: int) -> list[Instance]:
        return [self.draw(size, 1000 * seed + i) for i, size in enumerate(sizes)]

    def batch(self, instances: list[Instance]) -> TensorDict:
        return stack(instances, dtype=self.dtype, sparse=self.sparse)


def _generated(name: str, distribution: str, **options: Any) -> Callable[[int, int], Instance]:
    return lambda n, seed: problem(name).generate(n, distribution=distribution, seed=seed, **options)[0]


def _integral_tour(n: int, seed: int) -> Instance:
    upper = np.triu(np.random.default_rng(seed).integers(1, 10**15, (n, n)), 1)
    return problem("tsp").instance({"distances": upper + upper.T})


def _float_tour(n: int, seed: int) -> Instance:
    upper = np.triu(np.random.default_rng(seed).random((n, n)) + 0.5, 1)
    return problem("tsp").instance({"distances": upper + upper.T})


def _tight_knapsack(n: int, seed: int) -> Instance:
    """Decimal weights of which many sums meet the capacity but for rounding."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, n) / 10
    return problem("knapsack").instance({"profits": rng.random(n), "weights": weights, "capacity": 0.7 + seed % 3})


def _two_opt(**options: Any) -> TwoOptEnv:
    return TwoOptEnv(max_steps=7, **options)


CASES = {
    "tsp": Case(TSPEnv, _generated("tsp", "uniform")),
    "tsp-float32": Case(TSPEnv, _generated("tsp", "uniform"), dtype=torch.float32),
    "tsp-integral": Case(TSPEnv, _integral_tour),
    "tsp-distances": Case(TSPEnv, _float_tour),
    "knapsack": Case(KnapsackEnv, _generated("knapsack", "uniform")),
    "knapsack-tight": Case(KnapsackEnv, _tight_knapsack),
    "multiknapsack": Case(MultiKnapsackEnv, _generated("multiknapsack", "chu-beasley", num_constraints=3)),
    "mis": Case(MISEnv, _generated("mis", "erdos-renyi", max_weight=9)),
    "mis-sparse": Case(MISEnv, _generated("mis", "barabasi-albert"), sparse=True),
    "two-opt": Case(_two_opt, _generated("tsp", "uniform")),
    "two-opt-integral": Case(_two_opt, _integral_tour),
}
PADDED = {"knapsack", "knapsack-tight", "multiknapsack", "mis", "mis-sparse"}


def play(env: Environment, state: State, seed: int = 0, steps: int = 10**6) -> State:
    """Random admissible actions until all is done, or for some steps."""
    policy = RandomPolicy(seed)
    while not state.all_done and steps > 0:
        env.step(state, policy(state))
        steps -= 1
    return state


def require_equal(a: State, b: State) -> None:
    """Both states are the same, bit for bit; float lengths to within rounding."""
    left, right = a.tensors(), b.tensors()
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert value.dtype == right[name].dtype
        torch.testing.assert_close(value, right[name], rtol=1e-13, atol=1e-13, msg=lambda m, n=name: f"{n}: {m}")


STARTS = st.sampled_from([None, 1, 3])
every_case = pytest.mark.parametrize("name", CASES)


def begin(
    name: str, sizes: list[int], seed: int = 0, starts: int | None = None, backend: str = "auto"
) -> tuple[Case, Environment, State, list[Instance]]:
    case = CASES[name]
    if name not in PADDED:
        sizes = [max(sizes[0], 2)] * len(sizes)
    instances = case.instances(sizes, seed)
    env = case.make(backend=backend)
    return case, env, env.reset(case.batch(instances), num_starts=starts), instances


def require_verified(env: Environment, state: State, instances: list[Instance]) -> None:
    rewards = env.reward(state).reshape(len(instances), -1)
    objectives = env.objective(state).reshape(len(instances), -1)
    solutions = env.solution(state)
    solutions = solutions.reshape(len(instances), -1, solutions.shape[-1])
    for i, instance in enumerate(instances):
        size = next(
            v.shape[0]
            for k, v in instance.data.items()
            if k in ("coordinates", "distances", "profits") or (k == "weights" and instance.problem == "mis")
        )
        for s in range(solutions.shape[1]):
            assert not solutions[i, s, size:].any()
            check = verify(instance, solutions[i, s, :size].numpy(), claimed=objectives[i, s].item())
            assert check.ok, (check.violations, check.claim_error)
            sign = 1 if env.maximize else -1
            assert rewards[i, s].item() == pytest.approx(sign * check.objective, rel=1e-6)
            assert objectives.is_floating_point() or objectives[i, s].item() == check.objective


@every_case
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4), seed=st.integers(0, 99), starts=STARTS)
@settings(max_examples=10, deadline=None)
def test_solutions_are_feasible_and_rewards_are_the_verifiers(
    name: str, sizes: list[int], seed: int, starts: int | None
) -> None:
    _, env, state, instances = begin(name, sizes, seed, starts)
    play(env, state, seed)
    assert bool(state.done.all())
    require_verified(env, state, instances)


@every_case
@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=3), seed=st.integers(0, 99), starts=STARTS)
@settings(max_examples=6, deadline=None)
def test_kernels_and_torch_agree_step_by_step(name: str, sizes: list[int], seed: int, starts: int | None) -> None:
    _, env, state, _ = begin(name, sizes, seed, starts)
    _, slow_env, slow, _ = begin(name, sizes, seed, starts, backend="torch")
    policy = RandomPolicy(seed)
    assert env.is_compiled(state)
    assert not slow_env.is_compiled(slow)
    for _ in range(max(sizes) + 9):
        require_equal(state, slow)
        assert state.active == slow.active == int((~slow.done).sum())
        torch.testing.assert_close(env.reward(state), slow_env.reward(slow))
        torch.testing.assert_close(env.step_reward(state), slow_env.step_reward(slow))
        expected = torch.zeros(()).masked_fill(~state.action_mask, -torch.inf)
        assert torch.equal(state.additive_mask, expected)
        action = policy(state)
        env.step(state, action)
        slow_env.step(slow, action)
    assert state.all_done


@every_case
@pytest.mark.parametrize("starts", [None, 2])
def test_step_rewards_add_up(name: str, starts: int | None) -> None:
    _, env, state, _ = begin(name, [8, 6, 7], 3, starts)
    first = env.reward(state)
    total = torch.zeros_like(first)
    policy = RandomPolicy(1)
    for _ in range(10):
        env.step(state, policy(state))
        total += env.step_reward(state)
    assert state.all_done
    torch.testing.assert_close(total, env.reward(state) - first)


@every_case
@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_action_against_the_mask_raises_and_changes_nothing(name: str, backend: str) -> None:
    _, env, state, _ = begin(name, [6, 6, 6], backend=backend)
    play(env, state, steps=1)
    before = state.clone()
    action = RandomPolicy(0)(state)
    for wrong in (int(state.current[1]), -1, state.action_mask.shape[-1]):
        bad = action.clone()
        bad[1] = wrong if name[:3] != "two" or wrong != int(state.current[1]) else 0
        with pytest.raises(InputError, match=rf"action {int(bad[1])} in row 1"):
            env.step(state, bad)
    with pytest.raises(InputError, match="shape"):
        env.step(state, action[:2])
    with pytest.raises(InputError, match="dtype"):
        env.step(state, action.float())
    require_equal(state, before)
    wide = action.int().repeat_interleave(2)[::2]
    require_equal(env.step(state, wide), env.step(before, action))


@every_case
@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_finished_rows_stay_as_they_are(name: str, backend: str) -> None:
    _, env, state, _ = begin(name, [6, 5], backend=backend)
    play(env, state)
    before = state.clone()
    if not state.shares_mask:
        assert torch.equal(state.action_mask.sum(-1), torch.ones(2, dtype=torch.int64))
        assert bool(state.action_mask[:, 0].all())
    env.step(state, torch.tensor([0, 3]))
    assert bool((state.current == -1).all())
    assert not env.step_reward(state).any()
    state.current.copy_(before.current)
    if state.shares_mask:
        before.improvement.zero_()
    require_equal(state, before)


@every_case
@pytest.mark.parametrize("starts", [None, 2])
def test_reset_rows_leaves_other_rows_alone(name: str, starts: int | None) -> None:
    case, env, state, _ = begin(name, [7, 7, 7], 1, starts)
    given_data = {key: value.clone() for key, value in state.data.items()}
    play(env, state, steps=2)
    before, user_data = state.clone(), dict(state.data)
    fresh = case.instances([7, 7], 50)
    env.reset_rows(state, torch.tensor([2, 0]), case.batch(fresh))
    alone = case.make()
    alone.generator = getattr(env, "generator", None)
    for field, value in state.tensors().items():
        assert torch.equal(value[1], before.tensors()[field][1])
    assert all(torch.equal(user_data[key], value) for key, value in given_data.items())
    assert not state.done.all()
    play(env, state)
    require_verified(env, state, [fresh[1], case.instances([7, 7, 7], 1)[1], fresh[0]])


def test_reset_rows_by_mask_equals_a_fresh_reset_there() -> None:
    case, env, state, _ = begin("mis", [7, 7, 7])
    play(env, state)
    fresh = case.batch(case.instances([7, 7], 9))
    env.reset_rows(state, torch.tensor([True, False, True]), fresh)
    expected = env.reset(fresh)
    for name, value in expected.tensors().items():
        assert torch.equal(state.tensors()[name][[0, 2]], value)
    assert state.active == 2
    with pytest.raises(InputError, match="does not fit"):
        env.reset_rows(state, torch.tensor([0]), case.batch(case.instances([6], 9)))
    with pytest.raises(InputError, match="2 instances for 1 rows"):
        env.reset_rows(state, torch.tensor([0]), fresh)


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("two-opt")])
def test_starts_equal_separate_episodes(name: str) -> None:
    _, env, state, instances = begin(name, [8, 8, 8], 4, 3)
    firsts = state.current.clone()
    drawn = []
    policy = RandomPolicy(2)
    while not state.all_done:
        drawn.append(policy(state))
        env.step(state, drawn[-1])
    for s in range(3):
        alone = env.reset(CASES[name].batch(instances))
        env.step(alone, firsts[:, s].clamp_min(0))
        for action in drawn:
            env.step(alone, action[:, s])
        assert torch.equal(env.solution(alone), env.solution(state)[:, s])
        assert torch.equal(env.reward(alone), env.reward(state)[:, s])


@every_case
@pytest.mark.parametrize("starts", [None, 2])
def test_saved_midway_and_restored(name: str, starts: int | None, tmp_path: Path) -> None:
    _, env, state, _ = begin(name, [8, 6, 5], 2, starts)
    play(env, state, steps=2)
    torch.save(state.to_tensordict().to_dict(), tmp_path / "state.pt")
    restored = type(state).from_tensordict(torch.load(tmp_path / "state.pt", weights_only=True))
    copy = type(state).from_tensordict(state.to_tensordict().clone())
    twin = state.clone()
    for other in (restored, copy, twin):
        require_equal(state, other)
    ends = [play(env, other, seed=5) for other in (state, restored, copy, twin)]
    for other in ends[1:]:
        require_equal(state, other)
        assert torch.equal(env.reward(state), env.reward(other))


@every_case
def test_steps_allocate_nothing_that_stays(name: str) -> None:
    _, env, state, _ = begin(name, [60])
    places = {key: value.data_ptr() for key, value in state.tensors().items()}
    policy = RandomPolicy(0)
    env.step(state, policy(state))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(5):
        env.step(state, policy(state))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 4000
    assert places == {key: value.data_ptr() for key, value in state.tensors().items()}


@every_case
def test_steps_on_a_device_never_wait_for_it(name: str) -> None:
    """On the meta device every look at a value raises."""
    _, env, state, _ = begin(name, [6, 6], starts=2)
    away = state.to("meta")
    if hasattr(away, "max_degree"):
        away.max_degree = 3
    for _ in range(3):
        env.step(away, torch.zeros(2, 2, dtype=torch.int64, device="meta"), check=False)
        env.step_reward(away)
    assert env.reward(away).shape == env.solution(away).shape[:2] == (2, 2)
    assert away.active == -1
    assert not env.is_compiled(away)


@every_case
def test_the_instances_given_are_not_changed(name: str) -> None:
    case = CASES[name]
    data = case.batch(case.instances([6, 6], 1))
    before = data.clone()
    env = case.make()
    play(env, env.reset(data))
    for key, value in before.items():
        assert torch.equal(value, data[key])


@every_case
def test_random_actions_are_uniform_over_the_mask(name: str) -> None:
    _, env, state, _ = begin(name, [40])
    play(env, state, steps=3)
    many = state.action_mask.expand(4000, -1) if state.shares_mask else state.action_mask.repeat(4000, 1)
    wide = state.clone()
    wide.action_mask, wide.done, wide.arrays = many, state.done.repeat(4000), None
    for policy in (RandomPolicy(3), RandomPolicy(3, compiled=False)):
        counts = torch.bincount(policy(wide), minlength=many.shape[1])
        admissible = state.action_mask[0]
        assert not counts[~admissible].any()
        expected = 4000 / int(admissible.sum())
        chi = float(((counts[admissible] - expected) ** 2 / expected).sum())
        degrees = int(admissible.sum()) - 1
        assert chi < degrees + 6 * np.sqrt(2 * degrees) + 10


@pytest.mark.parametrize("name", [name for name in CASES if name != "tsp-float32"])
def test_stack_and_unstack_are_inverse(name: str) -> None:
    case = CASES[name]
    instances = case.instances([5, 9, 1] if name in PADDED else [5, 5, 5], 3)
    for original, back in zip(instances, unstack(instances[0].problem, case.batch(instances)), strict=True):
        assert original.data.keys() == back.data.keys()
        for key in original.data:
            assert np.array_equal(original[key], back[key])
            assert original[key].dtype == back[key].dtype
