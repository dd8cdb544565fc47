"""Local search and exact enumeration for the market split problem."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import SolverError
from co_gym.instance import Instance
from co_gym.problems.market_split import MarketSplit
from co_gym.solvers.base import Answer, Monitor, Options, Role
from co_gym.solvers.heuristics import LocalSearch
from co_gym.solvers.kernels.driver import Search, improve
from co_gym.solvers.kernels.market_split import MarketSplitLocalSearch
from co_gym.solvers.kernels.market_split_exact import (
    ENUMERATION_LIMIT,
    MarketSplitEnumeration,
    MeetInTheMiddle,
)

LOCAL_SEARCH = LocalSearch(
    {"market-split"},
    "tabu search with one and two flips (Glover 1989)",
    lambda instance, seed, start: MarketSplitLocalSearch(
        instance["coefficients"], instance["targets"], seed=seed, start=start
    ),
)

LARGEST_HALVES = 62
"""Columns above which half sums are not enumerated: the search would not end."""

FIRST_STEPS = 1 << 16
"""Steps taken whatever the clock says: a few milliseconds, all of a small instance. Compiling the kernel may have
used up a short limit before."""


class ExactMarketSplit:
    """Finds zero slack or proves that there is none; on small instances also the least slack."""

    name = "meet-in-the-middle"
    role: Role = "exact"
    problems: frozenset[str] | None = frozenset({"market-split"})
    summary = "matching of half sums (Horowitz and Sahni 1974), then enumeration in Gray code"

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`. Without a full proof the bound is 0, or 1 once zero slack is excluded."""
        A, b = instance["coefficients"], instance["targets"]
        n = A.shape[1]
        first = np.zeros(n, dtype=np.int64) if start is None else start
        monitor.incumbent(first, MarketSplit().objective(instance, first))
        monitor.prove(0)
        try:
            if monitor.objective != 0 and n <= LARGEST_HALVES and self._run(MeetInTheMiddle(A, b), monitor):
                monitor.prove(min(1, monitor.objective or 0))
            if monitor.objective not in (0, monitor.bound) and n <= ENUMERATION_LIMIT:
                self._run(MarketSplitEnumeration(A, b), monitor, proves=True)
        except ValueError as error:
            raise SolverError(f"{instance.name}: {self.name} cannot search this instance: {error}") from error
        return Answer(
            "optimal" if monitor.objective == monitor.bound else "feasible",
            solution=monitor.solution,
            objective=monitor.objective,
            bound=monitor.bound,
        )

    def _run(self, search: Search, monitor: Monitor, *, proves: bool = False) -> bool:
        """Runs an enumeration and reports what it finds; whether it came to its end."""

        def report(x: NDArray, value: int | float) -> None:
            monitor.incumbent(x.astype(np.int64), value)

        if search.run(FIRST_STEPS):
            report(search.best, search.best_value)
        improve(search, deadline=lambda: monitor.remaining, on_improvement=report)
        if search.complete and proves:
            monitor.prove(search.best_value)
        return search.complete
