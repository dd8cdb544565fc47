from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from co_gym import registry
from co_gym.io import read
from co_gym.io.solutions import read_solution
from co_gym.solvers.base import Answer
from co_gym.verifier import verify

KEYS = [
    "instance", "problem", "method", "status", "objective", "bound", "gap", "feasible", "runtime_seconds",
    "solution", "details",
]  # fmt: skip
MKNAP1 = [3800, 8706.1, 4015, 6120, 12400, 10618, 16537]
Main = Callable[..., Any]


@pytest.mark.parametrize(
    ("file", "problem", "optimum"),
    [
        ("burma14.tsp", "tsp", 3323),
        ("gr17.tsp", "tsp", 2085),
        ("berlin52.tsp", "tsp", 7542),
        ("p07.kp", "knapsack", 1458),
        ("weing1.dat", "multiknapsack", 141278),
        ("karate.gph", "mis", 20),
        ("flugpl.mps", "mip", 1201500),
        ("lseu.mps", "mip", 1120),
        ("small.lp", "mip", 23),
    ],
)
def test_json_of_known_optima(co_gym_main: Main, data: Path, file: str, problem: str, optimum: int) -> None:
    ran = co_gym_main("solve", data / file, "--json", "--time-limit", "30")
    (found,) = ran.objects
    assert ran.code == 0, ran.err
    assert list(found) == KEYS
    assert (found["problem"], found["status"], found["feasible"]) == (problem, "optimal", True)
    assert found["objective"] == pytest.approx(optimum)
    assert found["bound"] == pytest.approx(optimum)
    assert found["gap"] == pytest.approx(0, abs=1e-6)
    assert found["instance"] == Path(file).stem
    (instance,) = read(data / file)
    values = found["solution"]
    if problem == "mip":
        program = registry.problem("mip").formulate(instance).program
        values = [values.get(program.variable_name(i), 0.0) for i in range(program.num_variables)]
    assert verify(instance, values, claimed=found["objective"]).ok


def test_seven_problems_in_one_file(co_gym_main: Main, data: Path) -> None:
    ran = co_gym_main("solve", data / "mknap1.txt", "--json")
    assert ran.code == 0
    assert [found["objective"] for found in ran.objects] == pytest.approx(MKNAP1)
    assert len({found["instance"] for found in ran.objects}) == 7
    assert {found["status"] for found in ran.objects} == {"optimal"}


def test_table_of_seven(co_gym_main: Main, data: Path) -> None:
    ran = co_gym_main("solve", data / "mknap1.txt", "--method", "greedy")
    rows = [line for line in ran.out.splitlines() if "multiknapsack" in line]
    assert ran.code == 0
    assert len(rows) == 7
    assert all("feasible" in row and "greedy" in row for row in rows)


