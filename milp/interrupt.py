"""Solving so that Ctrl-C and failing callbacks end the search, not the program."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from co_gym.errors import SolverError

POLL = 0.1
"""Seconds between looks at whether SCIP has finished while Python can still take signals."""


class Guard:
    """Keeps the first exception of a callback and stops SCIP, which cannot pass exceptions on."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None

    def run(self, model: Any, default: dict[str, Any], action: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Result of the action, or the default if it raised; nothing runs after the first exception."""
        if self.failure is not None:
            return default
        try:
            return action()
        except BaseException as error:
            self.failure = error
            model.interruptSolve()
            return default


def optimize(model: Any, guard: Guard | None = None) -> bool:
    """Solves a PySCIPOpt model in a thread of its own, without the GIL.

    Ctrl-C in the main thread asks SCIP to stop; the model keeps its incumbent and bound. (SCIP's own handler would
    write to standard output, and Python's does not run while SCIP has the thread.)

    Args:
        model: The model.
        guard: What its callbacks run under.

    Returns:
        Whether Ctrl-C stopped it, or a `KeyboardInterrupt` out of a callback.

    Raises:
        BaseException: Whatever PySCIPOpt or a callback raised.
    """
    model.setParam("misc/catchctrlc", False)
    interrupted = run_aside(model.optimizeNogil, model.interruptSolve, "scip")
    if guard is not None and guard.failure is not None:
        if not isinstance(guard.failure, KeyboardInterrupt):
            raise guard.failure
        interrupted = True
    return interrupted


class AbandonedError(SolverError):
    """A solver did not keep to its own time limit, and was left behind in its thread."""


def run_aside(
    run: Callable[[], object],
    stop: Callable[[], object],
    name: str,
    is_over: Callable[[], bool] = lambda: False,
    most: float = math.inf,
) -> bool:
    """Runs a solver's native code in a thread of its own, so that Ctrl-C is noticed in this one.

    Args:
        run: What runs; it must give up the GIL.
        stop: Asks it to stop; called after Ctrl-C.
        name: Of the thread.
        is_over: Asked every `POLL` seconds; if so, it is stopped too.
        most: Seconds after which the thread is left behind, running, until the process ends.

    Returns:
        Whether there was a Ctrl-C.

    Raises:
        AbandonedError: If the thread was left behind.
        BaseException: Whatever `run` raised.
    """
    failures: list[BaseException] = []
    done = threading.Event()  # not `Thread.join`: Ctrl-C in there makes Python 3.11 take the thread for dead

    def catch() -> None:
        try:
            run()
        except BaseException as error:
            failures.append(error)
        finally:
            done.set()

    threading.Thread(target=catch, name=name, daemon=True).start()
    interrupted, begin = False, time.perf_counter()
    while True:
        try:
            if done.wait(POLL):
                break
            if time.perf_counter() - begin > most:
                raise AbandonedError(f"{name} does not return: it was left behind after {most:.0f} s")
            if is_over():
                stop()
        except KeyboardInterrupt:
            interrupted = True
            stop()
    if failures:
        raise failures[0]
    return interrupted
