"""The gymnasium environments: contract, agreement of vectorized and single ones, autoreset modes, options."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

import co_gym
from co_gym.envs.catalogue import CATALOGUE
from co_gym.envs.observations import ActionMask, DataPart
from co_gym.registration import NAMES
from co_gym.testing import assert_same

IDS = [f"co_gym/{name}{suffix}-v0" for name in NAMES for suffix in ("", "-Flat")]
SMALL = {
    "TSP": {"num_nodes": 5},
    "TSPImprovement": {"num_nodes": 5, "max_steps": 4},
    "Knapsack": {"num_items": 6},
    "MultiKnapsack": {"num_items": 6, "num_constraints": 2},
    "MIS": {"num_nodes": 6},
}


def valid_actions(masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])


def test_every_entry_of_the_catalogue_is_registered() -> None:
    assert set(NAMES) == set(CATALOGUE)
    assert all(id in gymnasium.registry for id in IDS)


@pytest.mark.parametrize("id", IDS)
def test_check_env_finds_nothing(id: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        environment = gymnasium.make(id)
        check_env(environment.unwrapped)
        environment.close()


@pytest.mark.parametrize("id", IDS)
def test_observations_lie_in_their_spaces(id: str) -> None:
    rng = np.random.default_rng(1)
    vector = gymnasium.make_vec(id, num_envs=3)
    observation, info = vector.reset(seed=5)
    for _ in range(30):
        assert vector.observation_space.contains(observation)
        observation, _, _, _, info = vector.step(valid_actions(info["action_mask"], rng))


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("suffix", ["", "-Flat"])
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=4)
@given(
    seed=st.integers(0, 10_000),
    num_envs=st.integers(1, 4),
    dense=st.booleans(),
    invalid=st.sampled_from([0.0, 0.2]),
)
def test_vector_equals_sync(
    name: str, suffix: str, mode: AutoresetMode, seed: int, num_envs: int, dense: bool, invalid: float
) -> None:
    """Step by step, under the same seeds and actions, infos included; now and then against the mask."""
    id = f"co_gym/{name}{suffix}-v0"
    keywords = SMALL[name] | {"reward": "dense" if dense else "sparse"}
    ours = gymnasium.make_vec(id, num_envs=num_envs, autoreset_mode=mode, **keywords)
    sync = SyncVectorEnv([lambda: gymnasium.make(id, **keywords)] * num_envs, autoreset_mode=mode)
    assert ours.observation_space == sync.observation_space
    assert ours.action_space == sync.action_space
    rng = np.random.default_rng(seed)
    assert_same(ours.reset(seed=seed), sync.reset(seed=seed), "reset")
    masks = ours.action_masks()
    for step in range(14):
        actions = valid_actions(masks, rng)
        wild = rng.random(num_envs) < invalid
        actions[wild] = rng.integers(0, ours.single_action_space.n, size=wild.sum())
        a, b = ours.step(actions), sync.step(actions)
        assert_same(a, b, f"step {step}")
        ended = a[2]
        if mode is AutoresetMode.DISABLED and ended.any():
            options = {"reset_mask": ended}
            assert_same(ours.reset(options=dict(options)), sync.reset(options=dict(options)), "masked reset")
        masks = ours.action_masks()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reward", ["sparse", "dense"])
def test_return_is_the_verified_objective(name: str, reward: str) -> None:
    """The sum of the rewards of an episode is the objective that the verifier computes."""
    rng = np.random.default_rng(3)
    environment = gymnasium.make(f"co_gym/{name}-v0", reward=reward, **SMALL[name]).unwrapped
    for seed in range(3):
        _, info = environment.reset(seed=seed)
        first = environment.episodes.environment.reward(environment.episodes.state).item()
        total, ended = 0.0, False
        while not ended:
            _, gained, ended, _, info = environment.step(rng.choice(np.flatnonzero(info["action_mask"])))
            total += gained
        episodes = environment.episodes
        from co_gym.envs.batch import unstack

        (instance,) = unstack(episodes.entry.problem, episodes.state.data)
        check = co_gym.verify(instance, episodes.environment.solution(episodes.state)[0].numpy())
        sign = -1 if episodes.problem.sense == "minimize" else 1
        start = first if reward == "dense" and name == "TSPImprovement" else 0.0
        assert check.feasible
        assert check.objective == pytest.approx(info["objective"], rel=1e-5)
        assert start + total == pytest.approx(sign * info["objective"], rel=1e-4)


def test_berlin52_from_its_file(data: Path) -> None:
    """Integral distances: the optimal tour earns minus 7542, to the unit."""
    from co_gym.io.tsplib_tour import read_tour

    environment = gymnasium.make("co_gym/TSP-v0", instances=str(data / "berlin52.tsp"))
    environment.reset(seed=0)
    for city in read_tour(data / "berlin52.opt.tour"):
        _, reward, ended, _, _ = environment.step(city)
    assert ended
    assert reward == -7542.0


def test_several_files_of_one_size(data: Path) -> None:
    instances = co_gym.problem("tsp").generate(7, count=3, seed=1)
    vector = gymnasium.make_vec("co_gym/TSP-v0", num_envs=20, instances=instances)
    observation, _ = vector.reset(seed=0)
    assert len(np.unique(observation["coordinates"], axis=0)) == 3
    with pytest.raises(co_gym.InputError, match="different sizes"):
        gymnasium.make("co_gym/TSP-v0", instances=[instances[0], str(data / "berlin52.tsp")])
    with pytest.raises(co_gym.InputError, match="expected tsp"):
        gymnasium.make("co_gym/TSP-v0", instances=str(data / "karate.gph"))


def test_explicit_matrix_gets_coordinates_to_look_at(data: Path) -> None:
    observation, _ = gymnasium.make("co_gym/TSP-v0", instances=str(data / "gr17.tsp")).reset(seed=0)
    assert observation["coordinates"].shape == (17, 2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["rgb_array", "ansi"])
def test_render(name: str, mode: str) -> None:
    environment = gymnasium.make(f"co_gym/{name}-v0", render_mode=mode, **SMALL[name])
    _, info = environment.reset(seed=0)
    ended = False
    while not ended:
        picture = environment.render()
        _, _, ended, _, info = environment.step(int(np.argmax(info["action_mask"])))
    if mode == "ansi":
        assert "objective" in picture
        assert "\u2800" in environment.render()
    else:
        assert picture.shape == (400, 400, 3)
        assert picture.dtype == np.uint8
        assert picture.std() > 0


def test_invalid_action_ends_the_episode_or_raises() -> None:
    environment = gymnasium.make("co_gym/TSP-v0", num_nodes=5, invalid_penalty=7.0)
    environment.reset(seed=0)
    environment.step(2)
    _, reward, ended, truncated, _ = environment.step(2)
    assert (reward, ended, truncated) == (-7.0, True, False)
    with pytest.raises(gymnasium.error.ResetNeeded):
        environment.unwrapped.step(0)
    strict = gymnasium.make_vec("co_gym/TSP-v0", num_envs=2, num_nodes=5, invalid="raise")
    strict.reset(seed=0)
    strict.step([2, 3])
    with pytest.raises(co_gym.InputError, match="environment 1"):
        strict.step([1, 3])


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"num_items": 5}, "num_items"),
        ({"reward": "lots"}, "sparse or dense"),
        ({"distribution": "nope"}, "nope"),
        ({"options": {"x": 1}}, "x"),
    ],
)
def test_unknown_keywords_are_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(co_gym.InputError, match=message):
        gymnasium.make("co_gym/TSP-v0", **keywords)


def test_parts_can_be_replaced() -> None:
    environment = gymnasium.make("co_gym/MIS-v0", num_nodes=8, observation=[DataPart("weights"), ActionMask()])
    observation, _ = environment.reset(seed=0)
    assert set(observation) == {"weights", "action_mask"}


def test_parts_by_name() -> None:
    wanted = ["current_distances", "coordinates", "current", "action_mask"]
    environment = gymnasium.make("co_gym/TSP-v0", num_nodes=6, observation=wanted)
    first, _ = environment.reset(seed=0)
    assert not first["current_distances"].any()
    seen, *_ = environment.step(4)
    expected = np.linalg.norm(seen["coordinates"] - seen["coordinates"][4], axis=1)
    np.testing.assert_allclose(seen["current_distances"], expected, rtol=1e-6)
    with pytest.raises(co_gym.InputError, match="current_distances"):
        gymnasium.make("co_gym/TSP-v0", observation=["distances"])


def test_action_masks_for_maskable_policies() -> None:
    environment = gymnasium.make("co_gym/Knapsack-v0", num_items=6)
    observation, info = environment.reset(seed=0)
    masks = environment.get_wrapper_attr("action_masks")()
    assert masks.dtype == bool
    np.testing.assert_array_equal(masks, observation["action_mask"])
    np.testing.assert_array_equal(masks, info["action_mask"])


def test_streams_do_not_depend_on_the_other_rows() -> None:
    few = gymnasium.make_vec("co_gym/TSP-v0", num_envs=2, num_nodes=4)
    many = gymnasium.make_vec("co_gym/TSP-v0", num_envs=5, num_nodes=4)
    for _ in range(20):
        a, b = few.reset(seed=9)[0], many.reset(seed=9)[0]
        np.testing.assert_array_equal(a["coordinates"], b["coordinates"][:2])


def test_same_seed_same_episode_in_another_process() -> None:
    code = (
        "import gymnasium, co_gym, hashlib\n"
        "v = gymnasium.make_vec('co_gym/MIS-v0', num_envs=3, num_nodes=9)\n"
        "o, i = v.reset(seed=4)\n"
        "h = hashlib.sha256()\n"
        "for _ in range(25):\n"
        "    o, r, *_, i = v.step(i['action_mask'].argmax(1))\n"
        "    [h.update(o[k].tobytes()) for k in sorted(o)]; h.update(r.tobytes())\n"
        "print(h.hexdigest())"
    )
    runs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in "ab"
    }
    assert len(runs) == 1


def test_spec_survives_json() -> None:
    environment = gymnasium.make("co_gym/TSP-v0", num_nodes=6)
    assert environment.spec is not None
    copy = gymnasium.envs.registration.EnvSpec.from_json(environment.spec.to_json())
    assert copy.make().action_space.n == 6
