from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import co_gym
from co_gym import registry
from co_gym.errors import InputError
from co_gym.exact import Number
from co_gym.instance import Instance
from co_gym.problems.knapsack import Knapsack
from co_gym.report.numbers import show_gap, show_number, show_seconds
from co_gym.report.plots import plot_convergence, plot_solution, save_figure
from co_gym.report.progress import ProgressLine
from co_gym.report.table import markdown, print_results
from co_gym.report.terminal import braille, draw_in_terminal
from co_gym.result import Result
from co_gym.solvers.base import Event
from co_gym.testing import brute_force
from co_gym.verifier import verify

INSTANCE = Knapsack().instance(
    {"profits": [6, 5, 4], "weights": [4, 3, 2], "capacity": 5}, name="tiny", reference=10
)
HISTORY = (Event(0.0, 6, None), Event(0.5, 6, 20), Event(1.0, 9, 20), Event(1.5, 9, 12))


def result(solution: Any = (0, 1, 1), *, instance: Instance = INSTANCE, **changes: Any) -> Result:
    array = None if solution is None else np.array(solution)
    check = None if array is None else verify(instance, array)
    parts = {"method": "fake", "status": "feasible", "bound": 12, "runtime": 2.0, "history": HISTORY} | changes
    return Result(instance=instance, solution=array, check=check, **parts)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (7542, "7542"),
        (-3, "-3"),
        (10**17 + 1, "100000000000000001"),
        (23.0, "23"),
        (0.1, "0.1"),
        (5.085184185071665, "5.085184185"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
    ],
)
def test_show_number(value: Number | None, text: str) -> None:
    assert show_number(value) == text


@pytest.mark.parametrize(
    ("gap", "text"),
    [(None, "–"), (0.0, "0 %"), (1e-12, "0 %"), (0.0123, "1.2 %"), (0.5, "50 %"), (11.0, "> 1000 %")],
)
def test_show_gap(gap: float | None, text: str) -> None:
    assert show_gap(gap) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.123, "0.12 s"), (9.994, "9.99 s"), (61.26, "61.3 s")])
def test_show_seconds(seconds: float, text: str) -> None:
    assert show_seconds(seconds) == text


def test_table_holds_the_values(capsys: pytest.CaptureFixture[str]) -> None:
    rejected = result((1, 1, 1), status="rejected")
    print_results(
        [result(), result((0, 1, 1), status="optimal", bound=9), result(None, status="unknown"), rejected]
    )
    lines = capsys.readouterr().out.splitlines()
    header = next(line for line in lines if "instance" in line)
    assert all(word in header for word in ("method", "status", "objective", "bound", "gap", "best known", "time"))
    rows = [line.split() for line in lines if "tiny" in line]
    assert len(rows) == 4
    assert {"tiny", "fake", "feasible", "9", "12", "10", "25"} <= set(rows[0])
    assert {"optimal", "0"} <= set(rows[1])
    assert {"unknown", "–"} <= set(rows[2])
    assert {"rejected", "15", "NO"} <= set(rows[3])


def test_table_fits_eighty_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    long = Knapsack().instance(dict(INSTANCE.data), name="a-name-of-medium-size", reference=10)
    print_results([result(instance=long, method="local-search+scip")])
    out = capsys.readouterr().out
    plain = "".join(part.split("m", 1)[-1] if i else part for i, part in enumerate(out.split("\x1b[")))
    lines = [line.rstrip() for line in plain.splitlines()]
    assert max(map(len, lines)) <= 80
    words = " ".join(lines).split()
    assert all(number in words for number in ("9", "12", "25", "10", "2.00"))


def test_an_empty_table_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_results([])
    assert capsys.readouterr().out == ""


def test_names_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """What a file calls its instance must come out as it is."""
    odd = Knapsack().instance(dict(INSTANCE.data), name="p[bold]01[/]")
    print_results([result(instance=odd)])
    assert "p[bold]01[/]" in capsys.readouterr().out


