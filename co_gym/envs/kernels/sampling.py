"""Uniform draws among admissible actions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.solvers.kernels.compiled import inner, kernel
from co_gym.solvers.kernels.rng import below

_BLOCK = 16
_TRIES = 3


@inner
def _nth(mask: NDArray[np.bool_], rank: int) -> int:
    """The position of the true entry with `rank` others before it, or -1 - count if there are fewer."""
    n = mask.size
    seen = 0
    first = 0
    while first + _BLOCK <= n:
        count: Any = np.uint8(0)
        for k in range(_BLOCK):
            count = np.uint8(count + mask[first + k])
        if seen + count > rank:
            break
        seen += count
        first += _BLOCK
    for j in range(first, n):
        if mask[j]:
            if seen == rank:
                return j
            seen += 1
    return -1 - seen


@kernel
def draw(mask: NDArray[np.bool_], done: NDArray[np.bool_], rng: NDArray[np.uint64]) -> NDArray[np.int64]:
    """An admissible action [R] of each row [R, A], all equally likely; 0 for finished rows.

    A few draws among all actions come first: they hit while many are admissible, and leave the others uniform.
    """
    rows, n = mask.shape
    out = np.zeros(rows, dtype=np.int64)
    for row in range(rows):
        if done[row]:
            continue
        hit = -1
        for _ in range(_TRIES):
            guess = below(rng, n)
            if mask[row, guess]:
                hit = guess
                break
        if hit < 0:
            count = -1 - _nth(mask[row], n)
            hit = _nth(mask[row], below(rng, count)) if count > 0 else 0
        out[row] = hit
    return out
