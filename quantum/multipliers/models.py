"""The model of a dual function by its cutting planes, and its maximum."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import SolverError
from co_gym.highs import quiet_highs


@dataclass
class Model:
    """A concave function is nowhere above values_k + slopes_k (u - points_k).

    Values of samples may contradict each other. A plane that is below the value at the centre is therefore lifted
    to it, which changes nothing where values are exact.
    """

    points: list[NDArray] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    slopes: list[NDArray] = field(default_factory=list)

    def add(self, point: NDArray, value: float, slopes: NDArray) -> None:
        """Add the plane at a point [m]."""
        self.points.append(point)
        self.values.append(value)
        self.slopes.append(slopes)

    def planes(self, centre: NDArray, value: float) -> tuple[NDArray, NDArray]:
        """How far each plane is above the value at the centre, [K] float64 from 0 on, and its slopes, [K, m]."""
        slopes = np.array(self.slopes)
        reach = np.einsum("km,km->k", slopes, centre - np.array(self.points))
        return np.maximum(np.array(self.values) + reach - value, 0.0), slopes


class LinearMaster:
    """The maximum of min_k (errors_k + slopes_k d) over a box; each solve starts from the basis of the last."""

    def __init__(self, m: int) -> None:
        self.highs = quiet_highs()
        self.num_planes = 0
        self.columns = np.arange(m + 1, dtype=np.int32)
        self.highs.addVars(m + 1, np.full(m + 1, -np.inf), np.full(m + 1, np.inf))
        self.highs.changeColCost(m, -1.0)

    def maximum(self, errors: NDArray, slopes: NDArray, low: NDArray, high: NDArray) -> NDArray:
        """The step d, [m] float64, from low to high.

        Args:
            errors: [K] float64.
            slopes: [K, m] float64; those of the last call, and perhaps more.
            low: [m] float64, at most 0, finite.
            high: [m] float64, at least 0, finite.

        Raises:
            SolverError: If HiGHS does not solve it.
        """
        import highspy

        K, theta = errors.size, self.columns[-1]
        for k in range(self.num_planes, K):
            where = np.append(np.flatnonzero(slopes[k]), theta).astype(np.int32)
            self.highs.addRow(-np.inf, np.inf, where.size, where, np.append(-slopes[k], 1.0)[where])
        self.num_planes = K
        self.highs.changeRowsBounds(K, np.arange(K, dtype=np.int32), np.full(K, -np.inf), errors)
        self.highs.changeColsBounds(low.size, self.columns[:-1], low, high)
        self.highs.run()
        if self.highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            status = self.highs.modelStatusToString(self.highs.getModelStatus())
            raise SolverError(f"the master problem of cutting planes was not solved: {status}")
        return np.clip(np.array(self.highs.getSolution().col_value[:-1]), low, high)
