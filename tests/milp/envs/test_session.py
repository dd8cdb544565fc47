"""Sessions: turns, failures, closing in the middle, and being forgotten."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from milp.envs.session import Session, Stopped, Turns


def counting(turns: Turns) -> str:
    """Asks with the sum of the answers until one is None."""
    total = 0
    while True:
        answer = turns.ask(total)
        if answer is None:
            return f"total {total}"
        total += answer


def wait_for_threads(before: set[threading.Thread]) -> None:
    deadline = time.monotonic() + 10
    while set(threading.enumerate()) - before:
        assert time.monotonic() < deadline, "a thread hangs"
        time.sleep(0.01)


def test_question_answer_result() -> None:
    session = Session(counting)
    assert session.receive() == 0
    for total in (2, 5):
        session.send(total - (0 if total == 2 else 2))
        assert session.receive() == total
    session.send(None)
    assert session.receive() == "total 5"
    session.close()
    session.close()


def test_failure_surfaces_as_it_is() -> None:
    class Odd(Exception):
        pass

    def work(turns: Turns) -> None:
        turns.ask(1)
        raise Odd("in the thread")

    session = Session(work)
    session.receive()
    session.send(None)
    with pytest.raises(Odd, match="in the thread"):
        session.receive()
    session.close()


def test_closing_ends_the_thread_and_nothing_swallows_it() -> None:
    ended = []

    def work(turns: Turns) -> None:
        try:
            turns.ask(1)
        except Exception:  # a careless handler
            ended.append("swallowed")
        except BaseException as error:
            ended.append(type(error).__name__)
            raise

    before = set(threading.enumerate())
    session = Session(work)
    session.receive()
    session.close()
    assert ended == [Stopped.__name__]
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("cyclic", [False, True])
def test_a_forgotten_session_ends_its_thread(cyclic: bool) -> None:
    before = set(threading.enumerate())
    holder: dict[str, Any] = {"session": Session(counting)}
    holder["session"].receive()
    if cyclic:
        holder["self"] = holder
    del holder
    gc.collect()
    wait_for_threads(before)


def test_the_garbage_collector_may_run_in_the_thread_itself() -> None:
    """The last reference goes away inside the session's own thread, which cannot wait for itself."""
    before = set(threading.enumerate())
    holder: list[Session] = []
    reached = threading.Event()

    def work(turns: Turns) -> None:
        reached.wait()
        holder.clear()
        gc.collect()
        turns.ask(1)

    holder.append(Session(work))
    reached.set()
    wait_for_threads(before)


class FakeModel:
    """Counts what a session does to its model."""

    def __init__(self) -> None:
        self.interrupted, self.freed = threading.Event(), 0

    def getStage(self) -> int:
        return 9

    def interruptSolve(self) -> None:
        self.interrupted.set()

    def free(self) -> None:
        self.freed += 1


def test_close_interrupts_a_running_solve_and_frees_the_model() -> None:
    first, second = FakeModel(), FakeModel()

    def work(turns: Turns) -> None:
        turns.attach(first)
        turns.attach(second)
        turns.ask("started")
        second.interrupted.wait()

    session = Session(work)
    session.receive()
    assert session.model is second
    assert first.freed == 1
    session.send("on")
    session.close()
    assert (first.freed, second.freed) == (1, 1)
    assert session.model is None


PROGRAM = """
import gymnasium, numpy as np, co_gym, sys
env = gymnasium.make_vec("co_gym/Branching-v0", num_envs=2, instances="set-cover-easy", observation="none")
for one in env.envs:
    one.begin_reset(seed=1)  # presolving and root are under way
single = gymnasium.make("co_gym/Branching-v0", observation="none")
single.reset(seed=0)
print("ready", flush=True)
if sys.argv[1] == "raise":
    raise ValueError("in the agent")
"""


@pytest.mark.parametrize("how", ["end", "raise"])
def test_the_program_ends_in_the_middle_of_solves(how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "ready\n", done.stderr
    assert done.returncode == (1 if how == "raise" else 0)
    assert ("ValueError: in the agent" in done.stderr) == (how == "raise")
    assert "Fatal" not in done.stderr
