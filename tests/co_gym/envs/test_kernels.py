"""The parts of the kernels that read several entries of a row at once, against entry by entry."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from co_gym.envs import MISEnv, MISState, RandomPolicy
from co_gym.envs.kernels.sampling import draw
from co_gym.envs.kernels.words import words
from co_gym.solvers.kernels.rng import seed_state

SIZES = st.sampled_from([1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50, 64, 100])


@given(n=SIZES, density=st.sampled_from([0.05, 0.5, 1.0]), seed=st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_every_admissible_action_is_drawn_and_no_other(n: int, density: float, seed: int) -> None:
    mask = np.random.default_rng(seed).random(n) < density
    many = np.repeat(mask[None], 60 * n, axis=0)
    actions = draw(many, words(many), np.zeros(len(many), np.bool_), seed_state(seed))
    assert set(actions.tolist()) == (set(np.flatnonzero(mask).tolist()) or {0})


@pytest.mark.parametrize("n", [5, 20, 50, 100])
@pytest.mark.parametrize("density", [0.02, 0.1, 0.4])
def test_draws_are_uniform_at_any_density(n: int, density: float) -> None:
    mask = np.arange(n) % max(1, int(1 / density)) == 0
    many = np.repeat(mask[None], 20000, axis=0)
    actions = draw(many, words(many), np.zeros(len(many), np.bool_), seed_state(1))
    counts = np.bincount(actions, minlength=n)[mask]
    expected = len(many) / counts.size
    degrees = counts.size - 1
    assert ((counts - expected) ** 2 / expected).sum() < degrees + 6 * np.sqrt(2 * degrees) + 10


def _graphs(n: int, seed: int) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(seed)
    adjacency = np.triu(rng.random((4, n, n)) < rng.random(), 1)
    mask = rng.random((4, n)) < 0.9
    mask[3] = seed % 3 > 0
    return {
        "weights": torch.ones(4, n),
        "adjacency": torch.from_numpy(adjacency | adjacency.transpose(0, 2, 1)),
        "node_mask": torch.from_numpy(mask),
    }


def _require_consistent(state: MISState) -> None:
    """The state is the one that its chosen nodes determine."""
    data, chosen = state.data, state.selected.float()
    near = torch.einsum("bsi,bij->bsj", chosen, data["adjacency"].float()) > 0
    open_nodes = data["node_mask"].unsqueeze(1) & ~near & ~state.selected
    assert torch.equal(state.available, open_nodes.sum(-1))
    assert torch.equal(state.done, state.available == 0)
    assert state.active == int((~state.done).sum())
    open_nodes[..., 0] |= state.done
    assert torch.equal(state.action_mask, open_nodes)
    assert torch.equal(state.additive_mask, torch.zeros(()).masked_fill(~open_nodes, -torch.inf))


@given(n=SIZES, seed=st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_independent_sets_stay_consistent_through_resets_copies_and_loads(n: int, seed: int) -> None:
    env, policy = MISEnv(), RandomPolicy(seed)
    state = env.reset(_graphs(n, seed), num_starts=2)
    for change in range(8):
        _require_consistent(state)
        env.step(state, policy(state))
        _require_consistent(state)
        if change == 2:
            fresh = {key: value[:2] for key, value in _graphs(n, seed + 1).items()}
            env.reset_rows(state, torch.tensor([3, 1]), fresh)
        if change == 4:
            state = state.clone()
        if change == 6:
            state = MISState.from_tensordict(state.to_tensordict().to_dict())
