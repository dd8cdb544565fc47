"""Angles of phases and mixers to begin with, and from one depth to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError

PHASES = (
    (0.5000,),
    (0.3817, 0.6655),
    (0.3297, 0.5688, 0.6406),
    (0.2949, 0.5144, 0.5586, 0.6429),
    (0.2705, 0.4804, 0.5074, 0.5646, 0.6397),
    (0.2528, 0.4531, 0.4750, 0.5146, 0.5650, 0.6392),
    (0.2383, 0.4327, 0.4516, 0.4830, 0.5147, 0.5686, 0.6393),
    (0.2268, 0.4163, 0.4333, 0.4608, 0.4816, 0.5180, 0.5719, 0.6396),
)
MIXERS = (
    (0.3927,),
    (0.4960, 0.2690),
    (0.5500, 0.3675, 0.2109),
    (0.5710, 0.4176, 0.3028, 0.1729),
    (0.5899, 0.4492, 0.3559, 0.2643, 0.1486),
    (0.6004, 0.4670, 0.3880, 0.3176, 0.2325, 0.1291),
    (0.6085, 0.4810, 0.4090, 0.3534, 0.2857, 0.2080, 0.1146),
    (0.6151, 0.4906, 0.4244, 0.3780, 0.3224, 0.2606, 0.1884, 0.1030),
)


def ramp(layers: int, most: float = 0.75) -> tuple[NDArray, NDArray]:
    """Angles [layers] of phases, rising linearly, and of mixers, falling: an anneal (Sack and Serbyn 2021).

    Args:
        layers: How many.
        most: Greatest angle, in units of the inverse scale of the Hamiltonian.
    """
    share = (np.arange(layers) + 0.5) / layers
    return most * share, most * (1.0 - share)


def schedule(layers: int) -> tuple[NDArray, NDArray]:
    """Angles [layers] of phases and mixers: `fixed` ones as far as they are known, else a `ramp`."""
    return fixed(layers) if layers <= len(PHASES) else ramp(layers)


def interpolated(angles: NDArray) -> NDArray:
    """[rows + 1, columns] float64, angles of one more layer from those [rows, columns] (Zhou et al. 2020)."""
    rows = angles.shape[0]
    padded = np.vstack([np.zeros_like(angles[:1]), angles, np.zeros_like(angles[:1])])
    share = np.arange(rows + 1)[:, None] / rows
    return share * padded[:-1] + (1.0 - share) * padded[1:]


def fixed(layers: int) -> tuple[NDArray, NDArray]:
    """Angles [layers] of phases and mixers of QAOA that are optimal for the Sherrington-Kirkpatrick model.

    For infinitely many spins with random couplings to all others (Farhi et al. 2022, table 4), in units of the
    inverse scale of the Hamiltonian, the root mean square field.

    Raises:
        InputError: If there are none for so many layers.
    """
    if not 1 <= layers <= len(PHASES):
        raise InputError(f"fixed angles for {layers} layers: expected 1 to {len(PHASES)}")
    return np.array(PHASES[layers - 1]), np.array(MIXERS[layers - 1])
