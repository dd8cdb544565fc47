"""Random numbers inside compiled kernels: xorshift64* (Vigna 2016) with the state in an array.

The state outlives a kernel call, so a search cut into chunks draws the same numbers as an uncut one.
"""

import numpy as np
from numpy.typing import NDArray

from .compiled import inner

_MASK = (1 << 64) - 1


def seed_state(seed: int) -> NDArray[np.uint64]:
    """Spread a seed over a generator state by one step of splitmix64 (Steele, Lea, Flood 2014).

    Args:
        seed: Any integer; taken modulo 2**64.

    Returns:
        The state, uint64[1], never zero.
    """
    z = (int(seed) + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return np.array([(z ^ (z >> 31)) or 1], dtype=np.uint64)


@inner
def next_bits(state: NDArray[np.uint64]) -> np.uint64:
    """Advance the state and return 64 random bits (uint64)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return x * np.uint64(0x2545F4914F6CDD1D)


@inner
def below(state: NDArray[np.uint64], n: int) -> np.int64:
    """Return a random integer in [0, n) for 1 <= n < 2**31 (bias below n / 2**32)."""
    high = next_bits(state) >> np.uint64(32)
    return np.int64((high * np.uint64(n)) >> np.uint64(32))


@inner
def unit(state: NDArray[np.uint64]) -> float:
    """Return a random float64 in [0, 1) with 53 bits."""
    return np.int64(next_bits(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
