"""Root relaxation: cutting planes and pricing over HiGHS, with exact elimination of edges."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milp.tsp.cuts import Cut
from milp.tsp.edge_lp import EdgeLP, LPPoint
from milp.tsp.incumbent import Incumbent
from milp.tsp.pricing import Pricing, nearest_neighbour_pricing, price
from milp.tsp.separation import Separator
from milp.tsp.support import Support

_NEIGHBOURS = 8
_PATIENCE = 10
_PRICE_EVERY = 6
_WINDOW = 12
_STRONG_IMPROVE = 200
_STRONG_VIOLATION = 0.005


@dataclass
class Root:
    """Result of the root relaxation.

    Attributes:
        bound: Lower bound on the length of every tour better than the incumbent.
        live: Edges that can be in such a tour, bool [n, n].
        fixed: Edges that must be in such a tour, bool [n, n].
        cuts: Cuts with a positive dual in the final linear program.
        node_duals: Duals of the degree equations, float64 [n].
        spare_cuts: Further cuts without slack there.
        found: Number of cuts separated, by kind.
        rounds: Number of linear programs solved.
    """

    bound: float
    live: NDArray[Any]
    fixed: NDArray[Any]
    cuts: list[Cut]
    node_duals: NDArray[Any]
    spare_cuts: list[Cut] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)
    rounds: int = 0


class RootRelaxation:
    """Cutting-plane loop (Dantzig, Fulkerson and Johnson, 1954; Padberg and Rinaldi, 1991).

    Args:
        distances: Symmetric distances, float64 [n, n], n at least 4.
        incumbent: The best tour known; improved in place where the relaxation ends in a shorter tour.
        separator: Finds the cuts.
        deadline: `time.monotonic()` at which to stop.
        on_bound: Called with every improved bound.
        stop: Asked after every linear program whether to stop.
    """

    def __init__(
        self,
        distances: NDArray[Any],
        incumbent: Incumbent,
        separator: Separator,
        deadline: float,
        on_bound: Callable[[float], None],
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        n = len(distances)
        self.distances = distances
        self.incumbent = incumbent
        self.separator = separator
        self.deadline = deadline
        self.on_bound = on_bound
        self._stop = stop
        self.root = Root(-np.inf, ~np.eye(n, dtype=bool), np.zeros((n, n), bool), [], np.zeros(n))
        self._scale = incumbent.unit_scale()
        self._lp = EdgeLP(n)
        self._in_lp = np.zeros((n, n), bool)
        self._best: Pricing

    def run(self, *, target_improvement: float = 0.01) -> Root:
        """Alternate separation and pricing until neither helps, the gap is closed or the time is up.

        Args:
            target_improvement: Stop once the linear program's value has grown by less than this fraction
                of the gap to the incumbent over a window of rounds.

        Returns:
            The relaxation's bound, cuts and remaining edges.
        """
        self._start()
        history: list[float] = []
        since_pricing = 0
        while True:
            point = self._lp.solve(self.deadline - time.monotonic())
            self.root.rounds += 1
            support = Support.of(self._lp.n, self._lp.tails, self._lp.heads, point.values)
            if point.infeasible and self._add_edges(self.root.live):
                history.clear()  # elimination left too few edges in the linear program
                continue
            if not point.optimal or self._out_of_resources():
                self._price(point)
                break
            history.append(point.objective / self._scale)
            cuts = self._separate(support)
            stalled = self._stalled(history, target_improvement)
            since_pricing += 1
            if not cuts or stalled or since_pricing >= _PRICE_EVERY:
                since_pricing = 0
                added = self._price(point)
                if self.incumbent.proven_by(self.root.bound) or (added == 0 and (not cuts or stalled)):
                    break
                if added:
                    history.clear()
            self._lp.purge(point.cut_duals, _PATIENCE)
            if cuts:
                self._lp.add_cuts(cuts)
        if point.optimal:
            self._harvest(point, support)
        return self.root

    def _harvest(self, point: LPPoint, support: Support) -> None:
        for cut, dual in zip(self._lp.cuts, point.cut_duals, strict=True):
            if dual > 1e-9:
                self.root.cuts.append(cut)
            elif support.violation(cut) > -1e-6:
                self.root.spare_cuts.append(cut)

    def eliminate(self) -> None:
        """Drop and fix edges by the reduced costs of the best bound (Dantzig et al., 1954)."""
        root, pricing = self.root, self._best
        slack = self.incumbent.elimination_slack(pricing.bound)
        root.live &= pricing.reduced <= slack
        root.fixed |= root.live & (-pricing.reduced > slack)
        np.fill_diagonal(root.fixed, False)

    def _start(self) -> None:
        """A first bound and the first edges."""
        self._best = nearest_neighbour_pricing(self.distances)
        self.root.bound = self._best.bound
        self.on_bound(self._best.bound)
        self._add_edges(self._initial_edges())

    def _out_of_resources(self) -> bool:
        return time.monotonic() > self.deadline or self._stop()

    def _initial_edges(self) -> NDArray[Any]:
        """The nearest neighbours of every node and the incumbent's edges, bool [n, n]."""
        n = len(self.distances)
        masked = self.distances.copy()
        np.fill_diagonal(masked, np.inf)
        wanted = np.zeros((n, n), bool)
        nearest = np.argpartition(masked, min(_NEIGHBOURS, n - 2), axis=1)[:, :_NEIGHBOURS]
        wanted[np.arange(n)[:, None], nearest] = True
        wanted[self.incumbent.tour, np.roll(self.incumbent.tour, -1)] = True
        np.fill_diagonal(wanted, False)
        return wanted

    def _add_edges(self, wanted: NDArray[Any]) -> int:
        """Add the wanted edges that are not in the linear program yet; returns their number."""
        fresh = np.triu((wanted | wanted.T) & ~self._in_lp)
        tails, heads = np.nonzero(fresh)
        self._in_lp |= fresh | fresh.T
        if len(tails):
            self._lp.add_edges(tails, heads, self.distances[tails, heads] * self._scale)
        return len(tails)

    def _separate(self, support: Support) -> list[Cut]:
        cuts = self.separator.separate(support)
        if not cuts:
            cuts = self.separator.separate(support, improve=_STRONG_IMPROVE, min_violation=_STRONG_VIOLATION)
        if not cuts and support.is_integral():
            self.incumbent.offer_edges(support.tails, support.heads)
            self.separator.tour = self.incumbent.tour
        self.root.found.update(cut.kind for cut in cuts)
        return cuts

    def _stalled(self, history: list[float], target_improvement: float) -> bool:
        if len(history) <= _WINDOW:
            return False
        gap = max(self.incumbent.length - history[-1], 0.0)
        return history[-1] - history[-1 - _WINDOW] < target_improvement * gap

    def _price(self, point: LPPoint) -> int:
        """Improve the bound, eliminate and fix edges; returns the number of edges added."""
        root = self.root
        duals = point.node_duals / self._scale
        pricing = price(self.distances, root.live, duals, self._lp.cuts, point.cut_duals / self._scale)
        if pricing.bound > root.bound:
            self._best = pricing
            root.bound = pricing.bound
            root.node_duals = duals
            self.on_bound(root.bound)
        self.eliminate()
        self._lp.keep_edges(root.live[self._lp.tails, self._lp.heads])
        self._in_lp &= root.live
        attractive = root.live & ~self._in_lp & (pricing.reduced * self._scale < -1e-6)
        limit = 4 * self._lp.n
        if np.count_nonzero(attractive) > 2 * limit:
            cheapest = np.partition(pricing.reduced[attractive], 2 * limit)[2 * limit]
            attractive &= pricing.reduced <= cheapest
        return self._add_edges(attractive)
