"""The Lagrangian at given multipliers: as many qubits as variables, and few couplings or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantum.encodings.base import Encoded, check_constants, multipliers_or_duals
from quantum.encodings.units import equality_rows, square_weights, with_squares
from quantum.programs import BinaryProgram


@dataclass(frozen=True)
class Lagrangian:
    """L(x, u) = f(x) + u'(Ax - sides), and e/2 (a_i x - b_i)^2 for rows that are equalities (Geoffrion 1974).

    The least energy is a lower bound of the program for all u, as squares of equalities are 0 where these hold.
    The objective's products and those squares are the only couplings: a linear program with inequalities alone
    has none, and a circuit for it no entanglement.

    Without multipliers it takes the dual values of the LP relaxation.

    Attributes:
        equalities: Weight e of the squares, in the units of `quantum.encodings.units`; 0 for the pure Lagrangian.
    """

    equalities: float = 2.0

    name = "lagrangian"
    summary = "Lagrangian at given multipliers, without slack (Geoffrion 1974)"
    exact = False
    takes_multipliers = True

    def __post_init__(self) -> None:
        check_constants(positive=False, equalities=self.equalities)

    def encode(self, program: BinaryProgram, multipliers: NDArray | None = None) -> Encoded:
        """See `Encoding`."""
        multipliers = multipliers_or_duals(program, multipliers)
        binding = equality_rows(program) & np.isinf(program.shortfall) & np.isinf(program.surplus)
        weights = np.where(binding, square_weights(program, self.equalities / 2.0), 0.0)
        form = with_squares(program, multipliers, (weights, program.lower))
        return Encoded(form.ising(), np.arange(program.num_variables, dtype=np.int64), program)
