"""What predictions do in a SCIP solve before presolving, and how solutions enter it there."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyscipopt import SCIP_HEURTIMING, SCIP_RESULT, Heur

from co_gym.errors import InputError
from milp.native import library, pointer

LOG = logging.getLogger("milp.prediction")

PRIORITY = 1_000_000
IDLE = {"result": SCIP_RESULT.DIDNOTRUN}
DONE = {"result": SCIP_RESULT.DIDNOTFIND}
FOUND = {"result": SCIP_RESULT.FOUNDSOL}


@dataclass
class Statistics:
    """What a prelude did in the last solve.

    Attributes:
        ended: How it ended, or why there was none.
        chosen: Variables that the prediction chose.
        seconds: Wall-clock time, the prediction's included.
    """

    ended: str = "not asked"
    chosen: int = 0
    seconds: float = 0.0


@dataclass
class SearchStatistics(Statistics):
    """What a search contributed to the last solve; it ended as `optimal` if what it searched was exhausted.

    Attributes:
        delta: How many of the chosen variables could differ.
        solutions: Solutions that SCIP took.
        objective: The best of them; None without any.
    """

    delta: int = 0
    solutions: int = 0
    objective: float | None = None


class Prelude(Heur):
    """What is done once in a solve, before presolving; a failure is said in the log, and SCIP goes on.

    Attributes:
        statistics: Of the last solve.
    """

    title: str
    """For the log."""
    key: str
    """Name of the heuristic in SCIP."""
    mark: str
    """Its character in SCIP's log."""
    statistics: Statistics

    @abstractmethod
    def act(self) -> str:
        """Does it; returns how that ended."""

    def include(self, model: Any, priority: int = PRIORITY) -> Any:
        """Attaches it to a PySCIPOpt model before its solve, and returns it."""
        timing = SCIP_HEURTIMING.BEFOREPRESOL
        model.includeHeur(self, self.key, self.title, self.mark, priority, 1, 0, -1, timing, True)
        return self

    def heurinit(self) -> None:
        """A new solve begins."""
        self.statistics = type(self.statistics)()

    def heurexec(self, heurtiming: Any, nodeinfeasible: bool) -> dict[str, Any]:
        """Acts, once in a solve."""
        statistics = self.statistics
        if statistics.ended != "not asked":
            return IDLE
        self._begin = time.perf_counter()
        try:
            statistics.ended = self.act()
        except BaseException as error:  # an exception out of a callback would abort the whole solve
            statistics.ended = self.failed(error)
        statistics.seconds = time.perf_counter() - self._begin
        return DONE

    def failed(self, error: BaseException) -> str:
        """Says in the log what went wrong, or passes Ctrl-C on; returns the same for `ended`."""
        if isinstance(error, KeyboardInterrupt):
            self.model.interruptSolve()
        else:
            LOG.warning("%s failed (%s: %s)", self.title, type(error).__name__, error)
        return f"failed: {type(error).__name__}"


class Door(Prelude):
    """A search before presolving that hands its solutions to SCIP, once in a solve.

    The model itself is not changed, so that its bound, status and optimum are those of the original problem
    whatever the search does.

    Args:
        share: Of the remaining time limit, more than 0 and at most 1.
        seconds: Most seconds, whatever the limit.

    Raises:
        InputError: If a number is out of range.
    """

    statistics: SearchStatistics

    def __init__(self, share: float, seconds: float) -> None:
        if not 0 < share <= 1 or not seconds > 0:
            raise InputError(f"share {share}, seconds {seconds}: expected (0, 1] and more than 0")
        self.share, self.seconds = share, seconds
        self.statistics = SearchStatistics()

    @abstractmethod
    def search(self) -> str:
        """Searches, and calls `pass_on`; returns how that ended."""

    def act(self) -> str:
        """See `Prelude`."""
        return self.search()

    def heurexec(self, heurtiming: Any, nodeinfeasible: bool) -> dict[str, Any]:
        """See `Prelude`."""
        result = super().heurexec(heurtiming, nodeinfeasible)
        return FOUND if result is DONE and self.statistics.solutions else result

    @property
    def remaining(self) -> float:
        """Seconds that the search may still take."""
        spent = time.perf_counter() - self._begin
        left = self.model.getParam("limits/time") - self.model.getSolvingTime()
        return max(0.0, min(self.seconds - spent, self.share * (left + spent) - spent))

    def pass_on(self, values: Any, variables: list[Any]) -> None:
        """Offers SCIP a solution of the original problem."""
        solution = self.model.createOrigSol(self)
        for variable, value in zip(variables, np.asarray(values).tolist(), strict=True):
            self.model.setSolVal(solution, variable, value)
        objective = self.model.getSolObjVal(solution)
        if self.model.trySol(solution, printreason=False):
            self.statistics.solutions += 1
            self.statistics.objective = objective

    def is_stopped(self) -> bool:
        """Whether SCIP was asked to stop, or has reached a limit."""
        return bool(library().SCIPisStopped(pointer(self.model)))
