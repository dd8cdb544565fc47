from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from co_gym import registry
from co_gym.errors import InputError
from co_gym.instance import Instance
from co_gym.io import read
from co_gym.io.solutions import read_solution, write_solution


@pytest.fixture
def tsp(data: Path) -> Instance:
    return read(data / "burma14.tsp")[0]


@pytest.fixture
def knapsack(data: Path) -> Instance:
    return read(data / "p07.kp")[0]


@pytest.fixture
def mip(data: Path) -> Instance:
    return read(data / "small.lp")[0]


@pytest.mark.parametrize("file", ["s.tour", "s.json", "s.txt", "s.sol", "s.json.gz"])
def test_round_trip_of_tours(tsp: Instance, tmp_path: Path, file: str) -> None:
    tour = np.random.default_rng(0).permutation(14)
    write_solution(tmp_path / file, tsp, tour)
    found = read_solution(tmp_path / file, tsp)
    assert found.dtype == np.int64
    assert (found == tour).all()


@pytest.mark.parametrize("file", ["s.json", "s.txt", "s.sol"])
def test_round_trip_of_choices_and_values(knapsack: Instance, mip: Instance, tmp_path: Path, file: str) -> None:
    chosen = np.arange(15) % 2
    write_solution(tmp_path / file, knapsack, chosen)
    assert (read_solution(tmp_path / file, knapsack) == chosen).all()
    values = np.array([4.0, 0.0, 1 / 3])
    write_solution(tmp_path / file, mip, values)
    assert (read_solution(tmp_path / file, mip) == values).all()


def test_content(tsp: Instance, mip: Instance, tmp_path: Path) -> None:
    write_solution(tmp_path / "s.json", tsp, np.arange(14))
    content = json.loads((tmp_path / "s.json").read_text())
    length = registry.problem("tsp").objective(tsp, np.arange(14))
    assert content == {"instance": "burma14", "problem": "tsp", "objective": length, "solution": list(range(14))}
    write_solution(tmp_path / "s.tour", tsp, np.arange(14))
    assert f"COMMENT : Length {length}\n" in (tmp_path / "s.tour").read_text()
    write_solution(tmp_path / "s.sol", mip, np.array([4.0, 0.0, 2.0]))
    assert (tmp_path / "s.sol").read_text() == "objective value: 23\nx 4\nz 2\n"


def test_solutions_of_others(mip: Instance, tsp: Instance, tmp_path: Path) -> None:
    path = tmp_path / "s.sol"
    path.write_text(
        "solution status: optimal solution found\nobjective value:    23\n"
        "x                                      4 \t(obj:5)\nz                                  2 \t(obj:1)\n"
    )
    assert read_solution(path, mip).tolist() == [4, 0, 2]
    path = tmp_path / "s.json"
    path.write_text('{"x": 4, "z": 2}')
    assert read_solution(path, mip).tolist() == [4, 0, 2]
    path.write_text("[4, 0, 2.5]")
    assert read_solution(path, mip).tolist() == [4, 0, 2.5]
    path = tmp_path / "s.txt"
    path.write_text("# cities\n0 # first\n\n1\n")
    assert read_solution(path, tsp).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("file", "text", "line", "message"),
    [
        ("s.sol", "objective value: 1\nq 1\n", 2, "unknown variable 'q'"),
        ("s.sol", "x 1\nx 2\n", 2, "a second value of variable 'x'"),
        ("s.sol", "x\n", 1, "expected 'variable value'"),
        ("s.sol", "x nan\n", 1, "expected a number"),
        ("s.json", '{"x": ', 1, "no JSON"),
        ("s.json", '{"x": NaN}', None, "found NaN"),
        ("s.json", '{"x": 1e999}', None, "expected a finite number"),
        ("s.json", '{"q": 1}', None, "unknown variable 'q'"),
        ("s.json", '{"x": true}', None, "expected a finite number"),
        ("s.json", '{"problem": "tsp", "solution": [0]}', None, "a solution of 'tsp': expected one of mip"),
        ("s.json", "[[1], 2]", None, "no list of finite numbers"),
        ("s.json", "3", None, "no list of finite numbers"),
        ("s.json", "[" * 100_000, None, "no JSON"),
        ("s.json", f"[{'9' * 5000}]", None, "no JSON of finite numbers|no list"),
    ],
)
def test_malformed_mip(
    mip: Instance, tmp_path: Path, file: str, text: str, line: int | None, message: str
) -> None:
    _refused(tmp_path / file, text, mip, line, message)


@pytest.mark.parametrize(
    ("file", "text", "line", "message"),
    [
        ("s.txt", "1\n2 3\n", 2, "expected one number a line"),
        ("s.txt", "1\nx\n", 2, "expected a number"),
        ("s.json", '{"x": 1}', None, "no list of finite numbers"),
        ("s.tour", "TYPE : TOUR\nTOUR_SECTION\n1\n1\n-1\n", 4, "city 1 occurs twice"),
    ],
)
def test_malformed(tsp: Instance, tmp_path: Path, file: str, text: str, line: int | None, message: str) -> None:
    _refused(tmp_path / file, text, tsp, line, message)


def _refused(path: Path, text: str, instance: Instance, line: int | None, message: str) -> None:
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_solution(path, instance)
    assert caught.value.path == str(path)
    assert line is None or caught.value.line == line


def test_tours_are_for_the_tsp(knapsack: Instance, tsp: Instance, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the instance is of knapsack"):
        write_solution(tmp_path / "s.tour", knapsack, np.zeros(15, dtype=int))
    with pytest.raises(InputError, match="the instance is of knapsack"):
        read_solution(tmp_path / "s.tour", knapsack)
    with pytest.raises(InputError, match=r"no solution of burma14: city 0 occurs 14 times .and 13 more"):
        write_solution(tmp_path / "s.tour", tsp, np.zeros(14, dtype=int))
