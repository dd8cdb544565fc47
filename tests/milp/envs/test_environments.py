"""Every environment over SCIP: gymnasium's contract, the vector form, limits, and what a user can get wrong."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import co_gym
from co_gym.registration import SOLVER_NAMES
from co_gym.testing import assert_same
from milp.envs.padding import VIEWS, CandidateForm, View
from milp.rewards import NodeCount

IDS = [f"co_gym/{name}-v0" for name in SOLVER_NAMES]


def valid(action_space: Any, mask: np.ndarray, rng: np.random.Generator) -> Any:
    """A random action: admissible where actions are numbers, sparse where they are vectors."""
    if isinstance(action_space, gymnasium.spaces.Discrete):
        return int(rng.choice(np.flatnonzero(mask)))
    if isinstance(action_space, gymnasium.spaces.MultiDiscrete):
        return np.where(rng.random(len(mask)) < 0.1, rng.integers(0, 3, len(mask)), 0)
    action_space.seed(int(rng.integers(1000)))
    return action_space.sample()


@pytest.fixture
def quick(covers: Any, knapsacks: Any, bare: Any) -> dict[str, dict[str, Any]]:
    """Keywords that make short episodes, by id."""
    few = {"settings": bare, "instances": covers}
    return {
        "co_gym/Branching-v0": few,
        "co_gym/NodeSelection-v0": {"settings": bare, "instances": knapsacks, "node_limit": 12, "max_nodes": 9},
        "co_gym/PrimalSearch-v0": few | {"trials_per_node": 2},
        "co_gym/SolverConfiguration-v0": few | {"node_limit": 20},
    }


@pytest.mark.parametrize("id", IDS)
def test_check_env_finds_nothing(id: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        environment = gymnasium.make(id)
        check_env(environment.unwrapped)
        environment.close()


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("id", IDS)
def test_vector_equals_sync(id: str, mode: AutoresetMode, quick: Any) -> None:
    """Step by step, infos included; now and then against the mask. Prefetching changes nothing."""
    ours = gymnasium.make_vec(id, num_envs=3, autoreset_mode=mode, **quick[id])
    sync = SyncVectorEnv([lambda: gymnasium.make(id, **quick[id])] * 3, autoreset_mode=mode)
    assert ours.metadata["autoreset_mode"] is ours.autoreset_mode is mode
    assert (ours.observation_space, ours.action_space) == (sync.observation_space, sync.action_space)
    rng = np.random.default_rng(1)
    steps = 4 if "Configuration" in id else 12
    assert_same(ours.reset(seed=5), sync.reset(seed=5), "reset")
    empty = gymnasium.vector.utils.create_empty_array(ours.single_action_space, 3)
    for step in range(steps):
        actions = [valid(ours.single_action_space, mask, rng) for mask in ours.action_masks()]
        if step == 7 and isinstance(ours.single_action_space, gymnasium.spaces.Discrete):
            actions[1] = int(np.argmin(ours.action_masks()[1]))
        batch = gymnasium.vector.utils.concatenate(ours.single_action_space, actions, empty)
        a, b = ours.step(batch), sync.step(batch)
        assert_same(a, b, f"step {step}")
        assert ours.observation_space.contains(a[0])
        ended = a[2] | a[3]
        if mode is AutoresetMode.DISABLED and ended.any():
            masks = [{"reset_mask": ended.copy()} for _ in "ab"]
            assert_same(ours.reset(options=masks[0]), sync.reset(options=masks[1]), "masked reset")
    ours.close()
    sync.close()


@pytest.mark.parametrize("id", IDS)
def test_same_seed_same_episode(id: str, quick: Any) -> None:
    environment = gymnasium.make(id, **quick[id]).unwrapped
    runs = []
    for _ in "ab":
        rng = np.random.default_rng(3)
        trail = [environment.reset(seed=11)]
        while not (len(trail) > 1 and (trail[-1][2] or trail[-1][3])):
            trail.append(environment.step(valid(environment.action_space, trail[-1][-1]["action_mask"], rng)))
        runs.append(trail)
    assert len(runs[0]) == len(runs[1])
    for first, second in zip(*runs, strict=True):
        assert_same(first, second)
    environment.close()


@pytest.mark.parametrize("id", IDS)
def test_return_is_the_total(id: str, quick: Any) -> None:
    """Rewards and what came before the first decision add up to the whole solve."""
    environment = gymnasium.make(id, **quick[id] | {"reward": -NodeCount()}).unwrapped
    rng = np.random.default_rng(0)
    _, info = environment.reset(seed=4)
    total, ended = info["reward_offset"], False
    while not ended:
        action = valid(environment.action_space, info["action_mask"], rng)
        _, reward, terminated, truncated, info = environment.step(action)
        total, ended = total + reward, terminated or truncated
    assert total == -info["nodes"] == -environment.model.getNTotalNodes()
    assert environment.observation_space.contains(environment.reset()[0])
    environment.close()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"instance": "x"}, "keyword 'instance'"),
        ({"instances": "set-cover-tyni"}, "set-cover-tiny"),
        ({"instances": "nowhere/"}, "expected a folder"),
        ({"instances": []}, "at least one"),
        ({"instances": ["nowhere.mps"]}, "no such file"),
        ({"split": "tests"}, "split"),
        ({"observation": "bipartite"}, "node-bipartite"),
        ({"observation": 3}, "View"),
        ({"reward": "node"}, "nodes"),
        ({"settings": {"limits/gasp": 1}}, "limits/gap"),
        ({"settings": {"limits/gap": -1}}, "does not take"),
        ({"protocol": "literatur"}, "literature"),
        ({"time_limit": 0}, "more than 0"),
        ({"invalid": "ignore"}, "terminate or raise"),
        ({"max_rows": 0}, "at least 1"),
    ],
)
def test_what_a_user_can_get_wrong(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(co_gym.InputError, match=message):
        gymnasium.make("co_gym/Branching-v0", **keywords)


def test_what_can_be_wrong_with_the_other_ids() -> None:
    for id, keywords, message in [
        ("PrimalSearch", {"action": "box"}, "dict or ternary"),
        ("PrimalSearch", {"trials_per_node": 0}, "at least 1"),
        ("NodeSelection", {"max_nodes": 1}, "at least 2"),
        ("SolverConfiguration", {"action": "ternary"}, "dict or box"),
        ("SolverConfiguration", {"observation": "khalil"}, "milp-bipartite"),
        ("SolverConfiguration", {"parameters": {}}, "at least one"),
        ("SolverConfiguration", {"parameters": {"separating/maxround": None}}, "separating/maxrounds"),
        ("SolverConfiguration", {"parameters": {"branching/scorefac": (0, 2)}}, "0 to 1"),
        ("SolverConfiguration", {"parameters": {"visual/vbcfilename": None}}, "list of values"),
    ]:
        with pytest.raises(co_gym.InputError, match=message):
            gymnasium.make(f"co_gym/{id}-v0", **keywords)


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_every_observation_by_name(name: str, covers: Any, bare: Any) -> None:
    environment = gymnasium.make(
        "co_gym/Branching-v0", instances=covers, settings=bare, observation=name, raw_observation=True
    )
    observation, info = environment.reset(seed=0)
    assert environment.observation_space.contains(observation)
    candidates = np.flatnonzero(info["action_mask"])
    if name in ("khalil", "pseudocosts", "strong-branching"):
        entry = observation["candidates" if name == "khalil" else "scores"]
        assert len(info["observation"]) == len(candidates)
        assert not entry[info["action_mask"] == 0].any()
        assert entry.any()
    elif name == "node-bipartite":
        n, m, edges = observation["sizes"]
        raw = info["observation"]
        assert (n, m, edges) == (len(raw.variables), len(raw.rows), len(raw.values))
        np.testing.assert_array_equal(observation["edge_indices"][:, :edges], [raw.edge_rows, raw.indices])
        assert not observation["edge_values"][edges:].any()
    fractional = environment.unwrapped.model.getNLPBranchCands()
    assert len(candidates) == fractional
    environment.close()


def test_an_observation_of_ones_own(covers: Any, bare: Any) -> None:
    class Fractions:
        def reset(self, model: Any) -> None:
            pass

        def extract(self, model: Any) -> np.ndarray:
            return np.array(model.getLPBranchCands()[2])

    own = View(Fractions(), lambda limits: CandidateForm(limits, "fractions"))
    environment = gymnasium.make("co_gym/Branching-v0", instances=covers, settings=bare, observation=own)
    observation, info = environment.reset(seed=0)
    fractions = observation["fractions"][info["action_mask"] == 1]
    assert ((fractions > 0) & (fractions < 1)).all()
    environment.close()
