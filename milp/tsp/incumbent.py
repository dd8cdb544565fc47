"""The best tour known and what it takes to prove it optimal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_RELATIVE_TOLERANCE = 1e-9


class Incumbent:
    """Keeps the shortest tour offered.

    Args:
        distances: Symmetric distances, float64 [n, n].
        tour: First tour, int64 [n].
        integral: Whether every distance is an integer.
        on_incumbent: Called with every better tour and its length.

    Attributes:
        tour: Best tour, int64 [n].
        length: Its length.
        integral: Whether every distance is an integer.
    """

    def __init__(
        self,
        distances: NDArray[Any],
        tour: NDArray[Any],
        integral: bool,
        on_incumbent: Callable[[NDArray[Any], float], None] | None = None,
    ) -> None:
        self._distances = distances
        self._on_incumbent = on_incumbent
        self.integral = integral
        self.tour = np.asarray(tour, np.int64)
        self.length = self.measure(self.tour)

    def measure(self, tour: NDArray[Any]) -> float:
        """Length of a closed tour.

        Args:
            tour: Node order, int64 [n].

        Returns:
            Its length, summed without intermediate rounding.
        """
        return math.fsum(self._distances[tour, np.roll(tour, -1)])

    def offer(self, tour: NDArray[Any]) -> bool:
        """Take a tour if it is shorter.

        Args:
            tour: Node order, int64 [n].

        Returns:
            Whether it became the incumbent.
        """
        length = self.measure(tour)
        if length >= self.length:
            return False
        self.tour, self.length = tour, length
        if self._on_incumbent is not None:
            self._on_incumbent(tour, length)
        return True

    def offer_edges(self, tails: NDArray[Any], heads: NDArray[Any]) -> bool:
        """Take the tour formed by n edges if it is one and shorter.

        Args:
            tails: First end node of every edge, int64 [m].
            heads: Second end node of every edge, int64 [m].

        Returns:
            Whether it became the incumbent.
        """
        tour = tour_of_edges(len(self.tour), tails, heads)
        return tour is not None and self.offer(tour)

    def unit_scale(self) -> float:
        """Power of two that brings the mean absolute edge of the tour to about 64 (1 if all are 0)."""
        typical = float(np.abs(self._distances[self.tour, np.roll(self.tour, -1)]).mean())
        return float(2.0 ** -np.round(np.log2(typical / 64))) if typical > 0 else 1.0

    @property
    def target(self) -> float:
        """Length from which on a tour counts as no better than the incumbent's."""
        if self.integral:
            return self.length - 1
        return self.length - _RELATIVE_TOLERANCE * max(1.0, abs(self.length))

    def proven_by(self, bound: float) -> bool:
        """Whether a lower bound proves the incumbent optimal.

        Args:
            bound: Lower bound on every better tour.

        Returns:
            True if no tour can be better (by more than the tolerance, for non-integral distances).
        """
        return bound > self.target

    def elimination_slack(self, bound: float) -> float:
        """Largest reduced cost an edge of a better tour can have.

        Args:
            bound: The bound that belongs to the reduced costs.

        Returns:
            target - bound, enlarged by the rounding error of that difference.
        """
        return self.target - bound + 1e-12 * (abs(bound) + abs(self.length))

    def round_up(self, bound: float) -> float:
        """The bound on the optimum: rounded up for integral distances, at most the incumbent's length.

        Args:
            bound: Lower bound on every tour better than the incumbent.

        Returns:
            Lower bound on every tour.
        """
        if self.integral and abs(bound) < 2.0**50:
            bound = math.ceil(bound - 1e-4)
        return min(bound, self.length)


def tour_of_edges(n: int, tails: NDArray[Any], heads: NDArray[Any]) -> NDArray[Any] | None:
    """Node order of a Hamiltonian cycle given by its edges.

    Args:
        n: Number of nodes, at least 3.
        tails: First end node of every edge, int64 [m].
        heads: Second end node of every edge, int64 [m].

    Returns:
        int64 [n], or None if the edges do not form one cycle through all nodes.
    """
    neighbours: list[list[int]] = [[] for _ in range(n)]
    for a, b in zip(tails.tolist(), heads.tolist(), strict=True):
        neighbours[a].append(b)
        neighbours[b].append(a)
    if any(len(pair) != 2 for pair in neighbours):
        return None
    order = [0]
    previous, current = 0, neighbours[0][0]
    while current != 0:
        order.append(current)
        first, second = neighbours[current]
        previous, current = current, (second if first == previous else first)
        if len(order) > n:
            return None
    return np.array(order, np.int64) if len(order) == n else None
