"""Uniform draws among admissible actions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.envs.kernels.rows import inlined
from co_gym.envs.kernels.words import WORD, count, find
from co_gym.solvers.kernels.compiled import kernel
from co_gym.solvers.kernels.rng import below

_TRIES = 3


@inlined
def _count(mask: NDArray[np.bool_], words: NDArray[np.uint64]) -> int:
    n = mask.size
    total = first = 0
    while first + WORD <= n:
        total += count(words[first])
        first += WORD
    for j in range(first, n):
        total += mask[j]
    return total


@inlined
def _nth(mask: NDArray[np.bool_], words: NDArray[np.uint64], rank: int) -> int:
    """The position of the true entry of a row with `rank` others before it."""
    n = mask.size
    first = 0
    while first + WORD <= n:
        here = count(words[first])
        if here > rank:
            return first + find(words[first], rank)
        rank -= here
        first += WORD
    for j in range(first, n):
        if mask[j]:
            if rank == 0:
                return j
            rank -= 1
    return -1


@kernel
def draw(
    mask: NDArray[np.bool_], words: NDArray[np.uint64], done: NDArray[np.bool_], rng: NDArray[np.uint64]
) -> NDArray[np.int64]:
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
            admissible = _count(mask[row], words[row])
            hit = _nth(mask[row], words[row], below(rng, admissible)) if admissible > 0 else 0
        out[row] = hit
    return out
