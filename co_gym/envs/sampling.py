"""Random admissible actions."""

from __future__ import annotations

import torch
from torch import Tensor

from co_gym.envs.kernels.sampling import draw
from co_gym.envs.kernels.words import words
from co_gym.envs.state import State
from co_gym.envs.tensors import flat
from co_gym.solvers.kernels.rng import seed_state


class RandomPolicy:
    """Draws uniformly among the admissible actions of each row; finished rows get action 0.

    One seed gives one sequence of actions on the CPU and another one elsewhere.

    Args:
        seed: Any integer.
        compiled: Whether the compiled kernel may be used on the CPU.
    """

    def __init__(self, seed: int = 0, *, compiled: bool = True) -> None:
        self.seed = seed
        self.compiled = compiled
        self._bits = seed_state(seed)
        self._generators: dict[torch.device, torch.Generator] = {}
        self._shared: dict[tuple[int, torch.device], Tensor] = {}

    def __call__(self, state: State) -> Tensor:
        """Actions for a state: int64 of its batch size, a new tensor."""
        if state.shares_mask:
            return self._among(state)
        mask, done = state.action_mask, state.done
        if self.compiled and done.is_cpu:
            dims = done.ndim
            rows, ended = (
                (state.arrays[0], state.arrays[4])
                if state.arrays
                else (flat(mask.contiguous(), dims), flat(done, dims))
            )
            action = torch.from_numpy(draw(rows, words(rows), ended, self._bits))
            return action if dims == 1 else action.view(done.shape)
        noise = torch.rand(mask.shape, device=mask.device, generator=self._generator(mask.device))
        return noise.masked_fill_(~mask, -1.0).argmax(-1)

    def _among(self, state: State) -> Tensor:
        """Draws where all rows have the same actions at all times."""
        n, device = state.action_mask.shape[-1], state.device
        if (n, device) not in self._shared:
            self._shared[n, device] = state.action_mask[(0,) * state.done.ndim].nonzero().squeeze(-1)
        actions = self._shared[n, device]
        index = torch.randint(actions.numel(), state.done.shape, device=device, generator=self._generator(device))
        return actions[index]

    def _generator(self, device: torch.device) -> torch.Generator:
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(self.seed % (1 << 63))
        return self._generators[device]
