"""Several environments over SCIP as one: all go on at once, each in its own thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import concatenate, create_empty_array, iterate
from numpy.typing import NDArray

from milp.envs.base import SolverEnv, Step


class SolverVectorEnv(SyncVectorEnv):
    """Does what `SyncVectorEnv` over single environments does, step by step, but solves in parallel.

    Args:
        num_envs: How many environments.
        autoreset_mode: What happens after an episode's end; `SAME_STEP` by default.
        prefetch: Whether each environment begins its next episode while the present one runs. Without it, all
            environments wait for a new episode's presolving and root node.
        **keywords: Of the single environment.
    """

    single: ClassVar[Callable[..., SolverEnv]]
    envs: list[SolverEnv]  # type: ignore[assignment]
    metadata = SolverEnv.metadata | {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(
        self,
        *,
        num_envs: int = 1,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        prefetch: bool = True,
        **keywords: Any,
    ) -> None:
        make = partial(type(self).single, prefetch=prefetch)
        first = make(**keywords)
        sizes = first.limits
        shared = keywords | {
            "instances": first.task.programs,
            "max_variables": sizes.variables,
            "max_rows": sizes.rows,
            "max_edges": sizes.edges,
        }
        others = [partial(make, **shared)] * (num_envs - 1)
        super().__init__([lambda: first, *others], autoreset_mode=AutoresetMode(autoreset_mode))

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """New instances in all rows, or in those of `options["reset_mask"]`.

        Args:
            seed: Row i is seeded with seed + i, or with the i-th of several.
            options: `reset_mask`, bool [num_envs]; `instance`, the instance of every row, or one for each.

        Raises:
            ValueError: If the mask or the number of seeds or instances does not fit.
        """
        given = dict(options or {})
        mask = _reset_mask(given.pop("reset_mask", None), self.num_envs)
        seeds = _per_row(seed, self.num_envs, ascending=True)
        instances = _per_row(given.pop("instance", None), self.num_envs, ascending=False)
        rows = np.flatnonzero(mask).tolist()
        if any(self._env_obs[row] is None for row in range(self.num_envs) if not mask[row]):
            raise ValueError("the first reset must be of all environments")
        for row in rows:
            self.envs[row].begin_reset(seed=seeds[row], options=given | {"instance": instances[row]})
        infos: dict[str, Any] = {}
        for row in rows:
            infos = self._finish_reset(row, infos)
        self._autoreset_envs[mask] = False
        return self._observation(), infos

    def step(self, actions: Any) -> tuple[Any, NDArray, NDArray, NDArray, dict[str, Any]]:
        """See `gymnasium.vector.VectorEnv`."""
        resetting = self._autoreset_envs
        if resetting.any() and self.autoreset_mode is not AutoresetMode.NEXT_STEP:
            rows = np.flatnonzero(resetting).tolist()
            raise gymnasium.error.ResetNeeded(f"environments {rows[:10]} have ended: reset them by a reset_mask")
        each = list(iterate(self.action_space, actions))
        for row in np.flatnonzero(~resetting).tolist():  # before any solve goes on
            self.envs[row].check(each[row])
        for row, action in enumerate(each):
            if resetting[row]:
                self.envs[row].begin_reset()
            else:
                self.envs[row].send(action)
        infos: dict[str, Any] = {}
        steps = [None if resetting[row] else self.envs[row].receive() for row in range(self.num_envs)]
        ended = np.array([step is not None and (step[2] or step[3]) for step in steps])
        again = ended & (self.autoreset_mode is AutoresetMode.SAME_STEP)
        for row in np.flatnonzero(again).tolist():
            self.envs[row].begin_reset()
        for row, step in enumerate(steps):
            infos = self._take(row, step, again[row], infos)
        self._autoreset_envs = ended & ~again
        return (
            self._observation(),
            self._rewards.copy(),
            self._terminations.copy(),
            self._truncations.copy(),
            infos,
        )

    def action_masks(self) -> NDArray:
        """Admissible actions, bool [num_envs, size of the mask]."""
        return np.stack([env.action_masks() for env in self.envs])

    def _take(self, row: int, step: Step | None, again: bool, infos: dict[str, Any]) -> dict[str, Any]:
        """Writes down what a row's step, or its reset, has brought."""
        observation, reward, terminated, truncated, info = step or (None, 0.0, False, False, {})
        self._rewards[row], self._terminations[row], self._truncations[row] = reward, terminated, truncated
        if step is None:
            return self._finish_reset(row, infos)
        if again:
            infos = self._add_info(infos, {"final_obs": observation, "final_info": info}, row)
            return self._finish_reset(row, infos)
        self._env_obs[row] = observation
        return self._add_info(infos, info, row)

    def _finish_reset(self, row: int, infos: dict[str, Any]) -> dict[str, Any]:
        self._env_obs[row], info = self.envs[row].finish_reset()
        return self._add_info(infos, info, row)

    def _observation(self) -> Any:
        single = self.single_observation_space
        empty: Any = create_empty_array(single, self.num_envs, fn=np.zeros)
        return concatenate(single, self._env_obs, empty)


def _reset_mask(mask: Any, num_envs: int) -> NDArray:
    if mask is None:
        return np.ones(num_envs, dtype=bool)
    if not isinstance(mask, np.ndarray) or mask.shape != (num_envs,) or mask.dtype != bool or not mask.any():
        raise ValueError(f"reset_mask must be a bool array of shape ({num_envs},) with at least one True")
    return mask


def _per_row(value: Any, num_envs: int, *, ascending: bool) -> list[int | None]:
    """One number for each row: those given, or the same for all, or rising by 1 from row to row."""
    if value is None:
        return [None] * num_envs
    if isinstance(value, int | np.integer):
        return [int(value) + row * ascending for row in range(num_envs)]
    if len(value) != num_envs:
        raise ValueError(f"{len(value)} seeds or instances for {num_envs} environments")
    return list(value)
