"""Programs that make SCIP branch, and a look at the nodes of a solve."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyscipopt import SCIP_PARAMSETTING
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram
from co_gym.io import read
from co_gym.problems.mip import MIP
from milp.distributions.auction import auction
from milp.distributions.facility import facility
from milp.distributions.set_cover import set_cover
from milp.interrupt import Guard
from milp.model import build_model
from milp.rules import PASS, LPRule

DATA = Path(__file__).parents[1] / "data"


def mixed(rng: np.random.Generator, n: int = 24, m: int = 14) -> MixedIntegerProgram:
    """Ranged rows, equations, one-sided rows, an empty one; free, half-bounded and negative columns."""
    A = rng.integers(-9, 10, (m, n)) * (rng.random((m, n)) < 0.4) + 0.0
    A[-1] = 0.0
    integer = np.arange(n) < n - 6
    middle = A @ np.where(integer, rng.integers(0, 5, n), rng.normal(size=n))
    lower, upper = middle - rng.integers(1, 9, m), middle + rng.integers(1, 9, m) + 0.5
    lower[:3] = upper[:3] = middle[:3]
    A[:3, -3:] += np.eye(3)
    lower[4], upper[5] = -np.inf, np.inf
    low, high = np.full(n, -2.0), np.where(np.arange(n) % 4 == 0, 1.0, 9.0)
    low[::4], low[-3:], high[-3:], high[-4] = 0.0, -np.inf, np.inf, np.inf
    c = np.where(np.arange(n) < n - 4, rng.integers(-9, 10, n), 0.0)
    return MixedIntegerProgram("maximize", c, sparse.csr_matrix(A), lower, upper, low, high, integer)


def from_file(name: str) -> MixedIntegerProgram:
    return MIP().program(read(DATA / name)[0])


PROGRAMS: dict[str, Callable[[], MixedIntegerProgram]] = {
    "set cover": lambda: set_cover(np.random.default_rng(0), 200, 150, 0.06),
    "auction": lambda: auction(np.random.default_rng(0), 40, 80),
    "facility": lambda: facility(np.random.default_rng(0), 12, 8, 2.0),
    "mixed": lambda: mixed(np.random.default_rng(0)),
    "flugpl": lambda: from_file("flugpl.mps"),
    "lseu": lambda: from_file("lseu.mps"),
}

Look = Callable[[Any], None]
Interrupted = Callable[[str, float, float], list[str]]


@pytest.fixture
def interrupted() -> Interrupted:
    """Runs a script, sends Ctrl-C some seconds after it prints 'begun', and returns the words it prints then."""

    def run(script: str, seconds: float, timeout: float) -> list[str]:
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            time.sleep(seconds)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=timeout)
        finally:
            process.kill()  # what ignores the signal would go on for ever
        return out.split()

    return run


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> MixedIntegerProgram:
    return PROGRAMS[request.param]()


@pytest.fixture
def programs() -> dict[str, Callable[[], MixedIntegerProgram]]:
    return PROGRAMS


@pytest.fixture
def at_nodes() -> Callable[..., int]:
    """Has a function look at the model at each of the first nodes; returns how many those were."""

    def run(program: MixedIntegerProgram, look: Look, nodes: int = 6, **settings: Any) -> int:
        model, _ = build_model(program)
        model.setHeuristics(SCIP_PARAMSETTING.OFF)
        for name, value in ({"presolving/maxrounds": 0, "separating/maxroundsroot": 1} | settings).items():
            model.setParam(name.replace("__", "/"), value)
        guard, seen = Guard(), []

        def act() -> dict[str, Any]:
            seen.append(None)
            look(model)
            if len(seen) == nodes:
                model.interruptSolve()
            return PASS

        model.includeBranchrule(LPRule(guard, act), "look", "looks", 9_000_000, -1, 1.0)
        model.optimize()
        if guard.failure is not None:
            raise guard.failure
        return len(seen)

    return run
