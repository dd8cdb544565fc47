"""A solve in a thread of its own that takes turns with its caller.

The solve asks, the caller answers. One of the two waits at any time, so that the caller may read the model between
a question and its answer. The thread holds no reference to the session: a session that nobody holds any more stops
its solve, as does the end of the program.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from milp.clock import WAITED

POLL = 0.05
"""Seconds between requests to stop: SCIP forgets one that comes just before its solve begins."""

INTERRUPTIBLE = frozenset({3, 4, 5, 6, 7, 9})
"""SCIP's stages in which it takes such a request, from TRANSFORMED to SOLVING but for INITSOLVE."""


class Stopped(BaseException):
    """Ends a solve whose session was closed. No `Exception`, lest a handler in between take it for a failure."""


class Turns:
    """What both threads know: two queues of questions and answers, and the model that is being solved."""

    def __init__(self) -> None:
        # SimpleQueue.put may be called by a finalizer at any point, even inside get of the same queue
        self.questions: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self.answers: SimpleQueue[Any] = SimpleQueue()
        self.stopped = False
        self.model: Any = None
        self._lock = threading.RLock()
        self._abandoned = False

    def ask(self, question: Any) -> Any:
        """In the solver's thread: hands over a question and waits for the answer.

        Raises:
            Stopped: If the session was closed.
        """
        began = time.perf_counter()
        self.questions.put((question, None))
        answer = self.answers.get()
        WAITED.seconds += time.perf_counter() - began
        if self.stopped:
            raise Stopped
        return answer

    def attach(self, model: Any) -> None:
        """In the solver's thread: the model that is solved from now on; the one before is freed.

        Raises:
            Stopped: If the session was closed.
        """
        with self._lock:
            self.free()
            self.model = model
        if self.stopped:
            raise Stopped

    def interrupt(self) -> None:
        """Asks the solve to stop, wherever it is."""
        with self._lock:
            self.stopped = True
            if self.model is not None and self.model.getStage() in INTERRUPTIBLE:
                with contextlib.suppress(Exception):  # SCIP has gone on to another stage; the next request counts
                    self.model.interruptSolve()

    def free(self) -> None:
        """Frees the model, and with it the cycle between it and its plug-ins."""
        with self._lock:
            if self.model is not None:
                self.model.free()
                self.model = None

    def abandon(self) -> None:
        """Leaves freeing the model to the solver's thread."""
        self._abandoned = True

    def run(self, work: Callable[[Turns], Any]) -> None:
        """In the solver's thread: works, and hands over the result or the exception."""
        try:
            message: tuple[Any, BaseException | None] = work(self), None
        except Stopped:
            message = None, None
        except BaseException as error:
            message = None, error
        if self._abandoned:
            self.free()
        self.questions.put(message)


class Session:
    """A piece of work, usually a solve with SCIP, in a thread of its own.

    Args:
        work: Called in the thread with the `Turns`; its questions, and at last its result, come out of `receive`.
    """

    def __init__(self, work: Callable[[Turns], Any]) -> None:
        self._turns = Turns()
        thread = threading.Thread(target=self._turns.run, args=(work,), name="scip-session", daemon=True)
        self._finalizer = weakref.finalize(self, _end, self._turns, thread)
        thread.start()

    @property
    def model(self) -> Any:
        """The PySCIPOpt model; to be used between a question and its answer, or after the end."""
        return self._turns.model

    def receive(self) -> Any:
        """Waits for the next question, or for the result.

        Raises:
            BaseException: Whatever was raised in the thread.
        """
        message, failure = self._turns.questions.get()
        if failure is not None:
            raise failure
        return message

    def send(self, answer: Any) -> None:
        """Answers a question and returns at once."""
        self._turns.answers.put(answer)

    def close(self) -> None:
        """Stops the solve, waits for its thread and frees the model. May be called twice."""
        self._finalizer()


def _end(turns: Turns, thread: threading.Thread) -> None:
    turns.interrupt()
    turns.answers.put(None)
    if thread is threading.current_thread():  # the garbage collector runs in any thread
        turns.abandon()
        return
    while thread.is_alive():
        turns.interrupt()
        thread.join(POLL)
    turns.free()
