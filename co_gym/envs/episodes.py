"""Episodes of an environment of the catalogue in a batch of rows, in NumPy terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray

from co_gym import registry
from co_gym.envs.catalogue import CATALOGUE
from co_gym.envs.observations import Part
from co_gym.envs.sources import FixedSource, GeneratedSource, Source, load_instances
from co_gym.errors import InputError, unknown_name
from co_gym.instance import Instance

RewardKind = Literal["sparse", "dense"]
Invalid = Literal["terminate", "raise"]
Observation = dict[str, NDArray]


class Episodes:
    """Episodes of one environment of the catalogue in a batch of rows, in NumPy terms.

    Args:
        name: Key of `CATALOGUE`.
        num_rows: Rows.
        observation: Parts of the observation, or names of the catalogue's parts; its default ones by default.
        reward: `"sparse"`: the objective (negated where it is minimized) at the end, 0 before; `"dense"`: shares
            of it at each step, with the same sum.
        invalid: What an action against the mask does: ends the episode with reward -`invalid_penalty`, or raises.
        invalid_penalty: See above; the number of actions by default.
        instances: Files or instances to use in place of random ones.
        distribution: Name of the distribution of random instances.
        options: Parameters of the distribution, beside those that are keywords of their own.
        flat: Whether observations are one float32 vector instead of a dict.
        **keywords: The entry's size keyword, settings and distribution parameters.

    Raises:
        InputError: If a keyword or name is unknown, or an instance does not fit.
    """

    def __init__(
        self,
        name: str,
        num_rows: int,
        *,
        observation: Sequence[Part | str] | None = None,
        reward: RewardKind = "sparse",
        invalid: Invalid = "terminate",
        invalid_penalty: float | None = None,
        instances: str | Sequence[str | Instance] | Instance | None = None,
        distribution: str | None = None,
        options: Mapping[str, Any] | None = None,
        flat: bool = False,
        **keywords: Any,
    ) -> None:
        entry = CATALOGUE[name]
        known = [entry.size, *entry.settings, *entry.options]
        for keyword in keywords:
            if keyword not in known:
                raise unknown_name(f"keyword of co_gym/{name}-v0", keyword, known)
        for value, allowed in ((reward, ("sparse", "dense")), (invalid, ("terminate", "raise"))):
            if value not in allowed:
                raise InputError(f"'{value}': expected {' or '.join(allowed)}")
        self.entry, self.num_rows, self.flat = entry, num_rows, flat
        self.problem = registry.problem(entry.problem)
        self.environment = entry.make(**{k: keywords.get(k, v) for k, v in entry.settings.items()})
        self.reward_kind, self.invalid = reward, invalid
        label = distribution or entry.distribution
        self.source: Source
        if instances is None:
            size = keywords.get(entry.size, entry.default_size)
            drawn = {k: keywords.get(k, v) for k, v in entry.options.items()} | dict(options or {})
            self.source = GeneratedSource(self.problem, size, label, drawn, num_rows, entry.convert)
        else:
            loaded = load_instances(instances, entry.problem)
            self.source = FixedSource(loaded, num_rows, entry.convert)
        self._rows = np.arange(num_rows)
        sample = self.environment.reset(_tensors(self.source.probe()))
        unit = instances is None and label in entry.unit
        self.parts = _parts(observation, entry.parts(unit), entry.extras)
        self.num_actions = int(sample.action_mask.shape[-1])
        self.penalty = float(self.num_actions if invalid_penalty is None else invalid_penalty)
        self.observation_space = self._space(sample)
        self.action_space = spaces.Discrete(self.num_actions)
        self._sign = 1 if self.environment.maximize else -1
        self._objectives: NDArray | None = None
        self._fixed: Observation = {}
        self.state: Any = None

    def _space(self, sample: Any) -> spaces.Space:
        single = spaces.Dict({part.name: part.space(sample) for part in self.parts})
        self._order = list(single.spaces)
        if not self.flat:
            return single
        flat: list[Any] = [spaces.flatten_space(single[name]) for name in self._order]
        low = np.concatenate([space.low.astype(np.float32) for space in flat])
        high = np.concatenate([space.high.astype(np.float32) for space in flat])
        return spaces.Box(low, high, dtype=np.float32)

    def begin(self, rows: NDArray | None = None) -> None:
        """Starts new episodes in some rows, or in all."""
        data = _tensors(self.source.take(self._rows if rows is None else rows))
        if rows is None or len(rows) == self.num_rows:
            self.state = self.environment.reset(data)
        else:
            self.environment.reset_rows(self.state, torch.from_numpy(rows), data)
        self._readers = {part.name: part.reader(self.state) for part in self.parts}
        self._fixed = {part.name: self._readers.pop(part.name)() for part in self.parts if part.fixed}
        self._objectives = None
        self.done = self.state.done.numpy()
        self._mask = self.state.action_mask.numpy().view(np.int8)

    def act(self, actions: NDArray) -> tuple[NDArray, NDArray | None]:
        """One step. Rows that are done stay as they are.

        Returns:
            Rewards float64 [B], and which episodes ended in this step, bool [B], or None where none did.

        Raises:
            InputError: If an action is against the mask and `invalid` is `"raise"`.
        """
        state = self.state
        self._objectives = None
        if state.active != self.num_rows:
            return self._act_carefully(np.asarray(actions, dtype=np.int64))
        try:
            self.environment.step(state, torch.from_numpy(np.ascontiguousarray(actions, dtype=np.int64)))
        except InputError:
            return self._act_carefully(np.asarray(actions, dtype=np.int64))
        ended = None if state.active == self.num_rows else self.done.copy()
        return self._rewards(ended, None), ended

    def _act_carefully(self, actions: NDArray) -> tuple[NDArray, NDArray | None]:
        """A step of which some rows are done, or some actions against the mask."""
        before = self.done.copy()
        actions = np.where(before, 0, actions)
        inside = (actions >= 0) & (actions < self.num_actions)
        refused = ~(inside & (self._mask[self._rows, np.where(inside, actions, 0)] == 1) | before)
        if refused.any() and self.invalid == "raise":
            row = int(np.argmax(refused))
            raise InputError(f"action {actions[row]} in environment {row} is against the mask")
        self.done[refused] = True
        self.environment.step(self.state, torch.from_numpy(np.where(refused, 0, actions)), check=False)
        ended = self.done & ~before
        rewards = self._rewards(ended, before)
        rewards[refused] = -self.penalty
        return rewards, ended if ended.any() else None

    def _rewards(self, ended: NDArray | None, before: NDArray | None) -> NDArray:
        """Rewards of the latest step: `before` says which rows were done before it, None for none."""
        if self.reward_kind == "dense":
            step = self.environment.step_reward(self.state).numpy().astype(np.float64)
            return step if before is None else np.where(before, 0.0, step)
        if ended is None:
            return np.zeros(self.num_rows)
        return np.where(ended, self._sign * self.objectives(), 0.0)

    def observe(self) -> Observation:
        """The observation of every row. Entries fixed within episodes are shared, and never written to."""
        fixed, readers = self._fixed, self._readers
        return {name: fixed[name] if name in fixed else readers[name]() for name in self._order}

    def flatten(self, observation: Observation) -> NDArray:
        """Rows of a dict observation as float32 vectors [B, d], in the order of the space."""
        return np.concatenate(
            [observation[name].reshape(self.num_rows, -1).astype(np.float32) for name in self._order], axis=1
        )

    def masks(self) -> NDArray:
        """Admissible actions, int8 [B, A]."""
        return self._mask.copy()

    def objectives(self) -> NDArray:
        """Objective of each row's solution, float64 [B]; computed once between steps."""
        if self._objectives is None:
            self._objectives = self.environment.objective(self.state).numpy().astype(np.float64)
        return self._objectives


def _parts(
    wanted: Sequence[Part | str] | None, default: tuple[Part, ...], extras: tuple[Part, ...]
) -> tuple[Part, ...]:
    """The parts of an observation: the default ones, or those wanted, by name or as they are."""
    if wanted is None:
        return default
    named = {part.name: part for part in (*default, *extras)}
    for part in wanted:
        if isinstance(part, str) and part not in named:
            raise unknown_name("part of the observation", part, list(named))
    return tuple(named[part] if isinstance(part, str) else part for part in wanted)


def _tensors(arrays: Mapping[str, NDArray]) -> dict[str, torch.Tensor]:
    """The arrays as tensors with memory of their own."""
    return {key: torch.from_numpy(value.copy(order="C")) for key, value in arrays.items()}
