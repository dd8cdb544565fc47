from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from co_gym import registry
from co_gym.errors import InputError
from co_gym.problems.tsp import TSP


def test_own_parts_are_registered() -> None:
    assert set(registry.problems()) >= {"tsp", "knapsack", "multiknapsack", "mis", "qap", "market-split", "mip"}
    assert set(registry.formats()) >= {"tsplib", "kp", "mknap", "dimacs", "qaplib", "marketsplit", "mps", "lp"}
    assert {s.name for s in registry.solvers()} >= {
        "fast-tsp",
        "greedy",
        "local-search",
        "meet-in-the-middle",
        "scip",
    }


def test_names_are_those_of_the_parts() -> None:
    assert all(problem.name == name for name, problem in registry.problems().items())
    assert all(found.name == name for name, found in registry.formats().items())


def test_parts_are_made_once() -> None:
    assert registry.problem("tsp") is registry.problem("tsp") is registry.problems()["tsp"]
    assert isinstance(registry.problem("tsp"), TSP)


def test_unknown_problem() -> None:
    with pytest.raises(InputError, match=r"unknown problem 'tps'.*did you mean tsp"):
        registry.problem("tps")


@pytest.mark.parametrize("problem", ["tsp", "knapsack", "mis", "qap", "market-split", "mip"])
def test_special_solvers_come_first(problem: str) -> None:
    general = [s.problems is None for s in registry.solvers_for(problem)]
    assert general == sorted(general)
    assert any(general)
    assert all(s.problems is None or problem in s.problems for s in registry.solvers_for(problem))


@pytest.mark.parametrize(
    ("method", "problem", "name", "special"),
    [
        ("scip", "tsp", "scip", True),
        ("scip", "mis", "scip", False),
        ("exact", "tsp", "scip", True),
        ("exact", "market-split", "meet-in-the-middle", True),
        ("local-search", "tsp", "fast-tsp", True),
        ("local-search", "qap", "simulated-annealing", True),
        ("greedy", "knapsack", "greedy", True),
        ("baseline", "mis", "greedy", True),
    ],
)
def test_solver_by_name_then_by_role(method: str, problem: str, name: str, special: bool) -> None:
    found = registry.solver(method, problem)
    assert found.name == name
    assert (found.problems is not None) is special
    assert found.problems is None or problem in found.problems


def test_solver_of_another_problem() -> None:
    with pytest.raises(InputError, match=r"'fast-tsp' does not solve mis: expected one of .*scip"):
        registry.solver("fast-tsp", "mis")
    with pytest.raises(InputError, match=r"unknown method 'skip'.*did you mean scip"):
        registry.solver("skip", "mis")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """One entry of each kind whose module does not exist."""
    real = registry.entries

    def entries(kind: str) -> dict[str, EntryPoint]:
        bad = EntryPoint("broken", "no_such_module:Thing", registry.GROUPS[kind])
        return {**real(kind), "broken": bad}

    monkeypatch.setattr(registry, "entries", entries)


@pytest.mark.usefixtures("broken")
def test_broken_entries_are_left_out_with_a_warning() -> None:
    for load in (registry.problems, registry.formats, registry.solvers):
        with pytest.warns(UserWarning, match=r"entry 'broken' \(no_such_module:Thing\) cannot be loaded"):
            found = load()
        assert len(found) >= 7
        assert "broken" not in found


@pytest.mark.usefixtures("broken")
def test_a_broken_problem_is_an_input_error_when_asked_for() -> None:
    with pytest.raises(InputError, match=r"problem 'broken' \(no_such_module:Thing\) cannot be loaded"):
        registry.problem("broken")
    assert registry.problem("tsp").name == "tsp"
