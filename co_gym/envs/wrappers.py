"""Coordinates in the unit square and under its symmetries, for gymnasium and for batches of tensors."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

POINTS = ("coordinates", "current_coordinates")
"""The entries of an observation that hold positions."""

SYMMETRIES = 8


class _CoordinateWrapper(gymnasium.Wrapper):
    """Maps positions by an affine map that is chosen at the start of each episode.

    Args:
        env: An environment whose observation is a dict with `coordinates` [n, 2].

    Raises:
        TypeError: If it is not.
    """

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        space = env.observation_space
        if not isinstance(space, spaces.Dict) or "coordinates" not in space.spaces:
            raise TypeError(f"{env} has no coordinates in its observation: expected a dict with that entry")
        unit = {key: spaces.Box(0.0, 1.0, space[key].shape, np.float32) for key in POINTS if key in space.spaces}
        self.observation_space = spaces.Dict({**space.spaces, **unit})
        self._matrix, self._offset = np.eye(2, dtype=np.float32), np.zeros(2, dtype=np.float32)

    def _choose(self, points: NDArray) -> None:
        """Sets the map for an episode on these cities [n, 2]."""

    def _mapped(self, observation: dict[str, NDArray]) -> dict[str, NDArray]:
        started = "current" not in observation or int(observation["current"][0]) >= 0
        mapped = {
            key: np.clip(observation[key] @ self._matrix.T + self._offset, 0.0, 1.0).astype(np.float32)
            for key in POINTS
            if key in observation and (key == "coordinates" or started)
        }
        return {**observation, **mapped}

    def reset(self, **keywords: Any) -> tuple[dict[str, NDArray], dict[str, Any]]:
        """Chooses the map of the new episode."""
        observation, info = self.env.reset(**keywords)
        self._choose(observation["coordinates"])
        return self._mapped(observation), info

    def step(self, action: Any) -> tuple[dict[str, NDArray], SupportsFloat, bool, bool, dict[str, Any]]:
        """Maps what is observed; rewards stay in the instance's own units."""
        observation, *rest = self.env.step(action)
        return self._mapped(observation), *rest  # type: ignore[return-value]


class NormalizeCoordinates(_CoordinateWrapper):
    """Moves and scales the cities into the unit square, by one factor for both axes."""

    def _choose(self, points: NDArray) -> None:
        low = points.min(axis=0)
        extent = float(np.ptp(points, axis=0).max()) or 1.0
        self._matrix = np.eye(2, dtype=np.float32) / np.float32(extent)
        self._offset = (-low / extent).astype(np.float32)


class DihedralAugmentation(_CoordinateWrapper):
    """Turns and mirrors the cities of each episode by one of the eight symmetries of the unit square at random.

    For cities in the unit square; put it around `NormalizeCoordinates` for others.
    """

    def _choose(self, points: NDArray) -> None:
        matrix, offset = symmetry(int(self.env.unwrapped.np_random.integers(SYMMETRIES)))
        self._matrix, self._offset = matrix, offset


def symmetry(index: int) -> tuple[NDArray, NDArray]:
    """Matrix [2, 2] and offset [2], float32, of a symmetry of the unit square, 0 to 7; 0 is the identity."""
    flip_x, flip_y, swap = index & 1, index >> 1 & 1, index >> 2 & 1
    matrix = np.diag([1.0 - 2 * flip_x, 1.0 - 2 * flip_y])
    offset = np.array([float(flip_x), float(flip_y)])
    order = [1, 0] if swap else [0, 1]
    return matrix[order].astype(np.float32), offset[order].astype(np.float32)


def augment(coordinates: Tensor) -> Tensor:
    """All eight symmetric copies of cities in the unit square (Kwon et al. 2020).

    Args:
        coordinates: Float [B, n, 2] in [0, 1].

    Returns:
        [8 * B, n, 2]; rows k * B to (k + 1) * B - 1 are the k-th copies, the first ones the originals.
    """
    copies = []
    for index in range(SYMMETRIES):
        matrix, offset = (torch.from_numpy(a).to(coordinates) for a in symmetry(index))
        copies.append(coordinates @ matrix.T + offset)
    return torch.cat(copies)
