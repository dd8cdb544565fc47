"""How solutions enter a SCIP solve: by a heuristic before presolving that leaves the model as it is."""

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


@dataclass
class SearchStatistics:
    """What a search contributed to the last solve.

    Attributes:
        ended: How the search ended (`optimal`: what it searched was exhausted), or why there was none.
        chosen: Variables that the prediction chose.
        delta: How many of them could differ.
        solutions: Solutions that SCIP took.
        objective: The best of them; None without any.
        seconds: Wall-clock time, the prediction's included.
    """

    ended: str = "not asked"
    chosen: int = 0
    delta: int = 0
    solutions: int = 0
    objective: float | None = None
    seconds: float = 0.0


class Door(Heur):
    """A search before presolving that hands its solutions to SCIP, once in a solve.

    The model itself is not changed, so that its bound, status and optimum are those of the original problem
    whatever the search does; one that fails is said in the log.

    Args:
        share: Of the remaining time limit, more than 0 and at most 1.
        seconds: Most seconds, whatever the limit.

    Raises:
        InputError: If a number is out of range.
    """

    title: str
    """For the log."""
    key: str
    """Name of the heuristic in SCIP."""
    mark: str
    """Its character in SCIP's log."""

    def __init__(self, share: float, seconds: float) -> None:
        if not 0 < share <= 1 or not seconds > 0:
            raise InputError(f"share {share}, seconds {seconds}: expected (0, 1] and more than 0")
        self.share, self.seconds = share, seconds
        self.statistics = SearchStatistics()

    @abstractmethod
    def search(self) -> str:
        """Searches, and calls `pass_on`; returns how that ended."""

    def include(self, model: Any, priority: int = PRIORITY) -> Any:
        """Attaches the search to a PySCIPOpt model before its solve, and returns it."""
        timing = SCIP_HEURTIMING.BEFOREPRESOL
        model.includeHeur(self, self.key, self.title, self.mark, priority, 1, 0, -1, timing, True)
        return self

    def heurinit(self) -> None:
        """A new solve begins."""
        self.statistics = SearchStatistics()

    def heurexec(self, heurtiming: Any, nodeinfeasible: bool) -> dict[str, Any]:
        """Searches, once in a solve."""
        statistics = self.statistics
        if statistics.ended != "not asked":
            return IDLE
        self._begin = time.perf_counter()
        try:
            statistics.ended = self.search()
        except BaseException as error:  # an exception out of a callback would abort the whole solve
            statistics.ended = f"failed: {type(error).__name__}"
            if isinstance(error, KeyboardInterrupt):
                self.model.interruptSolve()
            else:
                LOG.warning("%s failed (%s: %s)", self.title, type(error).__name__, error)
        statistics.seconds = time.perf_counter() - self._begin
        return {"result": SCIP_RESULT.FOUNDSOL if statistics.solutions else SCIP_RESULT.DIDNOTFIND}

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
