"""Runs a local search in short chunks so that the clock and Ctrl-C are looked at between them."""

from collections.abc import Callable
from time import perf_counter
from typing import Any, Protocol

from numpy.typing import NDArray

SHORTEST_CHUNK = 0.02
LONGEST_CHUNK = 0.04


class Search(Protocol):
    """What :func:`improve` needs of a search.

    Attributes:
        maximize: Sense of the objective.
    """

    maximize: bool

    @property
    def best(self) -> NDArray[Any]:
        """The incumbent (a copy)."""

    @property
    def best_value(self) -> int | float:
        """Objective value of the incumbent."""

    @property
    def complete(self) -> bool:
        """Whether the incumbent is known to be optimal, so that there is nothing left to search."""

    def run(self, iterations: int) -> bool:
        """Advance by a number of iterations; True when the incumbent improved."""


def improve(
    search: Search,
    *,
    deadline: Callable[[], float],
    on_improvement: Callable[[NDArray[Any], int | float], None],
    target: int | float | None = None,
) -> int:
    """Run a search until the deadline, the target or its own completion.

    The chunk size is adapted so that a chunk takes 20 to 40 ms. The incumbent the search begins with is
    not reported. A KeyboardInterrupt passes through, after an improvement of the chunk it
    interrupted has been reported.

    Args:
        search: The search; it may have run before and may be continued afterwards.
        deadline: Returns the seconds that remain; the run stops at zero or below.
        on_improvement: Called with the new incumbent and its value after each chunk that improved it.
        target: A known bound: an incumbent at least as good ends the run.

    Returns:
        The number of iterations run.
    """
    done, chunk = 0, 1
    reported = search.best_value
    try:
        while deadline() > 0 and not search.complete and not _reached(search, target):
            began = perf_counter()
            improved = search.run(chunk)
            elapsed = perf_counter() - began
            done += chunk
            if improved:
                reported = search.best_value
                on_improvement(search.best, reported)
            # The first chunks may be dominated by compilation; one doubling a time recovers quickly.
            if elapsed < SHORTEST_CHUNK:
                chunk *= 2
            elif elapsed > LONGEST_CHUNK:
                chunk = max(1, chunk // 2)
    except KeyboardInterrupt:
        if search.best_value != reported:
            on_improvement(search.best, search.best_value)
        raise
    return done


def _reached(search: Search, target: int | float | None) -> bool:
    if target is None:
        return False
    return search.best_value >= target if search.maximize else search.best_value <= target
