"""Rows of a mask read as words of eight entries: at such lengths a loop over single ones hardly vectorizes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.envs.kernels.rows import inlined

WORD = 8
_ONES = np.uint64(0x0101010101010101)
_TOPS = np.uint64(0x8080808080808080)
_LAST = np.uint64(56)
_BIT = np.uint64(7)


def words(mask: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """A view [..., max(0, n - 7)] of a contiguous mask [..., n]: at j the entries j to j + 7, a byte each."""
    *shape, n = mask.shape
    return np.ndarray((*shape, max(0, n - WORD + 1)), np.uint64, mask.data, strides=mask.strides)


@inlined
def count(word: np.uint64) -> np.int64:
    """The number of true entries of a word."""
    return np.int64((word * _ONES) >> _LAST)


@inlined
def find(word: np.uint64, rank: int) -> np.int64:
    """The position in a word of the true entry with `rank` others before it, all eight compared at once.

    Byte k of `upto` counts the entries up to the k-th; the top bits that stay are those of counts above the rank.
    """
    upto = word * _ONES
    above = ((upto | _TOPS) - np.uint64(rank + 1) * _ONES) & _TOPS
    return WORD - count(above >> _BIT)