def test_bad_files_do_not_stop_the_good_ones(co_gym_main: Main, data: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.tsp"
    bad.write_text((data / "burma14.tsp").read_text().replace("14.05", "oops"))
    missing = tmp_path / "missing.kp"
    ran = co_gym_main("solve", bad, data / "p07.kp", missing, data / "small.lp", "--json")
    assert ran.code == 2
    assert [found["objective"] for found in ran.objects] == [1458, 23]
    assert len(ran.err.splitlines()) == 2
    assert f"{bad}:" in ran.err
    assert "oops" in ran.err
    assert f"{missing}: no such file" in ran.err


@pytest.mark.parametrize("model", ["infeasible", "unbounded"])
@pytest.mark.parametrize("as_json", [True, False])
def test_models_without_an_optimum(
    co_gym_main: Main, request: pytest.FixtureRequest, model: str, as_json: bool
) -> None:
    path = request.getfixturevalue(model)
    ran = co_gym_main("solve", path, *(["--json"] if as_json else []))
    assert ran.code == 2
    assert ran.err == f"co-gym: {path}: the model is {model}\n"
    if as_json:
        (found,) = ran.objects
        assert (found["status"], found["feasible"]) == (model, False)
        assert [found[key] for key in ("objective", "bound", "gap", "solution")] == [None] * 4


def test_no_solution_in_time(co_gym_main: Main, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (scip,) = [s for s in registry.solvers() if s.name == "scip" and s.problems is None]
    monkeypatch.setattr(type(scip), "solve", lambda self, *args, **kwargs: Answer("unknown", bound=5.0))
    ran = co_gym_main("solve", data / "lseu.mps", "--json")
    assert ran.code == 3
    assert ran.err == "co-gym: lseu: no solution found within the limits\n"
    assert ran.objects[0]["status"] == "unknown"


def _fake(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    (scip,) = [s for s in registry.solvers() if s.name == "scip" and s.problems is None]
    monkeypatch.setattr(type(scip), "solve", lambda self, *args, **kwargs: answer)


def test_a_failure_after_a_solution_is_reported(
    co_gym_main: Main, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scip,) = [s for s in registry.solvers() if s.name == "scip" and s.problems is None]

    def fail(*args: Any, **kwargs: Any) -> Answer:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(type(scip), "solve", fail)
    ran = co_gym_main("solve", data / "p07.kp", "--method", "greedy+scip", "--json")
    assert ran.code == 1
    assert ran.err == "co-gym: p07: greedy+scip failed: RuntimeError: out of luck\n"
    assert (ran.objects[0]["status"], ran.objects[0]["feasible"]) == ("feasible", True)
    ran = co_gym_main("solve", data / "p07.kp", "--method", "scip", "--json")
    assert (ran.code, ran.out, ran.err) == (2, "", "co-gym: p07: RuntimeError: out of luck\n")


def test_interrupt_before_there_is_a_result(
    co_gym_main: Main, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("co_gym.io.read", interrupt)
    ran = co_gym_main("solve", data / "p07.kp", "--json")
    assert (ran.code, ran.out, ran.err) == (130, "", "co-gym: interrupted\n")


def test_lies_are_reported(co_gym_main: Main, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = np.zeros(15, dtype=np.int64)
    _fake(monkeypatch, Answer("optimal", solution=nothing, objective=1459, bound=1459))
    ran = co_gym_main("solve", data / "p07.kp", "--method", "scip", "--json")
    assert ran.code == 1
    assert "p07: scip is contradicted: the solver claims objective 1459, the solution has 0" in ran.err
    assert ran.objects[0]["status"] == "feasible"
    _fake(monkeypatch, Answer("optimal", solution=nothing + 1))
    ran = co_gym_main("solve", data / "p07.kp", "--method", "scip", "--output", "never-written.sol")
    assert ran.code == 1
    assert "capacity 0: weight 1433 exceeds 750" in ran.err
    assert "rejected" in ran.out
    assert not Path("never-written.sol").exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--method", "skip"], "unknown method 'skip'"),
        (["--method", "scip+skip"], "unknown method 'skip'"),
        (["--method", "fast-tsp"], "method 'fast-tsp' does not solve knapsack"),
        (["--format", "kpp"], "unknown format 'kpp'"),
        (["--format", "tsplib"], "p07.kp"),
        (["--time-limit", "0"], "time_limit is 0.0: expected a positive number"),
        (["--time-limit", "soon"], "time_limit"),
        (["--node-limit", "-3"], "node_limit is -3"),
        (["--seed", "-1"], "seed is -1"),
        (["--no-such-option"], "--no-such-option"),
        (["--start", "no-such-file"], "no-such-file: no such file"),
        (["--output", "no/such/folder/x.sol"], "cannot be written"),
        (["--output", "x.tour"], "a .tour file holds a solution of tsp"),
        (["--plot", "x.xyz"], "unknown kind of picture '.xyz'"),
    ],
)
def test_bad_arguments(
    co_gym_main: Main, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = co_gym_main("solve", data / "p07.kp", *args)
    assert ran.code == 2
    assert message in ran.err
    assert list(tmp_path.iterdir()) == []


def test_no_files(co_gym_main: Main) -> None:
    ran = co_gym_main("solve")
    assert ran.code == 2
    assert "files" in ran.err.lower()


@pytest.mark.parametrize(
    ("file", "suffix"), [("burma14.tsp", ".tour"), ("small.lp", ".sol"), ("karate.gph", ".json")]
)
def test_output_can_be_read_back(co_gym_main: Main, data: Path, tmp_path: Path, file: str, suffix: str) -> None:
    path = tmp_path / f"solution{suffix}"
    ran = co_gym_main("solve", data / file, "--output", path)
    assert ran.code == 0
    assert f"solution: {path}" in ran.out
    (instance,) = read(data / file)
    check = verify(instance, read_solution(path, instance))
    assert check.ok
    assert check.objective == {"burma14.tsp": 3323, "small.lp": 23, "karate.gph": 20}[file]


def test_output_of_several_problems(co_gym_main: Main, data: Path, tmp_path: Path) -> None:
    ran = co_gym_main(
        "solve", data / "mknap1.txt", "--method", "greedy", "--output", tmp_path / "s.json", "--json"
    )
    assert ran.code == 0
    assert len(ran.objects) == 7
    assert len(list(tmp_path.glob("s-*.json"))) == 7


def test_output_of_two_files_of_one_name(co_gym_main: Main, data: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin" / "gr17.tsp"
    twin.parent.mkdir()
    twin.write_bytes((data / "gr17.tsp").read_bytes())
    ran = co_gym_main("solve", data / "gr17.tsp", twin, "--output", tmp_path / "best.tour")
    assert ran.code == 0
    assert sorted(p.name for p in tmp_path.glob("*.tour")) == ["best-gr17-1.tour", "best-gr17-2.tour"]


def test_plot_and_show(co_gym_main: Main, data: Path, tmp_path: Path) -> None:
    picture = tmp_path / "tour.png"
    ran = co_gym_main("solve", data / "burma14.tsp", "--plot", picture, "--show", "--method", "nearest-neighbour")
    assert ran.code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert f"picture: {picture}" in ran.out
    assert sum(0x2800 < ord(c) < 0x2900 for c in ran.out) > 50


def test_start(co_gym_main: Main, data: Path) -> None:
    args = ("--start", data / "berlin52.opt.tour", "--method", "farthest-insertion", "--json")
    ran = co_gym_main("solve", data / "berlin52.tsp", *args)
    assert ran.code == 0
    assert ran.objects[0]["objective"] == 7542
    ran = co_gym_main("solve", data / "burma14.tsp", *args)
    assert ran.code == 2
    assert "the start solution is infeasible: solution has shape (52,): expected (14,)" in ran.err


def test_options_reach_the_solver(co_gym_main: Main, data: Path) -> None:
    args = ("--method", "scip", "--node-limit", "1", "--seed", "5", "--json")
    (found,) = co_gym_main("solve", data / "nug12.dat", *args).objects
    assert found["details"]["nodes"] <= 1
    assert found["details"]["seed"] == 5
    assert found["bound"] <= 578


def test_seed_decides(co_gym_main: Main, data: Path) -> None:
    args = ("solve", data / "p07.kp", "--method", "local-search", "--time-limit", "0.2", "--json", "--seed", "3")
    first, second = (co_gym_main(*args).objects[0] for _ in range(2))
    assert first["objective"] == second["objective"] == 1458


def test_process(co_gym_process: Callable[[Sequence[object]], Any], data: Path) -> None:
    ran = co_gym_process(["solve", data / "burma14.tsp", "--json"])
    assert (ran.code, ran.err) == (0, "")
    assert ran.objects[0]["objective"] == 3323
    ran = co_gym_process(["solve", data / "burma14.tsp", "--method", "skip"])
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("co-gym: unknown method 'skip'")


INTERRUPTED = """
import os, signal, sys, threading
from co_gym.cli import main
from co_gym.solvers.base import Monitor

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may ignore it

prove = Monitor.prove
ctrl_c = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))

def proved(self, bound):
    prove(self, bound)
    if ctrl_c.ident is None:
        ctrl_c.start()

Monitor.prove = proved
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
@pytest.mark.parametrize("method", ["auto", "scip"])
def test_interrupt_returns_the_incumbent(data: Path, method: str) -> None:
    """Ctrl-C comes one second after the first bound, deep inside SCIP."""
    args = ["solve", str(data / "nug12.dat"), "--method", method, "--time-limit", "60", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *args], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert (found["status"], found["feasible"]) == ("feasible", True)
    assert found["runtime_seconds"] < 40
    assert found["bound"] < 578 <= found["objective"]
    assert done.stderr == ""
