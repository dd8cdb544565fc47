"""Valid inequalities of the travelling salesman polytope, kept as node sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cut:
    """The inequality sum over the node sets S of x(delta(S)) >= rhs.

    Kept by node sets, so that the coefficient of every edge of the complete graph is known: the number of
    sets that contain exactly one of its end nodes. Build it with `subtour_cut` or `comb_cut`, which check
    validity.

    Attributes:
        kind: "subtour", "blossom" or "comb".
        sets: Sorted node tuples; for combs and blossoms the handle comes first, then the teeth.
        rhs: Right-hand side.
    """

    kind: str
    sets: tuple[tuple[int, ...], ...]
    rhs: float

    def coefficients(self, n: int, tails: NDArray[Any], heads: NDArray[Any]) -> NDArray[Any]:
        """Coefficients of the given edges.

        Args:
            n: Number of nodes of the graph.
            tails: First end node of every edge, int64 [m].
            heads: Second end node of every edge, int64 [m].

        Returns:
            float64 [m].
        """
        handle = np.zeros(n, bool)
        handle[list(self.sets[0])] = True
        total: NDArray[Any] = (handle[tails] != handle[heads]).astype(float)
        if len(self.sets) > 1:
            tooth = np.zeros(n, np.int64)  # the teeth are disjoint
            for i, nodes in enumerate(self.sets[1:], start=1):
                tooth[list(nodes)] = i
            a, b = tooth[tails], tooth[heads]
            total += np.where(a != b, (a > 0).astype(float) + (b > 0), 0.0)
        return total


def smaller_side(n: int, nodes: Iterable[int]) -> tuple[int, ...]:
    """The set or its complement, whichever is smaller (ties: the one with node 0), sorted.

    Args:
        n: Number of nodes of the graph.
        nodes: Distinct node numbers.

    Returns:
        Sorted nodes; both sides have the same boundary.
    """
    inside = sorted(int(v) for v in nodes)
    if 2 * len(inside) < n or (2 * len(inside) == n and inside[0] == 0):
        return tuple(inside)
    known = set(inside)
    return tuple(v for v in range(n) if v not in known)


def subtour_cut(n: int, nodes: Iterable[int]) -> Cut:
    """Subtour elimination x(delta(S)) >= 2 (Dantzig, Fulkerson and Johnson, 1954).

    Args:
        n: Number of nodes of the graph.
        nodes: A nonempty proper subset S of the nodes.

    Returns:
        The cut, on the smaller side of S.

    Raises:
        ValueError: If S is empty or holds every node.
    """
    side = smaller_side(n, nodes)
    if not 0 < len(side) < n:
        raise ValueError("a subtour elimination needs a nonempty proper subset of the nodes")
    return Cut("subtour", (side,), 2.0)


def comb_cut(n: int, handle: Iterable[int], teeth: Iterable[Iterable[int]]) -> Cut:
    """Comb inequality x(delta(H)) + sum_i x(delta(T_i)) >= 3k + 1 (Groetschel and Padberg, 1979).

    Valid for an odd number k >= 3 of pairwise disjoint teeth, each with nodes in the handle and outside of
    it. With two nodes in every tooth it is a blossom (2-matching) inequality (Edmonds, 1965).

    Args:
        n: Number of nodes of the graph.
        handle: Nodes of the handle H.
        teeth: Nodes of each tooth T_i.

    Returns:
        The cut; the handle is replaced by its complement if that is smaller.

    Raises:
        ValueError: If one of the conditions above does not hold.
    """
    inside = {int(v) for v in handle}
    fingers = sorted(tuple(sorted(int(v) for v in tooth)) for tooth in teeth)
    used: set[int] = set()
    for tooth in fingers:
        common = sum(v in inside for v in tooth)
        if not 0 < common < len(tooth):
            raise ValueError("every tooth must have nodes inside and outside the handle")
        if not used.isdisjoint(tooth) or len(set(tooth)) < len(tooth):
            raise ValueError("the teeth must be disjoint")
        used.update(tooth)
    if len(fingers) < 3 or len(fingers) % 2 == 0:
        raise ValueError("a comb needs an odd number of at least three teeth")
    if not used <= set(range(n)) or not inside <= set(range(n)):
        raise ValueError("node numbers must be in 0..n-1")
    kind = "blossom" if all(len(tooth) == 2 for tooth in fingers) else "comb"
    return Cut(kind, (smaller_side(n, inside), *fingers), 3.0 * len(fingers) + 1.0)
