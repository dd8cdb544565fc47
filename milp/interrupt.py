"""Solving with SCIP so that Ctrl-C ends the search, not the program."""

from __future__ import annotations

import threading
from typing import Any

POLL = 0.1
"""Seconds between looks at whether SCIP has finished while Python can still take signals."""


def optimize(model: Any) -> bool:
    """Solves a PySCIPOpt model in a thread of its own, without the GIL.

    Ctrl-C in the main thread asks SCIP to stop; the model keeps its incumbent and bound. (SCIP's own handler would
    write to standard output, and Python's does not run while SCIP has the thread.)

    Returns:
        Whether Ctrl-C stopped it.

    Raises:
        Exception: Whatever PySCIPOpt raised.
    """
    model.setParam("misc/catchctrlc", False)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            model.optimizeNogil()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="scip", daemon=True)
    thread.start()
    interrupted = False
    while thread.is_alive():
        try:
            thread.join(POLL)
        except KeyboardInterrupt:
            interrupted = True
            model.interruptSolve()
    if failures:
        raise failures[0]
    return interrupted
