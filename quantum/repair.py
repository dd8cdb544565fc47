"""Makes feasible strings of others, and better ones of feasible ones, by flips of bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.formulation import FEASIBILITY_TOLERANCE
from quantum.programs import BinaryProgram

TOLERANCE = 1e-9
"""Of an improvement, relative to the largest coefficient of the objective: below it is rounding."""


class Repair:
    """Mends strings of a program, and improves them, both greedily.

    While something is violated, each flip lessens the total violation, rows in units of their largest
    coefficients, at the least loss of objective for each unit. Then each flip is the one that improves the
    objective most and violates nothing; where there is none, it may be one of two bits, such as an exchange.

    Args:
        program: The program.
        pairs: Whether feasible strings are improved by flips of two bits together too.
    """

    def __init__(self, program: BinaryProgram, pairs: bool = False) -> None:
        self._program, self._pairs = program, pairs
        columns, symmetric = program.A.tocsc(), sparse.csr_matrix(program.Q + program.Q.T)
        entries, largest = program.A.tocoo(), np.zeros(program.num_rows)
        np.maximum.at(largest, entries.row, np.abs(entries.data))  # of rows without any it stays 0
        tolerances = [FEASIBILITY_TOLERANCE * np.maximum(1.0, np.abs(s)) for s in (program.lower, program.upper)]
        hard = [
            np.isinf(price) & np.isfinite(side)
            for price, side in zip(
                (program.shortfall, program.surplus), (program.lower, program.upper), strict=True
            )
        ]
        self._sides = np.column_stack(
            [
                program.lower - np.where(hard[0], tolerances[0], 0.0),
                program.upper + np.where(hard[1], tolerances[1], 0.0),
                program.shortfall,
                program.surplus,
                np.maximum(largest, 1e-12),
            ]
        )
        self._columns = columns.indptr, columns.indices, columns.data
        self._quadratic = symmetric.indptr, symmetric.indices, symmetric.data
        coefficients = np.concatenate([program.c, program.Q.data])
        self._tolerance = TOLERANCE * float(np.abs(coefficients).max(initial=0.0))

    def __call__(self, x: NDArray) -> NDArray | None:
        """[n] uint8, a feasible string near one [n]; None if mending does not lead to one."""
        from quantum.kernels.repairs import improve, mend

        program, bits = self._program, np.array(x, dtype=np.uint8)
        activity = np.asarray(program.A @ bits.astype(np.float64))
        shared = program.c, self._quadratic, activity, self._sides, self._columns
        if not mend(bits, *shared):
            return None
        improve(bits, *shared, self._pairs, self._tolerance)
        return bits if program.feasible(bits) else None
