"""gymnasium environments, single and vectorized, over one batched environment.

Both are thin: `Episodes` holds the state and turns it into observations, rewards and infos for a batch of rows,
and a single environment is a batch of one. So a vector environment does what `SyncVectorEnv` over single ones
does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from co_gym.envs import rendering
from co_gym.envs.episodes import Episodes
from co_gym.envs.rows import Row


class COEnv(gymnasium.Env):
    """A combinatorial problem as a gymnasium environment; see `docs/environments.md` for each id.

    Args:
        name: Key of the catalogue.
        render_mode: `"rgb_array"`, `"ansi"` or None.
        **keywords: See `Episodes`.
    """

    metadata = {"render_modes": ["rgb_array", "ansi"], "render_fps": 4}

    def __init__(self, name: str, *, render_mode: str | None = None, **keywords: Any) -> None:
        self.episodes = Episodes(name, 1, **keywords)
        self.observation_space = self.episodes.observation_space
        self.action_space = self.episodes.action_space
        self.render_mode = render_mode

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """A new instance; `seed` starts the stream of instances anew."""
        super().reset(seed=seed)
        if seed is not None:
            self.episodes.source.seed(0, seed)
        self.episodes.begin()
        return self._observation(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env`."""
        if self.episodes.state is None or self.episodes.done[0]:
            raise gymnasium.error.ResetNeeded("the episode has ended or not begun: call reset()")
        rewards, ended = self.episodes.act(np.asarray(action).reshape(1))
        info = self._info()
        if ended is not None:
            info["objective"] = float(self.episodes.objectives()[0])
        return self._observation(), float(rewards[0]), ended is not None, False, info

    def action_masks(self) -> NDArray:
        """Admissible actions, bool [A], where sb3-contrib looks for them."""
        return self.episodes.masks()[0].astype(bool)

    def render(self) -> Any:
        """A picture (uint8 [height, width, 3]) or a text of the episode so far."""
        if self.render_mode is None:
            gymnasium.logger.warn("render() without a render_mode: expected rgb_array or ansi in gymnasium.make")
            return None
        return rendering.render(self.episodes, 0, self.render_mode)

    def _observation(self) -> Any:
        observation = self.episodes.observe()
        if self.episodes.flat:
            return self.episodes.flatten(observation)[0]
        return {name: value[0].copy() for name, value in observation.items()}

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self.episodes.masks()[0]}


