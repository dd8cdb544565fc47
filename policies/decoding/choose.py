"""How an action is chosen from logits."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from co_gym.errors import InputError
from policies.kernels import pointer as kernels


class Greedy:
    """The most probable action; the lowest of several."""

    def __call__(self, logits: Tensor) -> Tensor:
        """Actions int64 [...] from logits [..., n], -inf where not admissible."""
        return logits.argmax(-1)


class Sampling:
    """Draws actions from the softmax of the logits, by inversion.

    The stream of random numbers belongs to this object, one for each device it meets.

    Args:
        temperature: The logits are divided by this, > 0; below 1 likely actions become likelier.
        top_k: Only the k most probable actions are drawn; 0: all.
        top_p: Only the smallest set of most probable actions that holds at least this probability is drawn
            (Holtzman et al. 2020), in (0, 1]; 1: all.
        seed: Where the stream begins, >= 0.

    Raises:
        InputError: If an argument is outside its range.
    """

    def __init__(self, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, seed: int = 0) -> None:
        if not (temperature > 0 and np.isfinite(temperature)):
            raise InputError(f"temperature is {temperature}: expected a number above 0")
        if top_k < 0:
            raise InputError(f"top_k is {top_k}: expected at least 1, or 0 for all")
        if not 0 < top_p <= 1:
            raise InputError(f"top_p is {top_p}: expected a number in (0, 1]")
        self.temperature, self.top_k, self.top_p = temperature, top_k, top_p
        self.reseed(seed)

    def reseed(self, *entropy: int) -> None:
        """Begins the stream that these numbers >= 0 determine, such as (seed, epoch, step)."""
        if not entropy or min(entropy) < 0:
            raise InputError(f"seed is {entropy}: expected numbers of at least 0")
        # 63 bits, which every device's generator takes
        self._seed = int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))
        self._generators: dict[torch.device, torch.Generator] = {}

    def __call__(self, logits: Tensor) -> Tensor:
        """Actions int64 [...] from logits [..., n], -inf where not admissible."""
        if self.temperature != 1.0:
            logits = logits / self.temperature
        logits = restrict(logits, self.top_k, self.top_p)
        generator = self._generator(logits.device)
        if logits.is_cpu:
            return _inverted_compiled(logits, generator)
        return inverted(logits, torch.rand(logits.shape[:-1], device=logits.device, generator=generator))

    def _generator(self, device: torch.device) -> torch.Generator:
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(self._seed)
        return self._generators[device]


def restrict(logits: Tensor, top_k: int = 0, top_p: float = 1.0) -> Tensor:
    """Logits [..., n] with -inf outside the k most probable actions, then outside the top-p set of those.

    Args:
        logits: [..., n]; -inf where not admissible.
        top_k: How many stay, ties to the lowest index; 0: all.
        top_p: Probability that stays at least, in (0, 1]; 1: all.
    """
    n = logits.shape[-1]
    if top_k == 0 and top_p == 1.0:
        return logits
    count = min(top_k, n) if top_k else n
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    ordered, order = ordered[..., :count], order[..., :count]
    if top_p < 1.0:
        probability = ordered.softmax(-1)
        before = probability.cumsum(-1) - probability
        ordered = ordered.masked_fill(before >= top_p, -torch.inf)
    return torch.full_like(logits, -torch.inf).scatter(-1, order, ordered)


def inverted(logits: Tensor, uniform: Tensor) -> Tensor:
    """Draws int64 [...] from the softmax of logits [..., n] by uniform numbers [...] in [0, 1), on any device."""
    probability = logits.softmax(-1, dtype=torch.float32)
    cumulated = probability.cumsum(-1)
    reached = cumulated > uniform.unsqueeze(-1) * cumulated[..., -1:]
    reached &= probability > 0
    # rounding may leave nothing reached: then the last action that can be drawn
    last = logits.shape[-1] - 1 - (probability > 0).flip(-1).to(torch.uint8).argmax(-1)
    return torch.where(reached.any(-1), reached.to(torch.uint8).argmax(-1), last)


def _inverted_compiled(logits: Tensor, generator: torch.Generator) -> Tensor:
    actions = torch.empty(logits.shape[:-1], dtype=torch.int64)
    uniform = torch.rand(actions.numel(), dtype=torch.float64, generator=generator)
    rows = logits.detach().float().contiguous().view(-1, logits.shape[-1])
    kernels.sample(rows.numpy(), uniform.numpy(), actions.view(-1).numpy())
    return actions
