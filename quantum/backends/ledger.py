"""A file that remembers what a run has sampled, so that it can be interrupted at any time and then goes on.

Every line is a JSON object with the checksum of the rest of the line. The first says which run it is of; the
others are added one by one: a call that is about to be handed in (`asked`), the id of its job (`submitted`), its
bits (`finished`), or that it has ended without any (`failed`).

A run whose time is up ends early, by calls that it would not have made otherwise. They are marked as its `ending`:
started again, the run goes on where it was cut, and takes such a call in where it asks for the same (`kept`).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from numpy.typing import NDArray

from co_gym.errors import InputError
from quantum.backends.lines import line_of, may_begin_a_line, packed, record_of, unpacked


@dataclass
class Call:
    """One call of a sampler.

    Attributes:
        request: What was asked for.
        ending: Whether it was made because time was up.
        number: In the order of the file, from 0; None while it is not written.
        tag: Of the job that was last about to be handed in; None if there was none.
        attempts: How many jobs there were before that failed.
        job: Its id, once known.
        bits: Its result, once known, [..., q] uint8.
    """

    request: dict[str, Any]
    ending: bool = False
    number: int | None = None
    tag: str | None = None
    attempts: int = 0
    job: str | None = None
    bits: NDArray | None = None


class Ledger:
    """The file; calls that it holds are given back in their order, further ones are added.

    What was cut off in the middle of its last line, when the process was killed, is lost: that line is removed.

    Args:
        path: Made if it does not exist.
        run: What the run depends on, such as instance and options; anything that JSON can hold.

    Raises:
        InputError: If the file is of another run, damaged, no such file, or in use.
    """

    def __init__(self, path: str | Path, run: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self._run = json.loads(json.dumps(dict(run)))
        self._calls: list[Call] = []
        self._order: list[Call] = []
        self._next = 0
        self._ending = False
        try:
            self._file = open(self.path, "a+b")  # noqa: SIM115
        except OSError as error:
            raise InputError(f"cannot be opened: {error.strerror}", path=self.path) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read()
        except BlockingIOError:
            self.close()
            raise InputError("this ledger is in use by another process", path=self.path) from None
        except InputError:
            self.close()
            raise

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def finished(self) -> int:
        """How many calls the file holds the results of."""
        return sum(call.bits is not None for call in self._calls)

    def call(self, request: Mapping[str, Any]) -> Call:
        """The next call of the run with what is known of it; it is the next one until it is finished.

        Args:
            request: What is asked for; JSON.

        Raises:
            InputError: If the file has another one in this place.
        """
        if self._ending:
            return self._of_ending(request) or Call(dict(request), ending=True)
        if self._next == len(self._order):
            self._order.append(self._kept(request) or Call(dict(request)))
        call = self._order[self._next]
        if call.tag is None and call.bits is None:  # nothing came of it
            call.request = dict(request)
        different = [key for key, value in request.items() if call.request.get(key) != value]
        if different:
            raise InputError(
                f"call {self._next} of this run differs from the recorded one in {', '.join(different)}: "
                "the ledger is of another run, or the run is not repeatable",
                path=self.path,
            )
        self._next += call.bits is not None
        return call

    def is_over(self, clock: Callable[[], bool]) -> bool:
        """Whether the run is to end, which it is not before it has been given all that is recorded of it.

        Args:
            clock: Whether time is up.
        """
        if not self._ending and self._next == len(self._order):
            self._ending = clock()
        return self._ending

    def _of_ending(self, request: Mapping[str, Any]) -> Call | None:
        return next((one for one in self._calls if one.ending and one.request == request), None)

    def _kept(self, request: Mapping[str, Any]) -> Call | None:
        """A call of an ending, which becomes one of the run."""
        call = self._of_ending(request)
        if call is not None:
            call.ending = False
            self._write({"kind": "kept", "call": call.number}, sync=True)
        return call

    def _described(self, call: Call) -> dict[str, Any]:
        """What is written of a call at first."""
        if call.number is None:
            call.number = len(self._calls)
            self._calls.append(call)
        return {"call": call.number, "request": call.request} | ({"ending": True} if call.ending else {})

    def ask(self, call: Call) -> str:
        """Write that a job is about to be handed in; the tag it is to have."""
        described = self._described(call)
        call.tag = f"{self._id}-{call.number}-{call.attempts}"
        self._write({"kind": "asked", **described, "tag": call.tag}, sync=True)
        return call.tag

    def submitted(self, call: Call, job: str) -> None:
        """Write the id of a call's job."""
        call.job = job
        self._write({"kind": "submitted", "call": call.number, "job": job}, sync=True)

    def finish(self, call: Call, bits: NDArray) -> None:
        """Write a call's result."""
        call.bits = bits
        self._next += not call.ending
        record = {"kind": "finished", **self._described(call), **packed(bits)}
        self._write(record, sync=call.job is not None)

    def failed(self, call: Call) -> None:
        """Write that a call's job has ended without a result, so that it may be handed in again."""
        self._write({"kind": "failed", "call": call.number, "job": call.job}, sync=True)
        call.attempts, call.tag, call.job = call.attempts + 1, None, None

    def _write(self, record: Mapping[str, Any], sync: bool) -> None:
        self._file.write(line_of(record) + b"\n")
        self._file.flush()
        if sync:
            os.fsync(self._file.fileno())

    def _read(self) -> None:
        self._file.seek(0)
        *lines, rest = self._file.read().split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                record = record_of(line)
                self._begin(record) if number == 1 else self._replay(record)
            except (KeyError, TypeError, ValueError, IndexError) as error:
                if isinstance(error, InputError):
                    raise
                raise InputError(f"the ledger is damaged: {error}", path=self.path, line=number) from error
        if not may_begin_a_line(rest):
            raise InputError("this is no line of a ledger", path=self.path, line=len(lines) + 1)
        if rest:
            self._file.truncate(sum(len(line) + 1 for line in lines))
        if not lines:
            self._id = uuid4().hex
            self._write({"kind": "run", "version": 1, "id": self._id, "run": self._run}, sync=True)

    def _begin(self, record: dict[str, Any]) -> None:
        if record["kind"] != "run" or record["version"] != 1:
            raise ValueError("expected a first line of version 1")
        self._id = str(record["id"])
        there = record["run"]
        different = sorted(key for key in {*there, *self._run} if there.get(key) != self._run.get(key))
        if different:
            named = ", ".join(f"{key} = {there.get(key)} (now {self._run.get(key)})" for key in different)
            raise InputError(f"the ledger is of another run: {named}; choose another file", path=self.path, line=1)

    def _replay(self, record: dict[str, Any]) -> None:
        kind, number = record["kind"], record["call"]
        if kind in ("asked", "finished") and number == len(self._calls):
            self._calls.append(Call(record["request"], record.get("ending", False), number))
            self._order += [] if self._calls[number].ending else self._calls[number:]
        call = self._calls[number]
        call.request = record.get("request", call.request)
        if kind == "asked":
            call.tag = record["tag"]
        elif kind == "submitted":
            call.job = record["job"]
        elif kind == "finished":
            call.bits = unpacked(record)
        elif kind == "kept":
            call.ending = False
            self._order.append(call)
        elif kind == "failed":
            call.attempts, call.tag, call.job = call.attempts + 1, None, None
        else:
            raise ValueError(f"unknown kind {kind}")
