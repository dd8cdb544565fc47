"""Branching episodes: limits, instances without decisions, failures, closing, memory."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import co_gym
from co_gym.formulation import MixedIntegerProgram
from co_gym.io import write
from co_gym.problems.mip import MIP
from milp.envs.branching import BranchingEnv
from milp.rewards import NodeCount, Reward


@pytest.fixture
def make(covers: Any, bare: Any) -> Any:
    """Makes an environment with short episodes; closes it at last."""
    made = []

    def make(**keywords: Any) -> BranchingEnv:
        environment = BranchingEnv(**{"instances": covers, "settings": bare, "observation": "none"} | keywords)
        made.append(environment)
        return environment

    yield make
    for environment in made:
        environment.close()


def play(environment: BranchingEnv, info: dict[str, Any]) -> tuple[bool, bool, dict[str, Any], list[float]]:
    """To the end of an episode, on the first candidate."""
    rewards, ended = [], False
    while not ended:
        _, reward, terminated, truncated, info = environment.step(int(np.argmax(info["action_mask"])))
        rewards.append(reward)
        ended = terminated or truncated
    return terminated, truncated, info, rewards


def trivial() -> MixedIntegerProgram:
    """Solved by presolving."""
    from scipy import sparse

    one = np.ones(1)
    return MixedIntegerProgram("minimize", one, sparse.csr_matrix([[1.0]]), one, one, 0 * one, one, one == 1)


def test_the_solve_ends_at_the_optimum(make: Any, covers: Any) -> None:
    from milp.interrupt import optimize
    from milp.model import build_model

    environment = make()
    for index in range(3):
        _, info = environment.reset(seed=1, options={"instance": index})
        assert (info["instance"], info["skipped"]) == (index, 0)
        terminated, truncated, info, _ = play(environment, info)
        model, _ = build_model(covers[index])
        optimize(model)
        assert (terminated, truncated, info["status"]) == (True, False, "optimal")
        assert info["objective"] == info["bound"] == pytest.approx(model.getObjVal())
        model.free()


def test_masks_agree_and_end_with_action_0(make: Any) -> None:
    environment = make()
    assert environment.action_masks().sum() == 1
    observation, info = environment.reset(seed=0)
    np.testing.assert_array_equal(observation["action_mask"], info["action_mask"])
    np.testing.assert_array_equal(environment.action_masks(), info["action_mask"])
    *_, info, _ = play(environment, info)
    assert np.flatnonzero(info["action_mask"]).tolist() == [0]
    with pytest.raises(gymnasium.error.ResetNeeded):
        environment.step(0)


@pytest.mark.parametrize(
    ("keywords", "status"),
    [({"node_limit": 5}, "totalnodelimit"), ({"time_limit": 0.3}, "timelimit")],
)
def test_limits_truncate(keywords: dict[str, Any], status: str, make: Any) -> None:
    environment = make(instances="multiknapsack-easy", **keywords)
    _, info = environment.reset(seed=0)
    terminated, truncated, info, _ = play(environment, info)
    assert (terminated, truncated, info["status"]) == (False, True, status)


def test_the_agents_own_time_does_not_count(make: Any, knapsacks: Any) -> None:
    """One second of thinking within a time limit of half a second; nor is it in the rewards."""
    for clock in ("cpu", "wall"):
        from milp.rewards import SolvingTime

        environment = make(instances=knapsacks, time_limit=0.5, reward=SolvingTime(clock))
        _, info = environment.reset(seed=0)
        time.sleep(1.0)
        _, reward, terminated, truncated, info = environment.step(int(np.argmax(info["action_mask"])))
        assert (terminated, truncated) == (False, False)
        assert 0 < reward < 0.5


def test_instances_without_a_decision_are_skipped(make: Any, covers: Any) -> None:
    environment = make(instances=[trivial(), covers[0]])
    skipped = [environment.reset(seed=seed)[1]["skipped"] for seed in range(8)]
    assert min(skipped) == 0 < max(skipped)
    with pytest.raises(co_gym.InputError, match="skip_solved=False"):
        make(instances=trivial(), skip_limit=3).reset()


def test_an_instance_without_a_decision_ends_at_the_first_step(make: Any) -> None:
    environment = make(instances=trivial(), skip_solved=False)
    observation, info = environment.reset(seed=0)
    assert environment.observation_space.contains(observation)
    assert info["status"] == "optimal"
    assert info["reward_offset"] == -info["nodes"]
    _, reward, terminated, truncated, info = environment.step(0)
    assert (reward, terminated, truncated, info["objective"]) == (0.0, True, False, 1.0)
    assert environment.reset(options={"instance": 0})[1]["skipped"] == 0


def test_an_inadmissible_action(make: Any) -> None:
    environment = make(invalid_penalty=7.0)
    _, info = environment.reset(seed=0)
    wrong = int(np.argmin(info["action_mask"]))
    _, reward, terminated, truncated, _ = environment.step(wrong)
    assert (reward, terminated, truncated) == (-7.0, True, False)
    strict = make(invalid="raise")
    _, info = strict.reset(seed=0)
    wrong = int(np.argmin(info["action_mask"]))
    for action in (wrong, -1, 10**6):
        with pytest.raises(co_gym.InputError, match=f"action {action}"):
            strict.step(action)
    assert play(strict, info)[0]


class Broken(Reward):
    """Fails at the second decision."""

    def __init__(self) -> None:
        self.calls = 0

    def measure(self, moment: Any) -> float:
        self.calls += 1
        if self.calls == 2:
            raise ZeroDivisionError("in a callback")
        return 0.0


def test_a_failure_in_a_callback_surfaces_in_step(make: Any) -> None:
    environment = make(reward=Broken())
    for _ in "ab":
        _, info = environment.reset(seed=0)
        with pytest.raises(ZeroDivisionError, match="in a callback"):
            environment.step(int(np.argmax(info["action_mask"])))
        with pytest.raises(gymnasium.error.ResetNeeded):
            environment.step(0)


def test_too_small_a_size_is_named(make: Any) -> None:
    with pytest.raises(co_gym.InputError, match="max_variables = 5"):
        make(observation="variables", max_variables=5).reset(seed=0)


def test_rows_that_do_not_fit_are_left_out(make: Any) -> None:
    environment = make(observation="node-bipartite", max_rows=10, max_edges=150)
    observation, _ = environment.reset(seed=0)
    _, rows, edges = observation["sizes"]
    assert environment.observation_space.contains(observation)
    assert 0 < rows <= 10
    assert 0 < edges <= 150
    assert not observation["rows"][rows:].any()


def test_files_and_folders(make: Any, covers: Any, tmp_path: Path) -> None:
    for index, program in enumerate(covers[:2]):
        write(tmp_path / f"{index}.mps", MIP().from_program(program, name=str(index)))
    named = [str(tmp_path / "0.mps"), str(tmp_path / "1.mps")]
    kinds = [str(tmp_path / "0.mps"), named, MIP().from_program(covers[0], name="0")]
    (tmp_path / "folder" / "test").mkdir(parents=True)
    (tmp_path / "0.mps").rename(tmp_path / "folder" / "test" / "0.mps")
    folder = make(instances=str(tmp_path / "folder"), split="test")
    (tmp_path / "0.mps").write_text((tmp_path / "folder" / "test" / "0.mps").read_text())
    infos = [folder.reset(seed=0)[1]]
    infos += [make(instances=kind).reset(seed=0, options={"instance": 0})[1] for kind in kinds]
    assert len({info["action_mask"].sum() for info in infos[1:]}) == 1
    with pytest.raises(co_gym.InputError, match="no instances"):
        make(instances=str(tmp_path / "folder"), split="train")
    with pytest.raises(co_gym.InputError, match="expected 0 to 9"):
        make().reset(options={"instance": 10})


def test_render(make: Any) -> None:
    environment = make(render_mode="ansi")
    assert environment.render() == "not begun"
    _, info = environment.reset(seed=0)
    assert environment.render().startswith("1 nodes")
    *_, info, _ = play(environment, info)
    assert f"{info['nodes']} nodes" in environment.render()
    assert "gap 0.00%" in environment.render()


def test_spec_survives_json() -> None:
    environment = gymnasium.make("co_gym/Branching-v0", max_variables=300)
    assert environment.spec is not None
    copy = gymnasium.envs.registration.EnvSpec.from_json(environment.spec.to_json())
    assert copy.make().action_space.n == 300


def test_a_forgotten_environment_leaves_no_thread(make: Any, covers: Any, bare: Any) -> None:
    before = set(threading.enumerate())
    environment = BranchingEnv(instances=covers, settings=bare, prefetch=True)
    environment.reset(seed=0)
    assert len(set(threading.enumerate()) - before) == 2
    del environment
    gc.collect()
    deadline = time.monotonic() + 20
    while set(threading.enumerate()) - before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def resident() -> float:
    """Memory in use, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def many_episodes(environment: BranchingEnv, count: int) -> list[float]:
    """Memory after each tenth of so many episodes, some of them left in the middle, some of them failing."""
    rng, memory = np.random.default_rng(0), []
    for episode in range(count):
        _, info = environment.reset(seed=episode)
        for _ in range(int(rng.integers(0, 9))):
            mask = info["action_mask"]
            action = np.flatnonzero(mask)[0] if rng.random() < 0.97 else np.argmin(mask)
            _, _, terminated, truncated, info = environment.step(int(action))
            if terminated or truncated:
                break
        if episode % 7 == 0:
            environment.close()
        if episode % (count // 10) == count // 10 - 1:
            gc.collect()
            memory.append(resident())
    return memory


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_nothing_leaks(count: int, make: Any, knapsacks: Any) -> None:
    before = threading.active_count()
    environment = make(instances=knapsacks, observation="node-bipartite", reward="primal-dual-integral")
    memory = many_episodes(environment, count)
    print(
        f"{count} episodes: {memory[0]:.1f} MB after a tenth, {memory[4]:.1f} half way, {memory[-1]:.1f} at last"
    )
    assert memory[-1] - memory[1] < 4 + 0.004 * count
    environment.close()
    assert threading.active_count() == before


def test_the_default_reward_counts_nodes(make: Any) -> None:
    first, second = make(), make(reward=-NodeCount())
    results = [play(environment, environment.reset(seed=2)[1])[3] for environment in (first, second)]
    assert results[0] == results[1]
    assert all(reward < 0 for reward in results[0])
