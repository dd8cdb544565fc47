"""Multipliers updated by what a circuit samples: the method of 'Cutting Slack', with any rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from quantum.encodings.base import Encoded
from quantum.encodings.units import with_squares
from quantum.lagrangian import active_sides, lagrangian, named_multipliers, subgradient
from quantum.multipliers import Dual, Inner, Region, maximize, rule
from quantum.variational import Variational

BEST = 0.25
"""Share of the samples, those of least energy, whose mean stands for the minimizer."""


def multipliers_for(method: Variational, duals: NDArray) -> Dual | None:
    """Multipliers as chosen: those given, or updated from these on; None to leave them to the encoding.

    Args:
        method: Tunes and samples the circuits.
        duals: [m] float64, dual values of the LP relaxation.
    """
    chosen, program = method.choices.multipliers, method.program
    if not method.encoding.takes_multipliers or program.num_rows == 0 or chosen == "auto":
        return None
    if (given := named_multipliers(chosen, duals)) is not None:
        return Dual(given, -np.inf, None, [])
    start = named_multipliers(method.choices.first_multipliers, duals)
    assert start is not None
    known = method.catch.value  # of a feasible sample, inf without one
    if chosen == "polyak" and not np.isfinite(known):
        method.sample(method.minimize(start))
        known = method.catch.value
    constants = {"growth": 1.0} if chosen == "augmented" else {}  # samples never satisfy all rows
    region = Region.of(program, known)
    return maximize(
        sampled_oracle(method),
        rule(chosen, **constants),
        start,
        region,
        method.choices.steps,
        is_over=method.is_over,
    )


def sampled_oracle(method: Variational) -> Callable[..., Inner]:
    """The dual function as samples show it: no bound, since a circuit need not reach the minimum.

    Each call tunes the circuit of the encoding at the multipliers [m]; with weights [m] of squares, as the method
    of multipliers has them, that of the Lagrangian with these squares.
    """
    program = method.program

    def oracle(multipliers: NDArray, weights: NDArray | None = None) -> Inner:
        encoded = method.encode(multipliers)
        if weights is not None:
            sides = np.where(program.lower == program.upper, program.lower, active_sides(program, multipliers))
            form = with_squares(program, multipliers, (np.where(np.isfinite(sides), weights / 2.0, 0.0), sides))
            encoded = Encoded(form.ising(), np.arange(program.num_variables), program)
        run = method.tuned(encoded, method.start_of(encoded), "energy")
        x = encoded.decode(method.sample(run))
        energies = lagrangian(program, multipliers).energy(x)
        best = np.argsort(energies, kind="stable")[: max(1, round(BEST * len(x)))]
        slopes = subgradient(program, multipliers, x[best]).mean(axis=0)
        return Inner(float(energies[best].mean()), slopes, exact=False)

    return oracle
