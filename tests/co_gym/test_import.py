from __future__ import annotations

import json
import subprocess
import sys

import pytest

import co_gym

HEAVY = ("torch", "pyscipopt", "qiskit", "scipy", "numba", "matplotlib", "networkx", "highspy")
PROGRAM = f"""
import json, sys, time
began = time.perf_counter()
import co_gym
seconds = time.perf_counter() - began
print(json.dumps([seconds, [m for m in {HEAVY!r} if m in sys.modules]]))
"""


def test_importing_is_cheap() -> None:
    runs = [subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True) for _ in range(5)]
    found = [json.loads(run.stdout) for run in runs]
    assert all(loaded == [] for _, loaded in found)
    assert min(seconds for seconds, _ in found) < 0.3


def test_every_public_name_is_there() -> None:
    assert set(co_gym.__all__) <= set(dir(co_gym))
    assert all(getattr(co_gym, name) is not None for name in co_gym.__all__)
    from co_gym.runner import solve

    assert co_gym.solve is solve


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="'co_gym' has no attribute 'sovle'"):
        co_gym.sovle  # noqa: B018
