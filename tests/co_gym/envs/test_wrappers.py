"""Normalization and symmetries keep tours what they are."""

from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch

import co_gym  # noqa: F401 - registers the ids
from co_gym.envs.wrappers import SYMMETRIES, DihedralAugmentation, NormalizeCoordinates, augment, symmetry


def pairwise(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


def test_symmetries_are_eight_different_isometries_of_the_square() -> None:
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0.25, 0.5]], dtype=np.float32)
    images = [corners @ matrix.T + offset for matrix, offset in map(symmetry, range(SYMMETRIES))]
    assert len({image.tobytes() for image in images}) == SYMMETRIES
    for image in images:
        np.testing.assert_allclose(pairwise(image), pairwise(corners), atol=1e-6)
        assert {tuple(p) for p in image[:4].tolist()} == {tuple(p) for p in corners[:4].tolist()}
    np.testing.assert_array_equal(images[0], corners)


def test_augment_keeps_lengths_of_all_tours() -> None:
    points = torch.rand(3, 7, 2)
    copies = augment(points)
    assert copies.shape == (24, 7, 2)
    assert torch.equal(copies[:3], points)
    expected = torch.cdist(points, points).repeat(8, 1, 1)
    torch.testing.assert_close(torch.cdist(copies, copies), expected, atol=1e-5, rtol=1e-5)


def test_normalized_file(data: Path) -> None:
    environment = NormalizeCoordinates(gymnasium.make("co_gym/TSP-v0", instances=str(data / "berlin52.tsp")))
    observation, _ = environment.reset(seed=0)
    assert environment.observation_space.contains(observation)
    assert observation["coordinates"].min() == 0
    assert observation["coordinates"].max() == 1
    observation, *_ = environment.step(7)
    np.testing.assert_allclose(observation["current_coordinates"], observation["coordinates"][7], atol=1e-6)


def test_augmented_episodes_differ_and_reward_does_not() -> None:
    plain = gymnasium.make("co_gym/TSP-v0", num_nodes=6)
    turned = DihedralAugmentation(gymnasium.make("co_gym/TSP-v0", num_nodes=6))
    maps = set()
    for seed in range(20):
        a, b = plain.reset(seed=seed)[0], turned.reset(seed=seed)[0]
        np.testing.assert_allclose(pairwise(a["coordinates"]), pairwise(b["coordinates"]), atol=1e-5)
        maps.add(turned._matrix.tobytes())
        for city in range(6):
            reward = plain.step(city)[1], turned.step(city)[1]
        assert reward[0] == reward[1]
    assert len(maps) > 3


def test_other_environments_are_refused() -> None:
    with pytest.raises(TypeError, match="no coordinates"):
        NormalizeCoordinates(gymnasium.make("co_gym/Knapsack-v0"))
