"""Where multipliers may be, and in which units they and the dual function are measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.lagrangian import multiplier_box
from quantum.programs import BinaryProgram


@dataclass(frozen=True, eq=False)
class Region:
    """Multipliers between `low` and `high`, with the size that is usual for each.

    Rules see multipliers divided by `units` and values divided by `unit`. What they do is then the same whether
    distances are in metres or in miles, and whatever a row is multiplied by.

    Attributes:
        low: [m] float64, at most 0, may hold -inf.
        high: [m] float64, at least 0, may hold inf.
        units: [m] float64, positive, the size of a multiplier that is usual.
        unit: The size of a change of the objective that is usual, positive.
        upper: A value that the dual function does not exceed: the objective of any feasible solution; or inf.

    Raises:
        InputError: If shapes disagree, or a unit is not positive and finite.
    """

    low: NDArray
    high: NDArray
    units: NDArray
    unit: float = 1.0
    upper: float = np.inf

    def __post_init__(self) -> None:
        if not self.low.shape == self.high.shape == self.units.shape or self.low.ndim != 1:
            shapes = f"{self.low.shape}, {self.high.shape} and {self.units.shape}"
            raise InputError(f"low, high and units have shapes {shapes}: expected the same [m]")
        units = np.append(self.units, self.unit)
        if not (np.isfinite(units) & (units > 0)).all():
            raise InputError("a unit is not positive and finite: expected the usual size of a multiplier or value")
        if not (self.low <= self.high).all():
            raise InputError("a lower limit of a multiplier is above its upper limit")

    @classmethod
    def of(cls, program: BinaryProgram, upper: float = np.inf) -> Region:
        """The box of a program's multipliers.

        The unit of values is the norm of the objective's coefficients; that of a row's multiplier is this norm
        over the row's variables alone, divided by the norm of the row, and at most the price of missing the row.

        Args:
            program: The program.
            upper: Objective of a feasible solution, in the program's minimized form.
        """
        low, high = multiplier_box(program)
        squares = program.Q.multiply(program.Q)
        weights = program.c**2 + np.asarray(squares.sum(axis=0) + squares.sum(axis=1).T).ravel() / 2.0
        rows = np.sqrt(np.asarray(program.A.multiply(program.A).sum(axis=1)).ravel())
        rows[rows == 0] = 1.0
        units = np.sqrt((program.A != 0) @ weights) / rows
        prices = np.minimum(program.shortfall, program.surplus)
        units = np.minimum(np.where(units == 0, np.inf, units), prices)
        unit = float(np.sqrt(weights.sum())) or float(np.max(units * rows, initial=0.0, where=np.isfinite(units)))
        unit = unit or 1.0
        return cls(low, high, np.where(np.isfinite(units), units, unit / rows), unit, upper)

    def natural(self) -> Region:
        """The same in its own units."""
        low, high, upper = self.low / self.units, self.high / self.units, self.upper / self.unit
        return Region(low, high, np.ones_like(self.units), 1.0, upper)

    def clip(self, multipliers: NDArray) -> NDArray:
        """[m] float64, the nearest multipliers inside."""
        return np.clip(multipliers, self.low, self.high)

    def project(self, multipliers: NDArray, slopes: NDArray) -> NDArray:
        """[m] float64, slopes without what leads out of the region from multipliers at its boundary."""
        out = ((multipliers <= self.low) & (slopes < 0)) | ((multipliers >= self.high) & (slopes > 0))
        return np.where(out, 0.0, slopes)
