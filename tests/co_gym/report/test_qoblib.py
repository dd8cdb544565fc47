from __future__ import annotations

import csv
from pathlib import Path

import pytest

import co_gym
from co_gym.cli import main
from co_gym.errors import InputError
from co_gym.report.qoblib import COLUMNS, submission_row, write_submission


def test_a_row_says_what_was_solved_and_what_came_of_it(tmp_path: Path) -> None:
    instance = co_gym.problem("knapsack").generate(10, seed=1)[0]
    result = co_gym.solve(instance, "scip")
    row = submission_row(result)
    assert tuple(row) == COLUMNS
    assert row["Best Objective Value"] == row["Optimality Bound"] == result.objective
    assert (row["# Feasible Runs"], row["# Successful Runs"]) == (1, 1)
    assert (row["# Decision Variables"], row["# Binary Variables"]) == (10, 10)
    assert (row["Modeling Approach"], row["Paradigm"], row["QPU Runtime"]) == ("MIP", "Classical", "N/A")
    write_submission(tmp_path / "all.csv", [result, result])
    with open(tmp_path / "all.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert float(rows[0]["Best Objective Value"]) == result.objective
    with pytest.raises(InputError, match="cannot be written"):
        write_submission(tmp_path / "none" / "all.csv", [result])


def test_the_command_writes_one(tmp_path: Path) -> None:
    main(["generate", "knapsack", "--size", "8", "--output", str(tmp_path)])
    file = next(tmp_path.glob("*.kp"))
    code = main(["solve", str(file), "--method", "greedy", "--submission", str(tmp_path / "s.csv")])
    assert code == 0
    header, row = (tmp_path / "s.csv").read_text().splitlines()
    assert header == ",".join(COLUMNS)
    assert "method greedy" in row
