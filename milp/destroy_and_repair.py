"""Destroy and repair: a large neighbourhood search whose repairs are small programs, solved by HiGHS.

After Shaw 1998 and Danna et al. 2005. Programs whose other variables follow from binary choices are annealed
first, which finds in a second what repairs take minutes for. It needs nothing learned; a prediction may add to it
where to look.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import SolverError
from co_gym.instance import Instance
from co_gym.relaxation import Relaxation, solve_relaxation
from co_gym.solvers.base import Answer, Monitor, Options, Role
from milp.first_solutions import find_first, fix_and_repair
from milp.fixing import restricted
from milp.interrupt import AbandonedError
from milp.neighbourhoods import Neighbourhoods
from milp.reporting import Reporter
from milp.search_state import SearchState

REPAIR_SECONDS = 2.0
"""Most seconds of one repair."""
RELAXATION_SHARE = 0.2
"""Of the time that is left, for the LP relaxation."""
IDLE_REPAIRS = 30
"""Repairs without improvement, at least, before the search may end for lack of it."""

LOG = logging.getLogger("milp.destroy_and_repair")


@dataclass
class Search(SearchState):
    """A destroy-and-repair search on one program; annealing and repairs each end when they stagnate.

    Attributes:
        marginals: [n] float64, predicted probabilities of being 1; None: nothing is predicted.
        repairs: How many neighbourhoods were searched.
    """

    marginals: NDArray | None = None
    repairs: int = 0

    def run(self) -> None:
        """Searches until time is up or nothing is left to do."""
        try:
            if self.marginals is not None and not fix_and_repair(self, self.marginals):
                self.marginals = None
            if find_first(self):
                self.ended = self._improve()
        except AbandonedError as error:
            LOG.warning("the search ends: %s", error)
            self.ended = "stuck"

    def _improve(self) -> str:
        """Repairs one neighbourhood after the other; returns why it ended."""
        relaxation, rng = self._relaxation(), np.random.default_rng(self.seed)
        neighbourhoods = Neighbourhoods(self.program, rng, relaxation.x, relaxation.reduced_costs, self.marginals)
        self.forgive()
        idle, most = 0, int(self.program.integer.sum())
        while self.left > 0:
            if self.stopped:
                return "interrupted"
            if idle >= IDLE_REPAIRS and self.stagnates:
                return "stagnated"
            assert self.incumbent is not None
            operator = neighbourhoods.draw()
            free = neighbourhoods.free(operator, self.incumbent)
            status, better = self._repair(free, self.incumbent)
            operator.learn(better, status == "time", most)
            idle = 0 if better else idle + 1
            if not better and status == "optimal" and free.size == most:
                return "optimal"
        return "time"

    def _relaxation(self) -> Relaxation:
        try:
            return solve_relaxation(self.program, time_limit=max(0.1, RELAXATION_SHARE * self.left))
        except SolverError:  # not finished in time: one way less to choose neighbourhoods
            return Relaxation("unbounded")

    def _repair(self, free: NDArray, incumbent: NDArray) -> tuple[str, bool]:
        """Searches a neighbourhood; returns how that ended, and whether it holds something better."""
        self.repairs += 1
        part, columns = restricted(self.program, incumbent, free)
        status, values = self.solve(part, min(REPAIR_SECONDS, self.left), incumbent[columns])
        if values is None:
            return status, False
        candidate = incumbent.copy()
        candidate[columns] = values
        return status, self.take(candidate)


class DestroyAndRepair:
    """Large neighbourhood search on any problem's default formulation."""

    name = "destroy-and-repair"
    role: Role = "portfolio"
    """HiGHS on the whole and on parts; no stage of `auto`, which would wait for it where SCIP is done sooner."""
    problems: frozenset[str] | None = None
    summary = "large neighbourhood search with HiGHS on the problem's formulation (Danna et al. 2005)"

    def solve(
        self, instance: Instance, *, options: Options, monitor: Monitor, start: NDArray | None = None
    ) -> Answer:
        """See `Solver`.

        Raises:
            SolverError: If the objective is quadratic.
        """
        report = Reporter(instance, monitor)
        program = report.program
        if program.Q is not None:
            raise SolverError("the objective is quadratic: destroy and repair takes linear formulations only")
        search = Search(program, monitor.remaining, report.incumbent, seed=options.seed)
        if start is not None:
            search.incumbent = report.formulation.encode(start)
        search.run()
        details = {"ended": search.ended, "repairs": search.repairs}
        if search.incumbent is None:
            claim: Any = search.ended if search.ended in ("infeasible", "unbounded") else "unknown"
            return Answer(claim, interrupted=search.interrupted, details=details)
        return Answer(
            "feasible",
            solution=report.formulation.decode(search.incumbent),
            objective=program.evaluate(search.incumbent),
            interrupted=search.interrupted,
            details=details,
        )