class COVectorEnv(VectorEnv):
    """Many episodes of one problem in one batched environment, on NumPy arrays.

    Args:
        name: Key of the catalogue.
        num_envs: Rows of the batch.
        autoreset_mode: What happens after an episode's end; `SAME_STEP` by default: the observation is that of the
            next episode and the last one stands in `info["final_obs"]`.
        render_mode: `"rgb_array"`, `"ansi"` or None.
        **keywords: See `Episodes`.
    """

    metadata = {"render_modes": ["rgb_array", "ansi"], "render_fps": 4, "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(
        self,
        name: str,
        *,
        num_envs: int = 1,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        render_mode: str | None = None,
        **keywords: Any,
    ) -> None:
        self.num_envs = num_envs
        self.episodes = Episodes(name, num_envs, **keywords)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**type(self).metadata, "autoreset_mode": self.autoreset_mode}
        self.render_mode = render_mode
        self.single_observation_space = self.episodes.observation_space
        self.single_action_space = self.episodes.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._all = np.ones(num_envs, dtype=bool)
        self._all.setflags(write=False)
        self._pending: NDArray | None = None

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """New instances in all rows, or in those of `options["reset_mask"]`.

        Args:
            seed: Row i is seeded with seed + i, or with the i-th of several.
            options: `reset_mask`, bool [num_envs].

        Raises:
            ValueError: If the mask or the number of seeds does not fit.
        """
        mask = _reset_mask(options, self.num_envs)
        seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int | np.integer) else seed
        if seeds is not None:
            if len(seeds) != self.num_envs:
                raise ValueError(f"{len(seeds)} seeds for {self.num_envs} environments")
            for row in range(self.num_envs) if mask is None else np.flatnonzero(mask).tolist():
                if seeds[row] is not None:
                    self.episodes.source.seed(row, seeds[row])
        if mask is not None and self.episodes.state is None and not mask.all():
            raise ValueError("the first reset must be of all environments")
        self.episodes.begin(None if mask is None else np.flatnonzero(mask))
        restarted = self._all if mask is None else mask
        if self._pending is not None:
            left = self._pending & ~restarted
            self._pending = left if left.any() else None
        observation = self._observation()
        return observation, self._info(restarted, None, observation)

    def step(self, actions: Any) -> tuple[Any, NDArray, NDArray, NDArray, dict[str, Any]]:
        """See `gymnasium.vector.VectorEnv`."""
        episodes, pending = self.episodes, self._pending
        if pending is not None and self.autoreset_mode is AutoresetMode.DISABLED:
            rows = np.flatnonzero(pending).tolist()
            raise gymnasium.error.ResetNeeded(f"environments {rows[:10]} have ended: reset them by a reset_mask")
        rewards, ended = episodes.act(actions)
        if pending is not None:
            episodes.begin(np.flatnonzero(pending))
            self._pending = None
        info: dict[str, Any] = {}
        same_step = ended is not None and self.autoreset_mode is AutoresetMode.SAME_STEP
        if ended is not None and same_step:
            info = self._final(ended)
            episodes.begin(np.flatnonzero(ended))
        elif ended is not None:
            self._pending = ended
        observation = self._observation()
        info |= self._info(self._all, None if same_step else ended, observation)
        terminated = np.zeros(self.num_envs, dtype=bool) if ended is None else ended.copy()
        return observation, rewards, terminated, np.zeros(self.num_envs, dtype=bool), info

    def action_masks(self) -> NDArray:
        """Admissible actions, bool [num_envs, A]."""
        return self.episodes.masks().astype(bool)

    def render(self) -> tuple[Any, ...] | None:
        """A picture or text for each row."""
        if self.render_mode is None:
            return None
        return tuple(rendering.render(self.episodes, row, self.render_mode) for row in range(self.num_envs))

    def _observation(self) -> Any:
        observation = self.episodes.observe()
        return self.episodes.flatten(observation) if self.episodes.flat else observation

    def _info(self, rows: NDArray, ended: NDArray | None, observation: Any) -> dict[str, Any]:
        """Info of the given rows in the form of `VectorEnv`: a value and a mask for each key."""
        mask = None if self.episodes.flat else observation.get("action_mask")
        if rows is not self._all:
            mask = self.episodes.masks() * rows[:, None]
        elif mask is None:
            mask = self.episodes.masks()
        info = {"action_mask": mask, "_action_mask": rows}
        if ended is not None:
            info |= {"objective": np.where(ended, self.episodes.objectives(), 0.0), "_objective": ended.copy()}
        return info

    def _final(self, ended: NDArray) -> dict[str, Any]:
        """The last observations and infos of the episodes that ended."""
        observation = self._observation()
        final = np.full(self.num_envs, None, dtype=object)
        for row in np.flatnonzero(ended).tolist():
            final[row] = observation[row] if self.episodes.flat else Row(observation, row)
        return {
            "final_obs": final,
            "_final_obs": ended.copy(),
            "final_info": self._info(ended, ended, observation),
            "_final_info": ended.copy(),
        }


def _reset_mask(options: Mapping[str, Any] | None, num_envs: int) -> NDArray | None:
    if options is None or "reset_mask" not in options:
        return None
    mask = options["reset_mask"]
    if not isinstance(mask, np.ndarray) or mask.shape != (num_envs,) or mask.dtype != bool or not mask.any():
        raise ValueError(f"reset_mask must be a bool array of shape ({num_envs},) with at least one True")
    return mask
