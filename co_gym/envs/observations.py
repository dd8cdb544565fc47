"""Observation parts: each reads one array from a batched state and declares its space.

An environment's observation is a dict of parts; replace or extend them by the keyword `observation`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from co_gym.envs.base import State

Reader = Callable[[], NDArray]
LARGEST = float(np.finfo(np.float32).max)


class Part(Protocol):
    """One entry of an observation."""

    @property
    def name(self) -> str:
        """Its key."""

    @property
    def fixed(self) -> bool:
        """Whether it changes at the start of an episode only."""

    def space(self, state: State) -> spaces.Space:
        """Space of a single environment's entry, given a state of any batch size."""

    def reader(self, state: State) -> Reader:
        """What reads the entry for each row, [B, ...], as a copy, as long as the state's tensors are in place."""


def _columns(tensor: Tensor) -> NDArray:
    """A tensor as an array with at least one axis behind the batch."""
    value: NDArray = tensor.numpy()
    return value[:, None] if value.ndim == 1 else value


def _space(value: NDArray, low: float, high: float, *, index: bool = False) -> spaces.Space:
    if value.dtype == bool:
        return spaces.MultiBinary(value.shape[1:])
    return spaces.Box(low, high, value.shape[1:], np.int64 if index else np.float32)


def _reader(value: NDArray, *, index: bool = False) -> Reader:
    if value.dtype == bool:
        return value.view(np.int8).copy
    return partial(value.astype, np.int64 if index else np.float32)


@dataclass(frozen=True)
class DataPart:
    """An array of the instance: int8 if it is bool, else float32.

    Attributes:
        name: Its key in the observation and in the instance's data.
        low: Least value.
        high: Greatest value.
    """

    name: str
    low: float = -LARGEST
    high: float = LARGEST
    fixed: bool = True

    def space(self, state: State) -> spaces.Space:
        """MultiBinary or Box."""
        return _space(_columns(state.data[self.name]), self.low, self.high)

    def reader(self, state: State) -> Reader:
        """See `Part`."""
        return _reader(_columns(state.data[self.name]))


@dataclass(frozen=True)
class FieldPart:
    """A tensor of the state: int8 if it is bool, int64 if it holds indices, else float32.

    Attributes:
        name: Its key in the observation and its name in the state.
        low: Least value.
        high: Greatest value; for indices the number of nodes or items less 1, whatever is given here.
        index: Whether it holds indices of nodes or items.
    """

    name: str
    low: float = -LARGEST
    high: float = LARGEST
    index: bool = False
    fixed: bool = False

    def space(self, state: State) -> spaces.Space:
        """MultiBinary or Box."""
        value = _columns(getattr(state, self.name))
        size = next(iter(state.data.values())).shape[1]
        return _space(value, self.low, size - 1 if self.index else self.high, index=self.index)

    def reader(self, state: State) -> Reader:
        """See `Part`."""
        return _reader(_columns(getattr(state, self.name)), index=self.index)


@dataclass(frozen=True)
class ActionMask:
    """1 for each admissible action, int8 [A]."""

    name: str = "action_mask"
    fixed: bool = False

    def space(self, state: State) -> spaces.Space:
        """MultiBinary."""
        return spaces.MultiBinary(state.action_mask.shape[-1])

    def reader(self, state: State) -> Reader:
        """See `Part`."""
        return _reader(state.action_mask.numpy())


@dataclass(frozen=True)
class CurrentDistances:
    """Distance from the latest city to every city, float32 [n]; 0 before the first. For tours from coordinates."""

    name: str = "current_distances"
    fixed: bool = False

    def space(self, state: State) -> spaces.Space:
        """Box."""
        return spaces.Box(0.0, LARGEST, (state.action_mask.shape[-1],), np.float32)

    def reader(self, state: State) -> Reader:
        """See `Part`."""
        points, current = state.data["coordinates"].numpy(), _columns(state.current)
        rows = np.arange(len(points))

        def read() -> NDArray:
            here = points[rows, np.maximum(current[:, 0], 0)]
            away = np.hypot(*(points[..., axis] - here[:, None, axis] for axis in (0, 1)))
            return (away * (current >= 0)).astype(np.float32)

        return read
