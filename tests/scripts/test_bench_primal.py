from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from co_gym.errors import InputError

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("bench_primal")


@pytest.fixture
def comparison(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("primal_comparison")


def a_solve(method: str, instance: int, *incumbents: tuple[float, float], minimize: bool = True) -> dict[str, Any]:
    return {
        "distribution": "some",
        "instance": instance,
        "method": method,
        "status": "feasible",
        "minimize": minimize,
        "seconds": 60.0,
        "objective": incumbents[-1][1] if incumbents else None,
        "bound": None,
        "incumbents": [list(one) for one in incumbents],
    }


@pytest.mark.parametrize(
    ("objective", "best", "gap"),
    [(None, 5.0, 1.0), (-1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (10.0, 8.0, 0.2), (8.0, 10.0, 0.2), (-10.0, -8.0, 0.2)],
)
def test_primal_gap(comparison: Any, objective: float | None, best: float, gap: float) -> None:
    assert comparison.primal_gap(objective, best) == pytest.approx(gap)


def test_gap_at_a_time_is_that_of_the_incumbent(comparison: Any) -> None:
    one = a_solve("scip", 0, (1.0, 20.0), (4.0, 10.0))
    gaps = [comparison.gap_at(one, 10.0, seconds) for seconds in (0.5, 1.0, 3.9, 4.0, 9.0)]
    assert gaps == [1.0, 0.5, 0.5, 0.0, 0.0]


def test_primal_integral_is_the_area_under_the_gap(comparison: Any) -> None:
    assert comparison.primal_integral(a_solve("scip", 0), 10.0, 60.0) == 60.0
    one = a_solve("scip", 0, (1.0, 20.0), (4.0, 10.0))
    assert comparison.primal_integral(one, 10.0, 60.0) == pytest.approx(1.0 + 3.0 * 0.5)
    assert comparison.primal_integral(one, 10.0, 2.0) == pytest.approx(1.0 + 1.0 * 0.5)


@pytest.mark.parametrize(
    ("method", "solver", "settings"),
    [
        ("scip", "scip", {}),
        ("scip aggressive", "scip", {"heuristics": "aggressive"}),
        ("scip heuristics=off", "scip", {"heuristics": "off"}),
        (
            "scip predict=auto hooks=prediction-heuristic",
            "scip",
            {"predict": "auto", "hooks": "prediction-heuristic"},
        ),
        ("cp-sat use_lns=true mip_var_scaling=1e4", "cp-sat", {"use_lns": True, "mip_var_scaling": 1e4}),
    ],
)
def test_methods_with_settings(bench: Any, method: str, solver: str, settings: dict[str, Any]) -> None:
    assert bench.parse_method(method) == (solver, settings)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("", "no name"),
        ("heuristics=fast", "no name"),
        ("highs aggressive", "expected key=value"),
        ("scip heuristics=", "expected key=value"),
        ("scip fast heuristics=off", "two values"),
    ],
)
def test_what_is_no_method(bench: Any, method: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        bench.parse_method(method)


def test_settings_that_a_solver_does_not_have(bench: Any) -> None:
    with pytest.raises(InputError, match="'highs' has no setting 'heuristics'"):
        bench.solve("set-cover-tiny", "test", 0, "highs heuristics=off", 1.0)
    with pytest.raises(InputError, match="unknown heuristics 'agressive'"):
        bench.solve("set-cover-tiny", "test", 0, "scip agressive", 1.0)


def test_a_solve_is_a_line_that_can_be_read_again(bench: Any, tmp_path: Path) -> None:
    one = bench.solve("auction-tiny", "test", 0, "scip aggressive", 20.0)
    (tmp_path / "solves.jsonl").write_text(json.dumps(one) + "\n")
    (again,) = bench.read(tmp_path / "solves.jsonl")
    assert again["method"] == "scip aggressive"
    assert not again["minimize"]
    assert again["status"] == "optimal"
    assert again["incumbents"][-1][1] == again["objective"]
    objectives = [objective for _, objective in again["incumbents"]]
    assert objectives == sorted(set(objectives))


def test_methods_are_compared_on_the_instances_that_all_have_run(comparison: Any) -> None:
    solves = [a_solve("scip", i, (1.0, 20.0)) for i in (0, 1, 2, 5)]
    solves += [a_solve("highs", i, (1.0, 10.0)) for i in (1, 2, 3, 4)]
    both, alone = comparison.Comparison(solves), comparison.Comparison(solves, ["highs"])
    assert both.instances == [1, 2]
    assert both.best == {0: 20.0, 1: 10.0, 2: 10.0, 3: 10.0, 4: 10.0, 5: 20.0}
    assert both.caption() == (
        "Means over the instances that every method has run: 1–2. Left out: scip: 0, 5; highs: 3–4."
    )
    assert alone.instances == [1, 2, 3, 4]
    assert list(alone.run) == ["highs"]
    assert not comparison.Comparison([*solves, a_solve("cp-sat", 9, (1.0, 1.0))]).instances
    assert not comparison.Comparison([]).instances


def test_the_best_is_of_all_methods_in_the_direction_of_the_problem(comparison: Any) -> None:
    solves = [a_solve("scip", 0, (1.0, 5.0), minimize=False), a_solve("highs", 0, (1.0, 7.0), minimize=False)]
    assert comparison.Comparison(solves, ["scip"]).best == {0: 7.0}
    more = [*solves, a_solve("scip", 1, minimize=False)]
    assert comparison.Comparison(more).best == {0: 7.0}  # nothing known of 1


def test_reduction_is_of_the_mean_gap_where_plain_scip_has_run(comparison: Any) -> None:
    solves = [a_solve("scip", 0, (1.0, 20.0), (30.0, 10.0)), a_solve("highs", 0, (1.0, 12.5), (20.0, 10.0))]
    solves += [a_solve("highs", 1, (1.0, 10.0)), a_solve("fast", 1, (1.0, 10.0))]
    alone = comparison.Comparison(solves, ["highs"])
    assert alone.reduction("highs", 10.0) == pytest.approx(1 - 0.2 / 0.5)
    assert alone.reduction("highs", 60.0) is None  # no gap of SCIP's is left
    assert comparison.Comparison(solves, ["scip"]).reduction("scip", 10.0) is None
    assert comparison.Comparison(solves, ["fast"]).reduction("fast", 10.0) is None


def test_curve_has_the_mean_gaps_between_steps(comparison: Any) -> None:
    solves = [a_solve("scip", 0, (1.0, 20.0), (4.0, 10.0)), a_solve("scip", 1, (2.0, 10.0), (90.0, 9.0))]
    times, gaps = comparison.Comparison(solves).curve("scip", 60.0)
    assert times == [0.0, 1.0, 2.0, 4.0, 60.0]
    assert gaps == pytest.approx([1.0, 0.75, 0.3, 0.05, 0.05])


def test_ranges(comparison: Any) -> None:
    assert comparison.ranges([]) == ""
    assert comparison.ranges([0, 1, 2, 5, 7, 8]) == "0–2, 5, 7–8"


def test_report_of_several_distributions_with_a_plot(tmp_path: Path) -> None:
    solves = [a_solve(method, i, (1.0, 10.0 + i)) for method in ("scip", "cp-sat", "highs") for i in range(3)]
    file, picture = tmp_path / "solves.jsonl", tmp_path / "gaps.png"
    file.write_text(
        "".join(json.dumps(one | {"distribution": d}) + "\n" for one in solves for d in ("one", "two"))
    )
    command = [sys.executable, str(SCRIPTS / "bench_primal.py"), "one", "two", "three", "--report"]
    command += ["--output", str(file), "--methods", '["scip", "cp-sat"]']
    shown = subprocess.run([*command, "--plot", str(picture)], capture_output=True, text=True, check=True).stdout
    assert shown.count("every method has run: 0–2") == 2
    assert "There is no instance" in shown
    assert "cp-sat" in shown
    assert "highs" not in shown
    assert picture.stat().st_size > 0
    wrong = subprocess.run([*command, "--plot", str(tmp_path / "gaps.txt")], capture_output=True, text=True)
    assert wrong.returncode == 1
    assert "unknown kind of picture '.txt'" in wrong.stderr
