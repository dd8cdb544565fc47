"""Proof of optimality for symmetric travelling salesman instances."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from co_gym.solvers.kernels.tours import farthest_insertion, heuristic_tour
from milp.tsp.branch_and_cut import Limits, TreeResult, branch_and_cut
from milp.tsp.incumbent import Incumbent
from milp.tsp.memory import MemoryMeter
from milp.tsp.pricing import nearest_neighbour_pricing
from milp.tsp.relaxation import Root, RootRelaxation
from milp.tsp.separation import Separator

_HEURISTIC_SHARE = 0.2
_SHORTEST_HEURISTIC = 0.1
_NODES_PER_HEURISTIC_SECOND = 200
_POOR_GAP = 0.005

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class TourProof:
    """A tour and a lower bound on all tours.

    Attributes:
        tour: Best tour found, int64 [n], or None.
        length: Its length; an int if every distance is an integer.
        bound: Lower bound on the length of every tour.
        status: "optimal", "time_limit", "node_limit", "memory_limit" or "interrupted".
        details: Root bound, edge and cut counts, nodes, rounds and seconds per phase; JSON-serialisable.
    """

    tour: NDArray[Any] | None
    length: float
    bound: float
    status: str
    details: dict[str, Any] = field(default_factory=dict)


def solve_tour(
    distances: NDArray[Any],
    *,
    tour: NDArray[Any] | None = None,
    time_limit: float = 60.0,
    node_limit: int | None = None,
    memory_limit: float | None = None,
    seed: int = 0,
    on_incumbent: Callable[[NDArray[Any], float], None] | None = None,
    on_bound: Callable[[float], None] | None = None,
) -> TourProof:
    """Find a shortest tour and prove it by branch and cut (Padberg and Rinaldi, 1991).

    Cutting planes with pricing at the root, elimination of edges by reduced cost, and a SCIP tree search
    over the rest. Negative distances are allowed. With non-integral distances, or integers too large for
    exact float64 sums, tours within a relative 1e-9 of each other count as equally long.

    Args:
        distances: Symmetric distances, int64 or float64 [n, n]; the diagonal is ignored.
        tour: First tour, int64 [n], 0-based; by default found by fast_tsp.
        time_limit: Wall-clock seconds.
        node_limit: Largest number of tree nodes.
        memory_limit: Memory in MB beyond what the process uses at the call.
        seed: Random seed.
        on_incumbent: Called with the first tour and every improved one, and its length.
        on_bound: Called with every improved lower bound.

    Returns:
        The proof. Ctrl-C (KeyboardInterrupt, also out of a callback) ends it with status "interrupted".

    Raises:
        ValueError: If the matrix is not square, symmetric and finite, or the tour is no permutation.
    """
    started = time.monotonic()
    matrix = _checked(distances)
    n = len(matrix)
    exact = np.asarray(distances)
    if tour is not None and sorted(np.asarray(tour).tolist()) != list(range(n)):
        raise ValueError("the tour must be a permutation of 0..n-1")
    if n <= 3:
        only = np.arange(n) if tour is None else np.asarray(tour, np.int64)
        length = _length(exact, only)
        if on_bound is not None:
            on_bound(length)
        return TourProof(only, length, length, "optimal", {"root_bound": length, "nodes": 0})
    search = _Search(matrix, started, time_limit, node_limit, memory_limit, seed, on_incumbent, on_bound)
    status = search.run(tour)
    length = _length(exact, search.incumbent.tour)
    bound = length if status == "optimal" else min(search.bound, length)
    return TourProof(search.incumbent.tour.copy(), length, bound, status, search.details())


def _checked(distances: NDArray[Any]) -> NDArray[Any]:
    """The matrix as float64 with zero diagonal.

    Raises:
        ValueError: If it is not square, symmetric and finite.
    """
    matrix = np.array(distances, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) == 0:
        raise ValueError(f"distances must be a nonempty square matrix, got shape {matrix.shape}")
    np.fill_diagonal(matrix, 0.0)
    if not np.all(np.isfinite(matrix)):
        raise ValueError("distances must be finite")
    if not np.array_equal(matrix, matrix.T):
        raise ValueError("distances must be symmetric")
    return matrix


def _length(distances: NDArray[Any], tour: NDArray[Any]) -> float:
    """Exact length of a closed tour; an int if every distance is an integer."""
    if len(tour) == 1:
        return 0
    legs = distances[tour, np.roll(tour, -1)].tolist()
    off_diagonal = distances[~np.eye(len(distances), dtype=bool)]
    if np.issubdtype(distances.dtype, np.integer) or np.all(off_diagonal == np.round(off_diagonal)):
        return sum(int(leg) for leg in legs)
    return math.fsum(legs)


class _Search:
    """One run of the solver: construction, root relaxation, tree."""

    def __init__(
        self,
        matrix: NDArray[Any],
        started: float,
        time_limit: float,
        node_limit: int | None,
        memory_limit: float | None,
        seed: int,
        on_incumbent: Callable[[NDArray[Any], float], None] | None,
        on_bound: Callable[[float], None] | None,
    ) -> None:
        self.matrix = matrix
        self.started = started
        self.deadline = started + time_limit
        self.node_limit = node_limit
        self.memory = MemoryMeter(memory_limit)
        self.seed = seed
        self.on_incumbent = on_incumbent
        self.on_bound = on_bound
        size = len(matrix) * float(np.abs(matrix).max())
        self.integral = bool(np.all(matrix == np.round(matrix))) and size < 2.0**50
        self.bound = -math.inf
        self.relaxation: RootRelaxation | None = None
        self.tree: TreeResult | None = None
        self.seconds: dict[str, float] = {}

    def run(self, tour: NDArray[Any] | None) -> str:
        """Solve; returns the status."""
        try:
            return self._solve(tour)
        except KeyboardInterrupt:
            if not hasattr(self, "incumbent"):
                self._adopt(farthest_insertion(self.matrix))
                self.bound = self.incumbent.round_up(nearest_neighbour_pricing(self.matrix).bound)
            return "interrupted"

    def details(self) -> dict[str, Any]:
        """Statistics of the run."""
        n = len(self.matrix)
        found: Counter[str] = Counter()
        result: dict[str, Any] = {"edges_total": n * (n - 1) // 2, "seconds": self.seconds, "nodes": 0}
        if self.relaxation is not None:
            root = self.relaxation.root
            found.update(root.found)
            result["root_bound"] = min(root.bound, self.incumbent.length)
            result["edges_remaining"] = int(np.triu(root.live).sum())
            result["edges_fixed"] = int(np.triu(root.fixed).sum())
            result["lp_rounds"] = root.rounds
        if self.tree is not None:
            found.update(self.tree.found)
            result["nodes"] = self.tree.nodes
            self.seconds["tree_separation"] = round(self.tree.separation_seconds, 4)
        result["cuts"] = dict(found)
        return result

    def _adopt(self, tour: NDArray[Any]) -> None:
        self.incumbent = Incumbent(self.matrix, tour, self.integral, self.on_incumbent)

    def _report(self, bound: float) -> None:
        """Keep and pass on a bound if it is better than the last one."""
        bound = self.incumbent.round_up(bound)
        if bound > self.bound:
            self.bound = bound
            if self.on_bound is not None:
                self.on_bound(bound)

    def _solve(self, tour: NDArray[Any] | None) -> str:
        if tour is None:
            tour = self._timed("construction", self._heuristic)
        self._adopt(np.asarray(tour, np.int64))
        if self.on_incumbent is not None:
            self.on_incumbent(self.incumbent.tour, self.incumbent.length)
        separator = Separator(self.incumbent.tour, self.seed)
        root = self._relax(separator)
        poor = self.incumbent.length - root.bound > _POOR_GAP * abs(root.bound)
        if poor and self._outcome(root) is None:
            better = self._timed("improvement", self._heuristic)
            if self.incumbent.offer(better):
                separator.tour = better
                root = self._relax(separator)
        outcome = self._outcome(root)
        if outcome is not None:
            return outcome
        limits = Limits(self.deadline - time.monotonic(), self.node_limit, self.memory.left())
        self.tree = self._timed(
            "tree",
            lambda: branch_and_cut(
                self.matrix, root, self.incumbent, separator, limits, seed=self.seed, on_bound=self._report
            ),
        )
        self._report(self.tree.bound)
        return self.tree.status

    def _relax(self, separator: Separator) -> Root:
        """Solve the root relaxation from scratch."""
        relaxation = RootRelaxation(
            self.matrix, self.incumbent, separator, self.deadline, self._report, self.memory.exceeded
        )
        self.relaxation = relaxation
        return self._timed("root", relaxation.run)

    def _outcome(self, root: Root) -> str | None:
        """The status if there is nothing left to do, or no resources to do it."""
        if self.incumbent.proven_by(root.bound):
            return "optimal"
        if self.memory.exceeded():
            return "memory_limit"
        return "time_limit" if time.monotonic() >= self.deadline else None

    def _heuristic(self) -> NDArray[Any]:
        left = self.deadline - time.monotonic()
        wanted = max(_SHORTEST_HEURISTIC, len(self.matrix) / _NODES_PER_HEURISTIC_SECOND)
        return heuristic_tour(self.matrix, min(wanted, _HEURISTIC_SHARE * left))

    def _timed(self, phase: str, action: Callable[[], _Result]) -> _Result:
        begin = time.monotonic()
        try:
            return action()
        finally:
            spent = self.seconds.get(phase, 0.0) + time.monotonic() - begin
            self.seconds[phase] = round(spent, 4)
