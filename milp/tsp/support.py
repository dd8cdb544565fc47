"""The support graph of a fractional point and how much it violates a cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.tsp.cuts import Cut
from milp.tsp.graph import contract, shrink_heavy_edges

_ZERO = 1e-7


@dataclass(frozen=True)
class Support:
    """The edges with a positive value.

    Attributes:
        n: Number of nodes.
        tails: First end node of every edge, int64 [m].
        heads: Second end node of every edge, int64 [m].
        values: Positive edge values, float64 [m].
    """

    n: int
    tails: NDArray[Any]
    heads: NDArray[Any]
    values: NDArray[Any]

    @classmethod
    def of(cls, n: int, tails: NDArray[Any], heads: NDArray[Any], values: NDArray[Any]) -> Support:
        """Drop the edges with value zero (up to 1e-7).

        Args:
            n: Number of nodes.
            tails: First end node of every edge, int64 [m].
            heads: Second end node of every edge, int64 [m].
            values: Edge values, float64 [m].

        Returns:
            The support graph.
        """
        keep = values > _ZERO
        return cls(n, tails[keep], heads[keep], values[keep])

    def violation(self, cut: Cut) -> float:
        """Right-hand side minus left-hand side of a cut.

        Args:
            cut: An inequality on the same nodes.

        Returns:
            Positive if the point violates the cut.
        """
        return cut.rhs - float(cut.coefficients(self.n, self.tails, self.heads) @ self.values)

    def is_integral(self) -> bool:
        """Whether every value is 1 (up to 1e-6)."""
        return bool(np.all(self.values > 1 - 1e-6))

    def shrunk(self, passes: int) -> tuple[NDArray[Any], Support]:
        """Contract edges of value 1.

        Args:
            passes: Largest number of contraction passes.

        Returns:
            Super node of every node, int64 [n], and the contracted graph with parallel edges added up.
        """
        labels = shrink_heavy_edges(self.n, self.tails, self.heads, self.values, passes=passes)
        size = int(labels.max()) + 1
        return labels, Support(size, *contract(labels, self.tails, self.heads, self.values))
