"""Makes feasible strings of others, one flip at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quantum.programs import BinaryProgram


def repaired(program: BinaryProgram, x: NDArray) -> NDArray | None:
    """A feasible string near one [n]; None if flips that lessen the violation do not lead to one.

    Each flip lessens the total violation, rows in units of their largest coefficients, at the least loss of
    objective for each unit.
    """
    x = np.asarray(x, dtype=np.float64).copy()
    A = program.A.toarray()
    units = np.maximum(np.abs(A).max(axis=1, initial=0.0), 1e-12)
    for _ in range(program.num_variables):
        total = float((program.violations(x) / units).sum())
        if total == 0.0:
            return x.astype(np.uint8)
        flips = np.abs(x[None, :] - np.eye(x.size))
        gains = total - (program.violations(flips) / units).sum(axis=1)
        losses = program.evaluate(flips) - program.evaluate(x)
        useful = gains > 1e-12
        if not useful.any():
            return None
        rank = np.where(useful, losses / np.where(useful, gains, 1.0), np.inf)
        x = flips[int(np.argmin(rank))]
    return x.astype(np.uint8) if program.feasible(x) else None
