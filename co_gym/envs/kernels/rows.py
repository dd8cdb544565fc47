"""What the steps of all constructions share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from co_gym.solvers.kernels.compiled import inner

_compile: Any = njit
inlined: Any = _compile(cache=True, nogil=True, error_model="numpy", forceinline=True)
"""For parts of kernels that would spend as long on being called as on their work."""


@inner
def refused(action: NDArray[np.int64], check: bool, mask: NDArray[np.bool_], done: NDArray[np.bool_]) -> int:
    """The first row whose action is out of range or, with `check`, against the mask [R, A]; -1 if none is.

    Finished rows ignore their action, so any in range will do.
    """
    rows, count = mask.shape
    for row in range(rows):
        chosen = action[row]
        if chosen < 0 or chosen >= count or (check and not mask[row, chosen] and not done[row]):
            return row
    return -1


@inner
def close(row: int, mask: NDArray[np.bool_], additive: NDArray[np.float32], done: NDArray[np.bool_]) -> None:
    """Marks a row without admissible actions as done, with a mask that admits action 0."""
    done[row] = True
    mask[row, 0] = True
    additive[row, 0] = 0.0
