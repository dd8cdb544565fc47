from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from co_gym.errors import SolverError
from quantum.backends import backend
from quantum.backends.worker import WORKER
from quantum.circuits import Circuit, Phase, Rotation, uniform
from quantum.hamiltonians import Ising
from tests.quantum.backends.conftest import by_definition, frequencies

ANGLES = np.array([0.7, 0.4])


def complete(q: int) -> Circuit:
    """A layer of QAOA with a gate for each pair of qubits."""
    pairs = np.array([(i, j) for i in range(q) for j in range(i)])
    ising = Ising(0.0, np.linspace(-1.0, 1.0, q), pairs, np.cos(np.arange(len(pairs))))
    return Circuit(q, (Phase(ising, 0), Rotation(np.tile([1.0, 0.0, 0.0], (q, 1)), np.full(q, 1))), 2, uniform(q))


def test_samples_are_those_of_the_simulator_and_its_seed() -> None:
    from qiskit_aer import AerSimulator
    from qiskit_aer.primitives import SamplerV2

    compiled = backend("aer").compile(complete(4))
    bits = compiled.sample(ANGLES, 200, seed=3)
    here = SamplerV2.from_backend(AerSimulator(method="statevector", max_parallel_threads=1), seed=3)
    values = here.run(compiled.pubs(ANGLES, 200, 3)).result()[0].data.meas.to_bool_array(order="little")
    assert np.array_equal(bits, values)
    off = np.abs(frequencies(compiled.sample(ANGLES, 20_000, 0)) - by_definition(complete(4), ANGLES))
    assert off.max() < 0.02


def test_other_threads_are_served_while_aer_simulates() -> None:
    compiled = backend("aer").compile(complete(20))
    small = backend("aer").compile(complete(4))
    small.sample(ANGLES, 1, 0)  # the process is there
    over, served = threading.Event(), []

    def serve() -> None:
        while not over.is_set():
            served.append(None)
            time.sleep(0.005)

    thread = threading.Thread(target=serve)
    thread.start()
    compiled.sample(ANGLES, 10, 0)
    over.set()
    thread.join()
    assert len(served) > 10


def test_an_interruption_ends_a_simulation_and_the_next_one_begins_anew() -> None:
    small = backend("aer").compile(complete(4))
    before = small.sample(ANGLES, 50, 1)
    long = backend("aer:mps").compile(complete(40))
    press = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))

    def interrupted() -> NDArray:
        press.start()
        return long.sample(ANGLES, 10, 0)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert WORKER._process is None
    assert np.array_equal(small.sample(ANGLES, 50, 1), before)


def test_a_process_that_has_died_is_told_and_replaced() -> None:
    small = backend("aer").compile(complete(4))
    before = small.sample(ANGLES, 50, 1)
    assert WORKER._process is not None
    WORKER._process.kill()
    with pytest.raises(SolverError, match="aer cannot sample 4 qubits: the process of Aer has ended"):
        small.sample(ANGLES, 50, 1)
    assert np.array_equal(small.sample(ANGLES, 50, 1), before)


def test_too_little_memory_is_told() -> None:
    with pytest.raises(SolverError, match=r"aer cannot sample 45 qubits: .*memory"):
        backend("aer").compile(complete(45)).sample(ANGLES, 10, 0)
