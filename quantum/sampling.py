"""What simulators do alike: angles are checked, and basis states drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError


def checked_angles(angles: NDArray, num_parameters: int) -> NDArray:
    """[P] float64, the angles.

    Raises:
        InputError: If they have another shape or are not finite.
    """
    angles = np.asarray(angles, dtype=np.float64)
    if angles.shape != (num_parameters,):
        raise InputError(f"angles have shape {angles.shape}: expected ({num_parameters},)")
    if not np.isfinite(angles).all():
        raise InputError("angles are not finite: expected finite numbers")
    return angles


def drawn(probabilities: NDArray, shots: int, rng: np.random.Generator) -> NDArray:
    """[shots] int64, positions in probabilities [K], drawn by these.

    Raises:
        InputError: If there is a negative number of shots.
    """
    if shots < 0:
        raise InputError(f"{shots} shots: expected at least 0")
    cumulated = np.cumsum(probabilities)
    found = np.searchsorted(cumulated, rng.random(shots) * cumulated[-1], side="right")
    return np.minimum(found, cumulated.size - 1)  # a product may be rounded up to the sum
