"""Aer in a process of its own: it holds Python's lock while it simulates, so that nothing else would be served.

In the same process neither the progress line nor Ctrl-C would be, for minutes where a noisy circuit is large.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

SERVE = "import sys; from quantum.backends.worker import serve; serve(int(sys.argv[1]))"


class Worker:
    """The process. It is started when first needed and ends with this one; an interruption ends it at once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection
        self._owner = 0
        self._held: set[int] = set()

    def run(self, key: int, simulator: Any, seed: int, pubs: Sequence[Any]) -> Any:
        """What a sampler of a simulator of Aer measures.

        Args:
            key: Number of the simulator, which is handed over once.
            simulator: An `AerSimulator`.
            seed: Of what is random.
            pubs: Circuits, values of their parameters and shots.

        Returns:
            A `PrimitiveResult`.

        Raises:
            QiskitError: If Aer failed, or the process ended.
            MemoryError: If memory is not enough.
        """
        from qiskit.exceptions import QiskitError

        if self._process is None or self._owner != os.getpid():
            self._start()
        try:
            self._pipe.send((key, None if key in self._held else simulator, seed, pubs))
            self._held.add(key)
            result, error = self._pipe.recv()
        except (EOFError, ConnectionError) as broken:
            self.end()
            raise QiskitError("the process of Aer has ended") from broken
        except BaseException:
            self.end()
            raise
        if error is not None:
            raise error
        return result

    def _start(self) -> None:
        self._pipe, other = Pipe()
        command = [sys.executable, "-c", SERVE, str(other.fileno())]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(  # a terminal's Ctrl-C is not for it
            command, env=environment, pass_fds=[other.fileno()], stdin=subprocess.DEVNULL, process_group=0
        )
        other.close()
        self._owner, self._held = os.getpid(), set()

    def end(self) -> None:
        """End the process, in whatever it is."""
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.wait()
            self._pipe.close()
        self._process = None


WORKER = Worker()
atexit.register(WORKER.end)
_numbers = count()


class RemoteSampler:
    """A sampler of Qiskit's interface in the worker.

    Args:
        key: Number of the simulator.
        simulator: An `AerSimulator`.
        seed: Of what is random.
    """

    def __init__(self, key: int, simulator: Any, seed: int) -> None:
        self._key, self._simulator, self._seed = key, simulator, seed

    def run(self, pubs: Sequence[Any]) -> RemoteSampler:
        """See `BaseSamplerV2`; it is done when the result is asked for."""
        self._pubs = pubs
        return self

    def result(self) -> Any:
        """What was measured; see `Worker.run`."""
        return WORKER.run(self._key, self._simulator, self._seed, self._pubs)


def remote(simulator: Any) -> Callable[[int], RemoteSampler]:
    """Samplers of a simulator in the worker, by seed."""
    key = next(_numbers)
    return lambda seed: RemoteSampler(key, simulator, seed)


def serve(descriptor: int) -> None:
    """What the worker does until nobody asks it any more."""
    import logging

    from qiskit.exceptions import QiskitError
    from qiskit_aer.primitives import SamplerV2

    logging.getLogger("qiskit_aer").setLevel(logging.CRITICAL)  # what it says there is in its errors too
    held: dict[int, Any] = {}
    answer: tuple[Any, Exception | None]
    with Connection(descriptor) as pipe:
        while True:
            try:
                key, simulator, seed, pubs = pipe.recv()
            except EOFError:
                return
            held.setdefault(key, simulator)
            try:
                answer = SamplerV2.from_backend(held[key], seed=seed).run(pubs).result(), None
            except (QiskitError, MemoryError) as error:
                answer = None, error
            pipe.send(answer)
