"""Destroy and repair: a large neighbourhood search whose repairs are small programs, solved by HiGHS.

After Shaw 1998 and Danna et al. 2005. Programs whose other variables follow from binary choices are annealed
first, which finds in a second what repairs take minutes for. It needs nothing learned; a prediction may add to it
where to look.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from co_gym.errors import SolverError
from co_gym.formulation import MixedIntegerProgram
from co_gym.highs import quiet_highs
from co_gym.instance import Instance
from co_gym.relaxation import Relaxation, solve_relaxation
from co_gym.solvers.base import Answer, Monitor, Options, Role
from milp.annealing import Annealing
from milp.dependents import Choices, choices
from milp.fixing import loosened
from milp.highs import Run, as_highs, set_start, status_of, values_of
from milp.interrupt import AbandonedError
from milp.kernels.annealing import BETTER
from milp.neighbourhoods import Neighbourhoods
from milp.reporting import Reporter, settle

FIRST_SHARE = 0.15
"""Of the time, for a first solution, but at most `FIRST_SECONDS`; more if it finds none."""
FIRST_SECONDS = 3.0
FIX_SECONDS = 1.0
"""Most seconds for what is left when predicted values are fixed: it has its best solutions soon."""
REPAIR_SECONDS = 2.0
"""Most seconds of one repair."""
QUICK_SECONDS = 0.5
"""For the whole program before it is annealed, as small ones are done by then."""
ANNEALING_SHARE = 0.5
"""Of the time that is left, for annealing; it ends sooner when nothing better comes."""
SURE = 0.99
"""Variables that are predicted at least as surely are fixed at first."""
IDLE_REPAIRS = 30
"""Repairs without improvement, at least, before the search may end for lack of it."""

Tell = Callable[[NDArray], object]

LOG = logging.getLogger("milp.destroy_and_repair")


@dataclass
class Search:
    """A destroy-and-repair search on one program.

    Attributes:
        program: Without a quadratic objective.
        seconds: Time limit.
        tell: Called with each better solution, [n] float64.
        is_over: Asked now and then; whether to stop.
        seed: Of everything random.
        marginals: [n] float64, predicted probabilities of being 1; None: nothing is predicted.
        patience: Annealing and repairs each stop after so long without improvement, relative to the time until the
            last one, and `IDLE_REPAIRS` repairs.
        incumbent: The best solution so far.
        ended: Why the search ended: `optimal`, `infeasible`, `stagnated`, `time`, `interrupted`, `no solution`,
            `stuck` (HiGHS did not return).
        repairs: How many neighbourhoods were searched.
        interrupted: Whether Ctrl-C stopped it.
    """

    program: MixedIntegerProgram
    seconds: float
    tell: Tell
    is_over: Callable[[], bool] = lambda: False
    seed: int = 0
    marginals: NDArray | None = None
    patience: float = float("inf")
    incumbent: NDArray | None = None
    ended: str = "time"
    repairs: int = 0
    interrupted: bool = False

    def run(self) -> None:
        """Searches until time is up or nothing is left to do."""
        self._begin, self._last = time.perf_counter(), 0.0
        self._sign = 1.0 if self.program.sense == "minimize" else -1.0
        try:
            self._search()
        except AbandonedError as error:
            LOG.warning("the search ends: %s", error)
            self.ended = "stuck"

    def _search(self) -> None:
        if self.marginals is not None:
            self._fix_and_repair(*self._sure(self.marginals))
        if not self._first():
            return
        relaxation = self._relaxation()
        rng = np.random.default_rng(self.seed)
        neighbourhoods = Neighbourhoods(self.program, rng, relaxation.x, relaxation.reduced_costs, self.marginals)
        self._last, idle, most = self._elapsed, 0, int(self.program.integer.sum())
        while self._left > 0:
            assert self.incumbent is not None
            if self._stopped():
                self.ended = "interrupted"
                return
            if idle >= IDLE_REPAIRS and self._stagnates():
                self.ended = "stagnated"
                return
            operator = neighbourhoods.draw()
            free = neighbourhoods.free(operator, self.incumbent)
            status, better = self._repair(free)
            operator.learn(better, status == "time", most)
            idle = 0 if better else idle + 1
            if not better and status == "optimal" and free.size == most:
                self.ended = "optimal"
                return
        self.ended = "time"

    @property
    def _elapsed(self) -> float:
        return time.perf_counter() - self._begin

    @property
    def _left(self) -> float:
        return self.seconds - self._elapsed

    def _stopped(self) -> bool:
        return self.interrupted or self.is_over()

    def _stagnates(self) -> bool:
        return self._elapsed - self._last > 2.0 + self.patience * self._last

    def _first(self) -> bool:
        """Finds good first solutions; returns whether to go on."""
        chosen = choices(self.program)
        if chosen is not None:
            if self._whole(min(QUICK_SECONDS, FIRST_SHARE * self._left)):
                return False
            self._anneal(chosen)
        if chosen is None or self.incumbent is None:
            enough = min(FIRST_SECONDS, FIRST_SHARE * self._left)
            if self._whole(self._left if self.incumbent is None else enough, enough):
                return False
        if self.incumbent is None:
            self.ended = "interrupted" if self._stopped() else "no solution"
            return False
        return True

    def _whole(self, seconds: float, enough: float = np.inf) -> bool:
        """Lets HiGHS solve the whole program; returns whether nothing is left to do. See `_solve`."""
        status, values = self._solve(self.program, seconds, self.incumbent, enough, self._take)
        if values is not None:
            self._take(values)
        if status in ("optimal", "infeasible", "unbounded"):
            self.ended = status
            return True
        return False

    def _anneal(self, chosen: Choices) -> None:
        """Anneals until nothing better comes, but no longer than its share of the time."""

        def is_over() -> bool:
            return self._stopped() or (self.incumbent is not None and self._stagnates())

        try:
            Annealing(chosen, self.seed).run(ANNEALING_SHARE * self._left, self._take, is_over)
        except KeyboardInterrupt:
            self.interrupted = True

    def _sure(self, marginals: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Values and doubt of all variables, and which of them are predicted surely.

        Where none are, as among variables that may be exchanged for each other, the prediction is not used at all.
        """
        doubt = np.where(self.program.binary, 0.5 - np.abs(marginals - 0.5), np.inf)
        sure = doubt < 1.0 - SURE
        if not sure.any():
            self.marginals = None
        return np.round(marginals), doubt, sure

    def _fix_and_repair(self, values: NDArray, doubt: NDArray, fixed: NDArray) -> None:
        """Fixes what is predicted surely and solves the rest; where that fails, only the surer half, and so on."""
        while fixed.any() and self._left > 0 and not self._stopped():
            fixed = loosened(self.program, values, fixed, doubt)
            part, columns = restricted(self.program, values, np.flatnonzero(self.program.integer & ~fixed))

            def take(found: NDArray, columns: NDArray = columns) -> bool:
                candidate = values.copy()
                candidate[columns] = found
                return self._take(candidate)

            self._solve(part, min(FIX_SECONDS, FIRST_SHARE * self._left), None, take=take)
            if self.incumbent is not None:
                return
            if fixed.any():
                fixed &= doubt < np.median(doubt[fixed])

    def _relaxation(self) -> Relaxation:
        try:
            return solve_relaxation(self.program, time_limit=max(0.1, 0.2 * self._left))
        except SolverError:  # not finished in time: one way less to choose neighbourhoods
            return Relaxation("unbounded")

    def _repair(self, free: NDArray) -> tuple[str, bool]:
        """Searches a neighbourhood; returns how that ended, and whether it holds something better."""
        assert self.incumbent is not None
        self.repairs += 1
        part, columns = restricted(self.program, self.incumbent, free)
        status, values = self._solve(part, min(REPAIR_SECONDS, self._left), self.incumbent[columns])
        if values is None:
            return status, False
        candidate = self.incumbent.copy()
        candidate[columns] = values
        return status, self._take(candidate)

    def _take(self, values: NDArray) -> bool:
        """Keeps a solution if it is feasible and better."""
        values = settle(self.program, values)
        if self.incumbent is not None:
            ours, theirs = (self._sign * self.program.evaluate(x) for x in (values, self.incumbent))
            if ours >= theirs - BETTER * max(1.0, abs(theirs)):
                return False
        if not self.program.is_feasible(values):
            return False
        self.incumbent, self._last = values, self._elapsed
        self.tell(values)
        return True

    def _solve(
        self,
        program: MixedIntegerProgram,
        seconds: float,
        start: NDArray | None,
        enough: float = np.inf,
        take: Tell | None = None,
    ) -> tuple[str, NDArray | None]:
        """Solves a program by HiGHS: how that ended, and the best solution.

        Args:
            program: The program.
            seconds: Time limit.
            start: A solution.
            enough: Seconds after which any solution will do.
            take: Called with each better solution.
        """
        highs, begin = quiet_highs(), time.perf_counter()
        highs.setOptionValue("time_limit", max(0.01, float(seconds)))
        highs.setOptionValue("random_seed", self.seed)
        highs.passModel(as_highs(program))
        if start is not None:
            set_start(highs, start)

        def is_over() -> bool:
            found = self.incumbent is not None and time.perf_counter() - begin > enough
            return found or self.is_over()

        run = Run(highs, take)
        self.interrupted |= run.go("highs-repair", is_over)
        known = {"optimal": "optimal", "infeasible": "infeasible", "unbounded": "unbounded", "empty": "optimal"}
        return known.get(status_of(highs), "time"), values_of(highs)


def restricted(
    program: MixedIntegerProgram, values: NDArray, free: NDArray
) -> tuple[MixedIntegerProgram, NDArray]:
    """The program with all integer variables but some fixed, and without rows that hold no other variable.

    Args:
        program: The program.
        values: [n] float64, a solution.
        free: Positions of the integer variables that are free; all others of its columns are.

    Returns:
        The program, and the positions [k] of its columns.
    """
    chosen = ~program.integer
    chosen[free] = True
    columns = np.flatnonzero(chosen)
    fixed = np.where(chosen, 0.0, values)
    A = sparse.csr_matrix(program.A[:, columns])
    rows = np.flatnonzero(np.diff(A.indptr))
    activity = (program.A @ fixed)[rows]
    part = replace(
        program,
        c=program.c[columns],
        A=A[rows],
        row_lower=program.row_lower[rows] - activity,
        row_upper=program.row_upper[rows] - activity,
        lower=program.lower[columns],
        upper=program.upper[columns],
        integer=program.integer[columns],
        offset=program.offset + float(program.c @ fixed),
        variable_names=None,
        row_names=None,
    )
    return part, columns


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
