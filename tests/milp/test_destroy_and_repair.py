from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import co_gym
from co_gym.solvers.base import Options
from milp.destroy_and_repair import Search
from milp.distributions import distribution
from milp.distributions.catalogue import FAMILIES
from milp.highs import Run
from milp.neighbourhoods import Neighbourhoods

PLACEMENT = distribution("item-placement-easy")


@pytest.mark.parametrize("family", FAMILIES)
def test_near_the_optimum_of_small_programs(family: str) -> None:
    instance = distribution(f"{family}-tiny").instance("test", 5)
    exact = co_gym.solve(instance, "scip")
    found = co_gym.solve(instance, "destroy-and-repair", options=Options(time_limit=2.0))
    assert found.objective is not None
    assert exact.objective is not None
    assert float(found.objective) == pytest.approx(float(exact.objective), rel=0.1)


def test_repairs_alone_reach_the_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    """From a poor start, with no solve of the whole program."""
    program = distribution("set-cover-tiny").program("test", 1)
    best = co_gym.solve(distribution("set-cover-tiny").instance("test", 1), "scip").objective
    assert best is not None
    monkeypatch.setattr("milp.destroy_and_repair.find_first", lambda search: True)
    found: list[float] = []
    search = Search(program, 10.0, lambda values: found.append(program.evaluate(values)), patience=1.0)
    search.incumbent = np.ones(program.num_variables)
    search.run()
    assert search.repairs > 5
    assert found == sorted(found, reverse=True)
    assert program.is_feasible(search.incumbent)
    assert found[-1] == pytest.approx(float(best))


def test_choices_with_dependents_are_annealed_before_repairs(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = co_gym.solve(PLACEMENT.instance("test", 1), "scip", options=Options(time_limit=3.0))
    assert exact.objective is not None
    monkeypatch.setattr(Search, "solve_whole", lambda self, *limits: False)
    found: list[tuple[float, float]] = []
    program = PLACEMENT.program("test", 1)
    search = Search(program, 60.0, lambda values: found.append((time.perf_counter(), program.evaluate(values))))
    search.is_over = lambda: len(found) > 0 and time.perf_counter() - found[0][0] > 2.0
    search.run()
    assert (search.ended, search.repairs) == ("interrupted", 0)
    objectives = [objective for _, objective in found]
    assert objectives == sorted(objectives, reverse=True)
    assert objectives[-1] < float(exact.objective) + 1e-9


@pytest.mark.parametrize("which", range(4))
def test_neighbourhoods_hold_integer_variables_of_about_the_size(which: int) -> None:
    program = distribution("item-placement-easy").program("test", 0)
    x = np.zeros(program.num_variables)
    marginals = np.full(program.num_variables, 0.1)
    neighbourhoods = Neighbourhoods(program, np.random.default_rng(1), x + 0.1, x, marginals)
    operator = neighbourhoods.operators[which]
    free = neighbourhoods.free(operator, x)
    assert program.integer[free].all()
    assert np.unique(free).size == free.size
    assert int(operator.size) <= free.size < program.integer.sum()
    assert not np.array_equal(np.sort(free), np.sort(neighbourhoods.free(operator, x)))


def test_an_infeasible_program() -> None:
    program = distribution("set-cover-tiny").program("test", 0)
    search = Search(replace(program, row_lower=program.row_lower + 100.0), 5.0, lambda values: None)
    search.run()
    assert search.ended == "infeasible"
    assert search.incumbent is None


def test_a_run_that_does_not_return_ends_the_search_and_keeps_what_was_found(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    instance, program = PLACEMENT.instance("test", 0), PLACEMENT.program("test", 0)
    start = co_gym.solve(instance, "scip", options=Options(node_limit=1)).solution
    found: list[np.ndarray] = []
    whole, go = program.num_variables, Run.go

    def stuck(self: Run, name: str, is_over: Any = lambda: False) -> bool:
        if self.highs.getNumCol() == whole:
            return go(self, name, is_over)
        self.highs = Sleeper()
        monkeypatch.setattr("milp.highs.GRACE", 0.2)
        return go(self, name, is_over)

    class Sleeper:
        def run(self) -> None:
            time.sleep(20.0)

        def getOptionValue(self, name: str) -> tuple[int, float]:
            return 0, 0.1

    monkeypatch.setattr(Run, "go", stuck)
    monkeypatch.setattr("milp.first_solutions.QUICK_SECONDS", 0.0)
    monkeypatch.setattr("milp.first_solutions.ANNEALING_SHARE", 0.0)
    search = Search(program, 30.0, found.append, incumbent=start)
    begin = time.perf_counter()
    search.run()
    assert time.perf_counter() - begin < 15
    assert search.ended == "stuck"
    assert search.incumbent is not None
    assert program.is_feasible(search.incumbent)
    assert "does not return" in caplog.text
