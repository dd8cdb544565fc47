"""From a state of a random access code to bits."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from quantum.compression import IsOver, never
from quantum.qrao.encoding import RandomAccessCode

Rounding = Literal["magic", "semideterministic"]

UNDECIDED = 1e-9
"""Expectation values below it have no sign."""

CHUNK = 1 << 22
"""Amplitudes that are measured between two looks at the clock."""


def semideterministic(code: RandomAccessCode, state: NDArray, rng: np.random.Generator) -> NDArray:
    """[1, m] uint8, signs of the variables' expectation values; by chance where that is 0 (Fuller et al. 2021)."""
    expected = code.variables.expectations(state)
    coins = rng.random(expected.size) < 0.5
    return np.where(np.abs(expected) < UNDECIDED, coins, expected < 0).astype(np.uint8)[None]


def magic(
    code: RandomAccessCode, state: NDArray, shots: int, rng: np.random.Generator, is_over: IsOver = never
) -> NDArray:
    """[c, m] uint8, bits by measuring each qubit along one of its magic axes, chosen by chance in each shot.

    From the code state of s variables each is right with probability (1 + 1 / s) / 2, and all are expected to be
    1 / s of what they are in the relaxation; see `RandomAccessCode.hamiltonian` (Fuller et al. 2021).

    Args:
        code: The code.
        state: [2^n] complex, of norm 1.
        shots: At least 1.
        rng: Of axes and outcomes.
        is_over: Asked again and again; fewer shots are returned where it says yes, but some.
    """
    from quantum.kernels.paulis import measure_along

    axes, counts = code.magic_axes()
    made: list[NDArray] = []
    left = shots
    while left and not (made and is_over()):
        now = min(left, max(CHUNK >> code.num_qubits, 1))
        choices = rng.integers(0, counts, size=(now, code.num_qubits))
        outcomes = measure_along(state, axes, choices, rng.random(choices.shape))
        made.append(code.decode(outcomes, choices))
        left -= now
    return np.concatenate(made)
