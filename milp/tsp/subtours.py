"""Exact separation of subtour elimination constraints."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.tsp.cuts import Cut, subtour_cut
from milp.tsp.graph import connected_components, minimum_cut_tree, subtree_members
from milp.tsp.support import Support

MIN_VIOLATION = 1e-5


def component_cuts(support: Support) -> list[Cut]:
    """One subtour elimination for every connected component of the support graph.

    Args:
        support: The point to separate.

    Returns:
        Violated cuts; empty if the support graph is connected.
    """
    labels = connected_components(support.n, support.tails, support.heads)
    count = int(labels.max()) + 1
    if count == 1:
        return []
    cuts = {subtour_cut(support.n, np.flatnonzero(labels == k)) for k in range(count)}
    return sorted(cuts, key=lambda cut: cut.sets)


def minimum_cuts(support: Support) -> tuple[list[Cut], list[NDArray[Any]]]:
    """Violated subtour eliminations from the minimum cut tree of the shrunk support graph.

    At least one is found if any exists: contracting edges of value 1 keeps a minimum cut unless a super node
    itself is one (Padberg and Rinaldi, 1990), and the tree holds a minimum cut of every pair of super nodes.

    Args:
        support: The point to separate, of degree 2 at every node.

    Returns:
        The violated cuts, most violated first, and all the sides examined (bool [n] each) as handles for
        combs.
    """
    labels, small = support.shrunk(1000)
    sides = [labels == k for k in range(small.n)]
    if small.n > 2:
        parent, _ = minimum_cut_tree(small.n, small.tails, small.heads, small.values)
        sides += [side[labels] for side in subtree_members(parent)[1:]]
    violations: dict[Cut, float] = {}
    for side in sides:
        crossing = side[support.tails] != side[support.heads]
        violation = 2.0 - float(support.values[crossing].sum())
        if violation > MIN_VIOLATION and 0 < side.sum() < support.n:
            violations[subtour_cut(support.n, np.flatnonzero(side))] = violation
    return sorted(violations, key=lambda cut: (-violations[cut], cut.sets)), sides
