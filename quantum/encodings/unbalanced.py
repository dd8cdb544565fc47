"""Unbalanced penalization: inequalities without slack by a parabola around a point inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantum.encodings.base import Encoded, check_constants, checked_multipliers
from quantum.encodings.units import equality_rows, objective_unit, row_units, square_weights, with_squares
from quantum.lagrangian import multiplier_box
from quantum.programs import BinaryProgram


@dataclass(frozen=True)
class Unbalanced:
    """f(x) + sum_i -l1 h_i + l2 h_i^2, h_i >= 0 the slack of row i (Montañez-Barrera et al. 2022).

    A quadratic approximation of exp(-h): violations cost more than slack. Equalities get a square alone, and of
    rows with two sides each side gets its terms. Multipliers of the rows, such as dual values, may take the place
    of l1: then u_i g_i + l2 g_i^2 with g_i = -h_i. The paper's constants depend on units; these do not, and those
    that are given serve knapsacks and independent sets alike.

    Attributes:
        l1: Weight of the linear terms where no multipliers are given, in the units of `quantum.encodings.units`.
        l2: Weight of the squares of inequalities.
        equalities: Weight of the squares of equalities.
    """

    l1: float = 1.0
    l2: float = 1.0
    equalities: float = 1.0

    name = "unbalanced"
    summary = "Unbalanced penalization, without slack (Montañez-Barrera et al. 2022)"
    exact = False
    takes_multipliers = True

    def __post_init__(self) -> None:
        check_constants(positive=False, l1=self.l1, l2=self.l2, equalities=self.equalities)

    def encode(self, program: BinaryProgram, multipliers: NDArray | None = None) -> Encoded:
        """See `Encoding`; without multipliers it takes l1, in their box."""
        if multipliers is None:
            multipliers = self._multipliers(program)
        else:
            multipliers = checked_multipliers(program, multipliers)
        equal = equality_rows(program)
        weights = square_weights(program, self.l2)
        upper = np.where(np.isfinite(program.upper) & ~equal, weights, 0.0)
        lower = np.where(np.isfinite(program.lower) & ~equal, weights, 0.0)
        lower += np.where(equal, square_weights(program, self.equalities), 0.0)
        form = with_squares(program, multipliers, (lower, program.lower), (upper, program.upper))
        return Encoded(form.ising(), np.arange(program.num_variables, dtype=np.int64), program)

    def _multipliers(self, program: BinaryProgram) -> NDArray:
        """[m] float64, l1 in units, with the sign of the side; 0 for rows with both, whose terms cancel out."""
        signs = np.isfinite(program.upper).astype(np.float64) - np.isfinite(program.lower)
        return np.clip(signs * self.l1 * objective_unit(program) / row_units(program), *multiplier_box(program))
