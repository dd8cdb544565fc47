"""Clocks of a solve, which leave out the time in which the solver waits for somebody's decision."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from co_gym.errors import unknown_name

Clock = Callable[[Any], float]
"""From a PySCIPOpt model to seconds, or to another quantity that grows during a solve."""


class _Waited(threading.local):
    """Seconds in which the current thread has waited for decisions."""

    seconds = 0.0


WAITED = _Waited()


def cpu(model: Any) -> float:
    """Seconds of processor time of the current thread, in which SCIP runs."""
    return time.thread_time()


def wall(model: Any) -> float:
    """Seconds gone by, without those in which the current thread waited for decisions."""
    return time.perf_counter() - WAITED.seconds


def scip(model: Any) -> float:
    """SCIP's own solving time, seconds; it runs while SCIP waits for decisions."""
    return float(model.getSolvingTime())


def nodes(model: Any) -> float:
    """Nodes of all runs so far."""
    return float(model.getNTotalNodes())


CLOCKS: dict[str, Clock] = {"cpu": cpu, "wall": wall, "scip": scip, "nodes": nodes}


def clock(name: str) -> Clock:
    """The clock of a given name.

    Raises:
        InputError: If there is none.
    """
    if name not in CLOCKS:
        raise unknown_name("clock", name, list(CLOCKS))
    return CLOCKS[name]
