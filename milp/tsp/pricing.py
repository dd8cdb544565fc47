"""Safe lower bounds and reduced costs over all edges of the complete graph, from any dual values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.tsp.cuts import Cut, smaller_side

_GRID_BITS = 20


@dataclass(frozen=True)
class Pricing:
    """A dual feasible solution of the subtour-and-comb relaxation.

    Attributes:
        bound: Lower bound on every tour that uses only live edges.
        reduced: Reduced costs, float64 [n, n], symmetric; the diagonal has no meaning.
    """

    bound: float
    reduced: NDArray[Any]


def price(
    distances: NDArray[Any],
    live: NDArray[Any],
    node_duals: NDArray[Any],
    cuts: Sequence[Cut],
    cut_duals: NDArray[Any],
) -> Pricing:
    """Lower bound sum 2 pi + sum rhs y + sum over live edges of min(0, reduced cost), by weak duality.

    With integral distances the duals are rounded to multiples of a power of two, so that every sum of
    moderate size is exact in float64; otherwise a bound on the rounding error is subtracted (Neumaier and
    Shcherbina, 2004). No quality of the duals is assumed: poor ones give a poor bound, never a wrong one.

    Args:
        distances: Symmetric distances, float64 [n, n].
        live: Edges that are not eliminated, bool [n, n], symmetric, False on the diagonal.
        node_duals: Duals pi of the degree equations, float64 [n].
        cuts: Valid inequalities.
        cut_duals: Their duals y, float64 [len(cuts)]; negative ones count as zero.

    Returns:
        The bound and the reduced costs.
    """
    n = len(distances)
    grid = 2.0**_GRID_BITS
    node, weight = np.nan_to_num(node_duals), np.maximum(np.nan_to_num(cut_duals), 0.0)
    integral = bool(np.all(distances == np.round(distances)))
    if integral:
        node, weight = np.round(node * grid) / grid, np.round(weight * grid) / grid
    potential = node.copy()
    used = [(cut, y) for cut, y in zip(cuts, weight, strict=True) if y > 0]
    sides = [(np.array(smaller_side(n, nodes)), y) for cut, y in used for nodes in cut.sets]
    for side, y in sides:
        potential[side] += y
    reduced = distances - potential[:, None] - potential[None, :]
    for side, y in sides:
        reduced[np.ix_(side, side)] += 2 * y
    negative = np.minimum(reduced, 0.0)[live]
    right = [cut.rhs * y for cut, y in used]
    bound = 2 * float(node.sum()) + float(sum(right)) + float(negative.sum()) / 2
    largest = float(np.abs(distances).max()) + 2 * float(np.abs(potential).max()) + 2 * float(weight.sum())
    total = 4 * n * largest - float(negative.sum()) + float(sum(right))
    if not integral or total * grid >= 2.0**52:
        per_edge = (len(sides) + 8) * 2.0**-52 * largest
        uncertain = int(np.count_nonzero(reduced[live] < per_edge)) + 4 * n
        bound -= per_edge * uncertain + (n + len(used) + 8) * 2.0**-52 * total
    return Pricing(bound, reduced)


def nearest_neighbour_pricing(distances: NDArray[Any]) -> Pricing:
    """Pricing with half the distance to the nearest neighbour as node duals: the bound is their sum.

    Args:
        distances: Symmetric distances, float64 [n, n], n at least 3.

    Returns:
        A weak bound on every tour, and reduced costs.
    """
    live = ~np.eye(len(distances), dtype=bool)
    potential = np.where(live, distances, np.inf).min(axis=1) / 2
    return price(distances, live, potential, [], np.empty(0))
