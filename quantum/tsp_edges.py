"""The travelling salesman problem with one variable for each pair of cities.

That is n(n - 1) / 2 variables, where the positions of cities take (n - 1)^2. Rows say that each city has two
edges, and rows against subtours are added when some are found. With prices instead of rows for the degrees, and
1-trees in place of all edge sets, the minimum is found in polynomial time, which makes certified bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from quantum.multipliers.base import Inner
from quantum.programs import BinaryProgram, binary_program


@dataclass(frozen=True, eq=False)
class EdgeTSP:
    """Tours as sets of edges.

    Attributes:
        distances: [n, n], symmetric, n at least 3.
        cuts: Sets of cities, sorted, that may not hold as many edges as cities.

    Raises:
        InputError: If there are fewer than 3 cities, or distances are not symmetric.
    """

    distances: NDArray
    cuts: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        d = self.distances
        if d.ndim != 2 or d.shape[0] != d.shape[1] or len(d) < 3 or (d != d.T).any():
            raise InputError(f"distances of shape {d.shape}: expected [n, n], symmetric, n at least 3")

    @property
    def num_cities(self) -> int:
        """Number of cities, n."""
        return int(self.distances.shape[0])

    @cached_property
    def edges(self) -> NDArray:
        """[n(n - 1) / 2, 2] int64, the cities of each variable, the lower one first."""
        return np.column_stack(np.triu_indices(self.num_cities, k=1)).astype(np.int64)

    def program(self) -> BinaryProgram:
        """Length of the edges, minimized; rows: the degree of each city, then the cuts."""
        n, E = self.num_cities, len(self.edges)
        ones, columns = np.ones(2 * E), np.repeat(np.arange(E), 2)
        blocks = [sparse.csr_matrix((ones, (self.edges.ravel(), columns)), shape=(n, E))]
        blocks += [sparse.csr_matrix(np.isin(self.edges, cut).all(axis=1).astype(np.float64)) for cut in self.cuts]
        most = np.array([len(cut) - 1.0 for cut in self.cuts])
        given = MixedIntegerProgram(
            sense="minimize",
            c=self.distances[tuple(self.edges.T)].astype(np.float64),
            A=sparse.vstack(blocks, format="csr"),
            row_lower=np.concatenate([np.full(n, 2.0), np.full(most.size, -np.inf)]),
            row_upper=np.concatenate([np.full(n, 2.0), most]),
            lower=np.zeros(E),
            upper=np.ones(E),
            integer=np.ones(E, dtype=bool),
        )
        return binary_program(given)

    def encode(self, tour: Sequence[int] | NDArray) -> NDArray:
        """[n(n - 1) / 2] uint8, which edges a tour [n] takes."""
        used = np.zeros((self.num_cities,) * 2, dtype=np.uint8)
        used[tour, np.roll(tour, -1)] = 1
        return (used | used.T)[tuple(self.edges.T)]

    def decode(self, x: NDArray) -> NDArray | None:
        """The tour [n] int64 that an edge set is, from city 0 towards the lower one of its neighbours, or None."""
        chosen = self.edges[np.asarray(x, dtype=bool)]
        degrees = np.bincount(chosen.ravel(), minlength=self.num_cities)
        if (degrees != 2).any() or self._components(chosen)[0] > 1:
            return None
        neighbours: list[list[int]] = [[] for _ in range(self.num_cities)]
        for i, j in chosen.tolist():
            neighbours[i].append(j)
            neighbours[j].append(i)
        tour = [0, min(neighbours[0])]
        while len(tour) < self.num_cities:
            first, second = neighbours[tour[-1]]
            tour.append(second if first == tour[-2] else first)
        return np.array(tour, dtype=np.int64)

    def subtours(self, x: NDArray) -> list[tuple[int, ...]]:
        """Sets of 3 to n - 3 cities, connected by at least as many edges of x as cities."""
        chosen = self.edges[np.asarray(x, dtype=bool)]
        count, labels = self._components(chosen)
        cities, inside = np.bincount(labels, minlength=count), np.bincount(labels[chosen[:, 0]], minlength=count)
        found = (inside >= cities) & (cities >= 3) & (cities <= self.num_cities - 3)
        return [tuple(np.flatnonzero(labels == label).tolist()) for label in np.flatnonzero(found)]

    def with_cuts(self, sets: Iterable[Sequence[int]]) -> EdgeTSP:
        """With rows against subtours in these sets.

        As all degrees are 2, a set holds a subtour where the rest of the cities does: the row of the smaller of
        the two is added, once.

        Raises:
            InputError: If a set or the rest has fewer than 3 cities, which cannot hold one.
        """
        cuts, everything = dict.fromkeys(self.cuts), set(range(self.num_cities))
        for one in sets:
            rest = everything - set(one)
            if not set(one) <= everything or min(len(set(one)), len(rest)) < 3:
                raise InputError(f"a cut of cities {list(one)}: expected 3 to n - 3 of the n = {self.num_cities}")
            cuts[min(tuple(sorted(set(one))), tuple(sorted(rest)), key=lambda side: (len(side), side))] = None
        return replace(self, cuts=tuple(cuts))

    def _components(self, chosen: NDArray) -> tuple[int, NDArray]:
        """Number of components of edges [k, 2], and that of each city, [n]."""
        shape = (self.num_cities,) * 2
        count, labels = connected_components(sparse.csr_matrix((np.ones(len(chosen)), chosen.T), shape=shape))
        return int(count), labels


def one_tree(costs: NDArray, root: int = 0) -> NDArray:
    """[n, 2] int64, the edges of the cheapest 1-tree.

    A 1-tree is a spanning tree of all cities but the root and two edges at the root; every tour is one.

    Args:
        costs: [n, n] float64, symmetric, of any sign, n at least 3.
        root: A city.
    """
    n = len(costs)
    outside = np.arange(n) != root
    cheapest = np.argsort(np.where(outside, costs[root], np.inf), kind="stable")[:2]
    edges = [(root, int(city)) for city in cheapest]
    start = int(outside.argmax())
    outside[start] = False
    best, parent = costs[start].copy(), np.full(n, start)
    while outside.any():  # Prim 1957
        city = int(np.where(outside, best, np.inf).argmin())
        edges.append((int(parent[city]), city))
        outside[city] = False
        closer = costs[city] < best
        best[closer], parent[closer] = costs[city][closer], city
    return np.array(edges, dtype=np.int64)


def one_tree_oracle(distances: NDArray, root: int = 0) -> Callable[[NDArray], Inner]:
    """The dual function of the degree rows over 1-trees (Held and Karp 1970, 1971).

    Its maximum is the optimum of the LP with all rows against subtours, which is more than that of the degree rows
    alone, whose minimum over all edge sets `oracles.linear_oracle` finds.

    Args:
        distances: [n, n], symmetric, n at least 3.
        root: The city whose two edges are chosen apart from the tree.

    Returns:
        From multipliers [n] of the degrees to the minimum and to degree - 2 of each city.
    """
    distances = np.asarray(distances, dtype=np.float64)

    def oracle(multipliers: NDArray) -> Inner:
        costs = distances + multipliers[:, None] + multipliers[None, :]
        edges = one_tree(costs, root)
        slopes = np.bincount(edges.ravel(), minlength=len(distances)) - 2.0
        return Inner(float(costs[tuple(edges.T)].sum() - 2.0 * multipliers.sum()), slopes, exact=True)

    return oracle
