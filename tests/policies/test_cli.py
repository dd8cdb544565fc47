from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from co_gym import registry
from co_gym.cli import main
from policies.cli import policies

Capture = pytest.CaptureFixture[str]
GAPS = {"tsp10": {"greedy": 4.2513, "x8": 0.5}}


@pytest.fixture
def weights(make_weights: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with weights for two problems."""
    monkeypatch.setenv("COLUMNS", "200")
    make_weights("tours", sizes=(10, 20), results=GAPS)
    return make_weights("graphs", "mis").parent


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The subcommand as its entry point registers it, and one under a name that is taken."""
    found = {name: EntryPoint(name, "policies.cli:policies", "co_gym.commands") for name in ("policies", "verify")}
    real = registry.entries
    monkeypatch.setattr(registry, "entries", lambda kind: found if kind == "commands" else real(kind))


@pytest.mark.usefixtures("registered")
def test_as_a_subcommand(weights: Path, capsys: Capture) -> None:
    assert main(["policies", "--folder", str(weights)]) == 0
    shown = capsys.readouterr().out
    for word in ("tours", "graphs", "uniform 10, 20", "640", "a test, 1 thread", "tsp10", "4.25 %", "0.5 %"):
        assert word in shown
    assert main(["policies", "--problem", "mis", "--folder", str(weights)]) == 0
    shown = capsys.readouterr().out
    assert "graphs" in shown
    assert "tours" not in shown
    assert "Mean gaps" not in shown


@pytest.mark.usefixtures("registered")
def test_user_mistakes_are_one_message(weights: Path, capsys: Capture) -> None:
    assert main(["policies", "--problem", "tps"]) == 2
    assert "unknown problem 'tps'" in capsys.readouterr().err
    (weights / "tours.json").write_text("{}")
    assert main(["policies", "--folder", str(weights)]) == 2
    assert "tours.json: field 'name' is missing" in capsys.readouterr().err


@pytest.mark.usefixtures("registered")
def test_own_subcommands_stay(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["verify", "--help"])
    assert "solution" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "policies" in shown
    assert "List the trained policies" in shown


def test_what_a_broken_package_registers_is_left_out(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    real = registry.entries
    broken = {"broken": EntryPoint("broken", "no_such_module:command", "co_gym.commands")}
    monkeypatch.setattr(registry, "entries", lambda kind: broken if kind == "commands" else real(kind))
    with pytest.warns(UserWarning, match="commands entry 'broken'"), pytest.raises(SystemExit):
        main(["--help"])
    assert "doctor" in capsys.readouterr().out


def test_an_empty_folder(tmp_path: Path, capsys: Capture) -> None:
    assert policies(folder=str(tmp_path)) == 0
    assert "weights" in capsys.readouterr().out


def test_listing_loads_no_torch(weights: Path) -> None:
    program = """
import sys, policies, policies.solver, policies.cli
solver = policies.solver.PolicySolver(sys.argv[1])
policies.cli.policies(folder=sys.argv[1])
policies.names()
assert solver.problems == {"tsp", "mis"}, solver.problems
heavy = [name for name in ("torch", "numba", "tensordict") if name in sys.modules]
assert not heavy, heavy
"""
    done: Any = subprocess.run(
        [sys.executable, "-c", program, weights], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