def test_markdown() -> None:
    assert markdown(["a", "b"], [["1", "2"], ["3", "4"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |"


def test_titles() -> None:
    axes = plot_solution(result(status="optimal"))
    assert axes.get_title() == "tiny: 9 (optimal)"
    axes = plot_convergence(result())
    assert axes.get_title() == "fake: 2.00 s, gap 25 %"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("seconds", "objective")


def test_convergence_shows_both_sides_and_the_reference() -> None:
    axes = plot_convergence(result())
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    assert set(lines) == {"incumbent", "bound", "best known"}
    assert np.asarray(lines["incumbent"].get_xdata()).tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert np.asarray(lines["incumbent"].get_ydata()).tolist() == [6, 6, 9, 9, 9]
    assert np.asarray(lines["bound"].get_ydata()).tolist() == [20, 20, 12, 12]
    assert np.asarray(lines["best known"].get_ydata()).tolist() == [10, 10]


def test_convergence_of_nothing() -> None:
    bare = Knapsack().instance(dict(INSTANCE.data))
    axes = plot_convergence(result(None, instance=bare, history=(), bound=None))
    assert axes.get_lines() == []
    assert axes.get_title() == "fake: 2.00 s"


def test_axes_are_used_if_given() -> None:
    from matplotlib.figure import Figure

    left, right = Figure().subplots(1, 2)
    assert plot_solution(result(), left) is left
    assert plot_convergence(result(), right) is right


@pytest.mark.parametrize("found", [result(None), result((1, 1, 1))])
def test_there_must_be_something_to_draw(found: Result, tmp_path: Path) -> None:
    for draw in (plot_solution, draw_in_terminal):
        with pytest.raises(InputError, match="tiny has no feasible solution"):
            draw(found)


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG\r\n\x1a\n"), (".pdf", b"%PDF-"), (".svg", b"<?xml")]
)
def test_pictures_are_of_the_kind_their_name_says(tmp_path: Path, suffix: str, magic: bytes) -> None:
    path = tmp_path / f"picture{suffix}"
    save_figure(result(), path)
    content = path.read_bytes()
    assert content.startswith(magic)
    assert len(content) > 1000


def test_pictures_that_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown kind of picture '\.xyz'"):
        save_figure(result(), tmp_path / "picture.xyz")
    with pytest.raises(InputError, match="cannot be written"):
        save_figure(result(), tmp_path / "no such folder" / "picture.png")


def test_braille_of_known_patterns() -> None:
    assert braille(np.zeros((4, 2), dtype=bool)) == "\u2800"
    assert braille(np.ones((4, 2), dtype=bool)) == "\u28ff"
    for (row, column), bit in {
        (0, 0): 1,
        (1, 0): 2,
        (2, 0): 4,
        (0, 1): 8,
        (2, 1): 32,
        (3, 0): 64,
        (3, 1): 128,
    }.items():
        dark = np.zeros((4, 2), dtype=bool)
        dark[row, column] = True
        assert braille(dark) == chr(0x2800 + bit)
    assert braille(np.eye(8, dtype=bool)) == "⠑⢄⠀⠀\n⠀⠀⠑⢄"


def test_braille_of_ragged_sizes() -> None:
    lines = braille(np.ones((5, 3), dtype=bool)).split("\n")
    assert lines == ["\u28ff\u2847", "\u2809\u2801"]


@pytest.mark.parametrize("name", ["tsp", "knapsack", "multiknapsack", "mis", "qap", "market-split"])
def test_every_problem_is_drawn_in_the_terminal(name: str) -> None:
    problem = registry.problem(name)
    (instance,) = problem.generate(5, seed=1)
    best = brute_force(problem, instance)
    assert best is not None
    lines = draw_in_terminal(result(best[0], instance=instance), width=30, height=10).split("\n")
    assert [len(line) for line in lines] == [30] * 10
    inked = [ord(c) - 0x2800 for line in lines for c in line]
    assert all(0 <= bits < 256 for bits in inked)
    assert sum(bits > 0 for bits in inked) > 5


def test_tours_without_coordinates_are_drawn() -> None:
    problem = registry.problem("tsp")
    (made,) = problem.generate(6, seed=2)
    bare = problem.instance({"distances": problem.distances(made)})  # type: ignore[attr-defined]
    axes = plot_solution(co_gym.solve(bare, "farthest-insertion"))
    points = np.array([line.get_xydata() for line in axes.get_lines()][1])
    lengths = np.hypot(*(points[:, None, k] - points[None, :, k] for k in (0, 1)))
    np.testing.assert_allclose(lengths, bare["distances"], atol=1e-9)


def test_progress_line_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressLine("tiny", 60) as line:
        line.update(Event(0.1, 9, 12))
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_progress_line_shows_incumbent_and_bound() -> None:
    from rich.console import Console

    line = ProgressLine("tiny", 60)
    line.update(Event(0.1, 9, 12))
    console = Console(width=120, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(line)
    text = console.export_text()
    assert all(word in text for word in ("tiny", "/ 60 s", "incumbent 9", "bound 12", "gap 25 %"))
