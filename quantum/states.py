"""Memory of states, and how the compiled loops go over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantum.passes import Passes


@dataclass(frozen=True, eq=False)
class State:
    """Amplitudes, in memory for at least as many as a tile has.

    Attributes:
        real: [N] float64 or float32, beginning at a cache line.
        imag: [N] likewise.
    """

    real: NDArray
    imag: NDArray

    @classmethod
    def empty(cls, size: int, dtype: type) -> State:
        """Memory for a state."""
        return cls(_aligned(size, dtype), _aligned(size, dtype))


def _aligned(size: int, dtype: type) -> NDArray:
    count = size * np.dtype(dtype).itemsize
    raw = np.empty(count + 64, dtype=np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + count].view(dtype)


@dataclass(frozen=True, eq=False)
class Layout:
    """Where qubits are in memory, and how loops go over them.

    Attributes:
        size: Length of the arrays of a state.
        dtype: float64 or float32.
        forward: Passes of one state.
        backward: Passes of a state and a costate.
        threads: How many threads share a layer.
    """

    size: int
    dtype: type
    forward: Passes
    backward: Passes
    threads: int

    @classmethod
    def of(cls, num_qubits: int, dtype: type, threads: int) -> Layout:
        """For a number of qubits."""
        lanes, block = (3, 15) if dtype is np.float64 else (4, 16)
        size = max(num_qubits, lanes + 6)
        forward = Passes.of(num_qubits, size, lanes, 3, block)
        backward = Passes.of(num_qubits, size, lanes, 2, block)
        return cls(1 << size, dtype, forward, backward, threads)
