"""The linear program over a subset of the edges: degree equations and cuts, kept hot in HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from co_gym.highs import quiet_highs
from milp.tsp.cuts import Cut


@dataclass(frozen=True)
class LPPoint:
    """Optimal solution of the linear program (the last iterate if a limit stopped it).

    Attributes:
        objective: Objective value in the scaled costs.
        values: Edge values, float64 [m].
        node_duals: Duals of the degree equations, float64 [n], in scaled costs.
        cut_duals: Duals of the cuts, float64 [number of cuts], in scaled costs.
        optimal: Whether HiGHS proved optimality.
        infeasible: Whether HiGHS found no feasible point.
    """

    objective: float
    values: NDArray[Any]
    node_duals: NDArray[Any]
    cut_duals: NDArray[Any]
    optimal: bool
    infeasible: bool


class EdgeLP:
    """min cost x subject to x(delta(v)) = 2 for every node, the cuts, and 0 <= x <= 1.

    Attributes:
        n: Number of nodes.
        tails: First end node of every edge, int64 [m].
        heads: Second end node of every edge, int64 [m].
        cuts: The cuts, in row order.
    """

    def __init__(self, n: int) -> None:
        """Start with the degree equations and no edges.

        Args:
            n: Number of nodes.
        """
        self.n = n
        self.tails = np.empty(0, np.int64)
        self.heads = np.empty(0, np.int64)
        self.cuts: list[Cut] = []
        self._idle = np.empty(0, np.int64)
        self._highs = quiet_highs()
        self._highs.setOptionValue("presolve", "off")
        self._highs.setOptionValue("solver", "simplex")
        empty = np.empty(0)
        bounds = np.full(n, 2.0)
        self._highs.addRows(n, bounds, bounds, 0, np.zeros(n, np.int32), empty.astype(np.int32), empty)

    def add_edges(self, tails: NDArray[Any], heads: NDArray[Any], costs: NDArray[Any]) -> None:
        """Append columns.

        Args:
            tails: First end node of every new edge, int64 [k].
            heads: Second end node of every new edge, int64 [k].
            costs: Scaled costs, float64 [k].
        """
        rows = [tails, heads]
        columns = [np.arange(len(tails))] * 2
        entries = [np.ones(len(tails))] * 2
        for i, cut in enumerate(self.cuts):
            coefficients = cut.coefficients(self.n, tails, heads)
            touched = np.flatnonzero(coefficients)
            rows.append(np.full(len(touched), self.n + i))
            columns.append(touched)
            entries.append(coefficients[touched])
        start, index, value = _compressed(
            len(tails), np.concatenate(columns), np.concatenate(rows), np.concatenate(entries)
        )
        k = len(tails)
        self._highs.addCols(k, costs.astype(float), np.zeros(k), np.ones(k), len(index), start, index, value)
        self.tails = np.concatenate([self.tails, tails])
        self.heads = np.concatenate([self.heads, heads])

    def add_cuts(self, cuts: list[Cut]) -> None:
        """Append rows.

        Args:
            cuts: New cuts.
        """
        rows, columns, entries = [], [], []
        for i, cut in enumerate(cuts):
            coefficients = cut.coefficients(self.n, self.tails, self.heads)
            touched = np.flatnonzero(coefficients)
            rows.append(np.full(len(touched), i))
            columns.append(touched)
            entries.append(coefficients[touched])
        start, index, value = _compressed(
            len(cuts), np.concatenate(rows), np.concatenate(columns), np.concatenate(entries)
        )
        lower = np.array([cut.rhs for cut in cuts])
        upper = np.full(len(cuts), highspy.kHighsInf)
        self._highs.addRows(len(cuts), lower, upper, len(index), start, index, value)
        self.cuts += cuts
        self._idle = np.concatenate([self._idle, np.zeros(len(cuts), np.int64)])

    def keep_edges(self, keep: NDArray[Any]) -> None:
        """Delete columns.

        Args:
            keep: Which edges stay, bool [m].
        """
        gone = np.flatnonzero(~keep).astype(np.int32)
        if len(gone):
            self._highs.deleteCols(len(gone), gone)
            self.tails, self.heads = self.tails[keep], self.heads[keep]

    def solve(self, time_limit: float) -> LPPoint:
        """Reoptimise from the last basis.

        Args:
            time_limit: Seconds for this call.

        Returns:
            The solution; neither optimal nor infeasible if the time was not enough.
        """
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + max(time_limit, 0.01))
        self._highs.run()
        solution = self._highs.getSolution()
        duals = np.array(solution.row_dual)
        status = self._highs.getModelStatus()
        return LPPoint(
            objective=float(self._highs.getInfo().objective_function_value),
            values=np.array(solution.col_value),
            node_duals=duals[: self.n],
            cut_duals=np.maximum(duals[self.n :], 0.0),
            optimal=status == highspy.HighsModelStatus.kOptimal,
            infeasible=status == highspy.HighsModelStatus.kInfeasible,
        )

    def purge(self, cut_duals: NDArray[Any], patience: int) -> None:
        """Delete cuts whose dual value has been zero in `patience` successive calls.

        Args:
            cut_duals: Duals of the cuts, float64 [number of cuts].
            patience: Number of calls.
        """
        self._idle = np.where(cut_duals > 1e-9, 0, self._idle + 1)
        gone = np.flatnonzero(self._idle >= patience)
        if len(gone):
            self._highs.deleteRows(len(gone), (self.n + gone).astype(np.int32))
            self.cuts = [cut for cut, idle in zip(self.cuts, self._idle, strict=True) if idle < patience]
            self._idle = self._idle[self._idle < patience]


def _compressed(
    count: int, major: NDArray[Any], minor: NDArray[Any], entries: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Compressed sparse form of coordinate entries: starts int32 [count], indices int32, values."""
    order = np.argsort(major, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(major, minlength=count))])[:count]
    return start.astype(np.int32), minor[order].astype(np.int32), entries[order].astype(float)
