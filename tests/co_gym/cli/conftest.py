from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from co_gym.cli import main

INFEASIBLE = """NAME infeasible
ROWS
 N cost
 G low
 L high
COLUMNS
 x cost 1 low 1
 x high 1
RHS
 RHS low 5 high 4
BOUNDS
 UP BND x 10
ENDATA
"""
UNBOUNDED = """NAME unbounded
ROWS
 N cost
 G low
COLUMNS
 x cost -1 low 1
RHS
 RHS low 5
ENDATA
"""


@dataclass(frozen=True)
class Ran:
    """What a run of the command left behind."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Standard output as one JSON object a line; fails if there is anything else."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def co_gym_main(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs `co-gym` in this process."""

    def run(*args: object) -> Ran:
        capsys.readouterr()
        try:
            code = main([str(arg) for arg in args])
        except SystemExit as error:
            code = int(error.code or 0)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def co_gym_process() -> Callable[[Sequence[object]], Ran]:
    """Runs `co-gym` in a process of its own."""

    def run(args: Sequence[object]) -> Ran:
        command = [sys.executable, "-m", "co_gym.cli", *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def infeasible(tmp_path: Path) -> Path:
    path = tmp_path / "infeasible.mps"
    path.write_text(INFEASIBLE)
    return path


@pytest.fixture
def unbounded(tmp_path: Path) -> Path:
    path = tmp_path / "unbounded.mps"
    path.write_text(UNBOUNDED)
    return path
