from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from co_gym import registry
from co_gym.io import read

Main = Callable[..., Any]


def test_verify_accepts_the_optimum(co_gym_main: Main, data: Path) -> None:
    ran = co_gym_main("verify", data / "berlin52.tsp", data / "berlin52.opt.tour")
    assert (ran.code, ran.out) == (0, "feasible: yes\nobjective: 7542\n")


def test_verify_names_what_is_wrong(co_gym_main: Main, data: Path, tmp_path: Path) -> None:
    solution = tmp_path / "all.txt"
    solution.write_text("1\n" * 15)
    ran = co_gym_main("verify", data / "p07.kp", solution)
    assert ran.code == 1
    assert ran.out == "feasible: no\nobjective: 2756\nviolated: capacity 0: weight 1433 exceeds 750\n"
    solution.write_text("1\n" * 14)
    ran = co_gym_main("verify", data / "p07.kp", solution)
    assert (ran.code, ran.out) == (1, "feasible: no\nviolated: solution has shape (14,): expected (15,)\n")


def test_verify_needs_one_problem(co_gym_main: Main, data: Path, tmp_path: Path) -> None:
    solution = tmp_path / "all.txt"
    solution.write_text("1\n")
    ran = co_gym_main("verify", data / "mknap1.txt", solution)
    assert ran.code == 2
    assert "holds 7 problems: expected one" in ran.err
    assert co_gym_main("verify", data / "p07.kp", tmp_path / "missing").code == 2


@pytest.mark.parametrize(
    ("problem", "options"),
    [
        ("tsp", []),
        ("knapsack", ["--distribution", "strongly-correlated"]),
        ("multiknapsack", ["--options", '{"num_constraints": 2}']),
        ("mis", ["--distribution", "rb"]),
        ("qap", []),
        ("market-split", ["--distribution", "planted"]),
    ],
)
def test_generate_and_read_back(co_gym_main: Main, tmp_path: Path, problem: str, options: list[str]) -> None:
    args = (
        "generate",
        problem,
        "--size",
        9,
        "--count",
        "2",
        "--seed",
        "4",
        "--output",
        tmp_path / "new",
        *options,
    )
    ran = co_gym_main(*args)
    assert ran.code == 0, ran.err
    files = [Path(line) for line in ran.out.splitlines()]
    assert len(files) == 2
    assert {file.parent for file in files} == {tmp_path / "new"}
    maker = registry.problem(problem)
    label = options[1] if "--distribution" in options else None
    extra = {"num_constraints": 2} if "--options" in options else {}
    for file, expected in zip(files, maker.generate(9, count=2, seed=4, distribution=label, **extra), strict=True):
        (found,) = read(file)
        assert (found.problem, maker.size(found)) == (problem, 9)
        shared = found.data.keys() & expected.data.keys()
        assert shared
        scale = 10**6 if problem == "tsp" else 1  # TSPLIB rounds distances
        for key in shared:
            assert (abs(found[key] / scale - expected[key]) <= 0.5 * (scale > 1) / scale).all()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["tps", "--size", 5], "unknown problem 'tps'"),
        (["mip", "--size", 5], "mip has no random generator"),
        (["tsp", "--size", 0], "expected size >= 1"),
        (["tsp", "--size", "many"], "size"),
        (["tsp", "--size", 5, "--distribution", "unifrom"], "did you mean uniform"),
        (["tsp", "--size", 5, "--format", "kp"], "unknown format of tsp 'kp'"),
        (["tsp", "--size", 5, "--options", '{"wrong": 1}'], "unknown option of distribution 'uniform' 'wrong'"),
        (["knapsack", "--size", 5, "--options", '{"max_weight": 0}'], "max_weight"),
        (["knapsack", "--size", 5, "--seed", "-1"], "seed >= 0"),
    ],
)
def test_generate_refuses(co_gym_main: Main, tmp_path: Path, args: list[object], message: str) -> None:
    ran = co_gym_main("generate", *args, "--output", tmp_path / "new")
    assert ran.code == 2
    assert message in ran.err
    assert not (tmp_path / "new").exists() or list((tmp_path / "new").iterdir()) == []


def test_generate_into_a_file(co_gym_main: Main, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    ran = co_gym_main("generate", "tsp", "--size", 5, "--output", tmp_path / "taken")
    assert ran.code == 2
    assert str(tmp_path / "taken") in ran.err


def test_solvers(co_gym_main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ran = co_gym_main("solvers")
    assert ran.code == 0
    for name in {s.name for s in registry.solvers()} | set(registry.problems()) | set(registry.formats()):
        assert name in ran.out
    ran = co_gym_main("solvers", "--problem", "tsp")
    assert "fast-tsp" in ran.out
    assert "simulated-annealing" not in ran.out
    assert co_gym_main("solvers", "--problem", "tps").code == 2


def test_doctor(co_gym_main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ran = co_gym_main("doctor")
    assert all(
        word in ran.out for word in ("python", "numpy", "SCIP", "cores", "market-split", "tsplib", "fast-tsp")
    )
    assert (ran.code == 0) == ("no problems found" in ran.out) == ("problem:" not in ran.out)


def test_doctor_names_what_is_missing(co_gym_main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    import co_gym.cli.doctor

    module = sys.modules["co_gym.cli.doctor"]
    monkeypatch.setattr(module, "_requirements", lambda: [("no-such-package", None), ("no-such-extra", "ibm")])
    monkeypatch.setenv("COLUMNS", "200")
    ran = co_gym_main("doctor")
    assert ran.code == 1
    assert "problem: no-such-package is missing: pip install co-gym-suite" in ran.out
    assert "not installed (extra 'ibm')" in ran.out
    assert "no-such-extra is missing" not in ran.out
    assert co_gym.cli.doctor is not None


def test_help_and_unknown_commands(co_gym_main: Main) -> None:
    ran = co_gym_main("solve", "--help")
    assert ran.code == 0
    assert all(option in ran.out for option in ("--time-limit", "--method", "--json", "--start", "--plot"))
    ran = co_gym_main("sovle")
    assert ran.code == 2
    assert "sovle" in ran.err


def test_console_script_prints_help() -> None:
    script = Path(sys.executable).with_name("co-gym")
    if not script.exists():
        pytest.skip("co-gym is not installed as a script beside this Python")
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    assert all(command in done.stdout for command in ("solve", "verify", "generate", "solvers", "doctor"))
