from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from co_gym import registry
from co_gym.errors import SolverError
from co_gym.instance import Instance
from co_gym.io import read
from co_gym.problems.tsp import TSP
from co_gym.solvers.base import Answer, Event, Monitor, Options
from co_gym.solvers.portfolio import Chain
from co_gym.testing import assert_solver
from policies import solving
from policies.preparation import prepare, scale, sizes, unit_square
from policies.solver import PolicySolver
from policies.tasks.knapsack import MultiKnapsackTask
from policies.tasks.mis import MISTask
from policies.tasks.tsp import TSPTask

Make = Callable[..., Path]
PROBLEMS = ["tsp", "knapsack", "multiknapsack", "mis"]


def run(
    solver: Any, instance: Instance, *, seed: int = 0, time_limit: float = 30.0, start: Any = None
) -> tuple[Answer, Monitor]:
    problem = registry.problem(instance.problem)
    monitor = Monitor(minimize=problem.sense_of(instance) == "minimize", time_limit=time_limit)
    options = Options(time_limit=time_limit, seed=seed)
    return solver.solve(instance, options=options, monitor=monitor, start=start), monitor


@pytest.mark.parametrize("problem", PROBLEMS)
def test_keeps_the_promises_of_a_solver(make_weights: Make, problem: str) -> None:
    solver = PolicySolver(make_weights("tiny", problem).parent)
    assert solver.problems == {problem}
    assert_solver(solver, time_limit=0.5)


def test_every_start_of_every_copy_and_polishing(make_weights: Make) -> None:
    folder = make_weights().parent
    (instance,) = TSP().generate(12, seed=3)
    answer, monitor = run(PolicySolver(folder), instance)
    expected = {"weights": "tiny", "decoding": "greedy", "starts": 12, "augmentations": 8, "constructions": 96}
    assert answer.details.items() >= expected.items()
    assert answer.objective == TSP().objective(instance, answer.solution)
    objectives = [event.objective for event in monitor.history]
    assert objectives == sorted(objectives, reverse=True)


def test_polishing(make_weights: Make) -> None:
    folder = make_weights().parent
    (instance,) = TSP().generate(60, seed=3)
    answer, _ = run(PolicySolver(folder), instance, time_limit=0.01)
    polished, _ = run(PolicySolver(folder, polish=True), instance, time_limit=0.01)
    assert polished.details["decoding"] == "greedy, polished"
    assert polished.objective < 0.9 * answer.objective  # random weights are poor


def test_graphs_have_no_copies(make_weights: Make) -> None:
    (instance,) = registry.problem("mis").generate(15, seed=1)
    answer, _ = run(PolicySolver(make_weights("tiny", "mis").parent), instance)
    assert (answer.details["augmentations"], answer.details["starts"], answer.details["constructions"]) == (
        1,
        15,
        15,
    )


def _files(data: Path) -> list[Path]:
    names = ("burma14.tsp", "gr17.tsp", "berlin52.tsp", "p07.kp", "mknap1.txt", "karate.gph")
    return [data / name for name in names]


def test_files(make_weights: Make, data: Path) -> None:
    """Geographical, explicit and Euclidean distances, knapsacks and a graph; the verifier recomputes."""
    for problem in PROBLEMS:
        folder = make_weights(problem, problem).parent
    solver = PolicySolver(folder)
    for path in _files(data):
        instance = read(path)[-1]
        answer, _ = run(solver, instance, time_limit=2.0)
        problem = registry.problem(instance.problem)
        assert answer.details["weights"] == problem.name
        assert answer.solution is not None
        assert problem.domain(instance).violations(answer.solution) == []
        assert problem.violations(instance, answer.solution) == []
        assert answer.objective == problem.objective(instance, answer.solution)


def test_the_seed_orders_the_starts(make_weights: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "SYMMETRIES", 1)
    solver = PolicySolver(make_weights().parent)
    (instance,) = TSP().generate(30, seed=1)

    def first(seed: int) -> float | int | None:
        return run(solver, instance, seed=seed)[1].history[0].objective

    assert first(0) == first(0)
    assert len({first(seed) for seed in range(4)}) > 1
    assert len({run(solver, instance, seed=seed)[0].objective for seed in range(3)}) == 1


def test_a_short_limit_still_gives_a_solution(make_weights: Make) -> None:
    solver = PolicySolver(make_weights().parent)
    (instance,) = TSP().generate(200, seed=1)
    answer, monitor = run(solver, instance, time_limit=1e-6)
    assert answer.solution is not None
    assert answer.details["constructions"] == 1
    best = np.roll(answer.solution, 3)
    kept, _ = run(solver, instance, time_limit=1e-6, start=best)
    assert kept.objective == pytest.approx(answer.objective)
    assert len(monitor.history) == 1


def test_nearest_weights_are_taken(make_weights: Make) -> None:
    make_weights("a", sizes=(10,))
    folder = make_weights("b", sizes=(50, 100)).parent
    solver = PolicySolver(folder)
    taken = {n: run(solver, TSP().generate(n)[0], time_limit=0.01)[0].details["weights"] for n in (5, 20, 25, 300)}
    assert taken == {5: "a", 20: "a", 25: "b", 300: "b"}


def test_the_number_of_constraints_counts(make_weights: Make) -> None:
    make_weights("five", "multiknapsack", constraints=5)
    solver = PolicySolver(make_weights("thirty", "multiknapsack", constraints=30).parent)
    problem = registry.problem("multiknapsack")
    for rows, name in ((2, "five"), (5, "five"), (20, "thirty")):
        (instance,) = problem.generate(10, num_constraints=rows)
        assert run(solver, instance, time_limit=0.01)[0].details["weights"] == name


def test_what_it_cannot_solve(make_weights: Make) -> None:
    solver = PolicySolver(make_weights().parent, most_nodes=9)
    with pytest.raises(SolverError, match="no weights for knapsack"):
        run(solver, registry.problem("knapsack").generate(5)[0])
    with pytest.raises(SolverError, match=r"has size 10: policies take instances up to 9"):
        run(solver, TSP().generate(10)[0])


def test_no_weights_no_problems(tmp_path: Path) -> None:
    assert PolicySolver(tmp_path).problems == frozenset()


def test_an_interruption_loses_nothing(make_weights: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import co_gym

    solver = PolicySolver(make_weights().parent)
    monkeypatch.setattr("co_gym.runner.find_method", lambda method, problem: solver)
    (instance,) = TSP().generate(15, seed=2)

    def interrupt(event: Event) -> None:
        raise KeyboardInterrupt

    result = co_gym.solve(instance, "policy", on_event=interrupt)
    assert result.interrupted
    assert result.feasible


def test_local_search_goes_on_from_the_best_tour(make_weights: Make) -> None:
    solver = PolicySolver(make_weights().parent)
    (instance,) = TSP().generate(40, seed=2)
    chain = Chain([solver, registry.solver("local-search", "tsp")])
    answer, _ = run(chain, instance, time_limit=2.0)
    alone, _ = run(solver, instance, time_limit=2.0)
    assert answer.objective < alone.objective
    assert answer.details["policy"]["seconds"] < 2.0


class TestPreparation:
    def test_points_keep_their_shape(self) -> None:
        points = np.random.default_rng(0).normal(size=(20, 2)) * (30, 4) + 1000
        unit = unit_square(points)
        assert unit.min() >= 0
        assert unit.max() <= 1
        assert np.ptp(unit[:, 0]) == pytest.approx(1)
        factors = [
            np.hypot(*(unit[i] - unit[j])) / np.hypot(*(points[i] - points[j]))
            for i, j in itertools.combinations(range(20), 2)
        ]
        assert factors == pytest.approx([1 / np.ptp(points[:, 0])] * len(factors))

    @pytest.mark.parametrize("points", [[[3.0, 4.0]], [[3.0, 4.0], [3.0, 4.0]], [[1.0, 4.0], [3.0, 4.0]]])
    def test_degenerate_points(self, points: list[list[float]]) -> None:
        for extra in ({}, {"distances": np.zeros((len(points), len(points)))}):
            data = prepare(TSP().instance({"coordinates": points, **extra}), TSPTask())
            assert all(bool(torch.isfinite(value).all()) for value in data.values())
            assert bool(((data["coordinates"] >= 0) & (data["coordinates"] <= 1)).all())

    def test_distances_are_in_units_of_the_square(self) -> None:
        points = np.random.default_rng(1).random((30, 2)) * 5000
        distances = np.rint(np.hypot(*(np.subtract.outer(c, c) for c in points.T))) * 7
        for given in ({"coordinates": points, "distances": distances}, {"distances": distances}):
            data = prepare(TSP().instance(given), TSPTask())
            expected = torch.cdist(data["coordinates"][0], data["coordinates"][0]).double()
            assert torch.allclose(data["distances"][0], expected, atol=2e-3)
        assert prepare(TSP().instance({"coordinates": points}), TSPTask()).keys() == {"coordinates"}

    @pytest.mark.parametrize("name", ["burma14", "gr17", "berlin52"])
    def test_distances_of_files(self, data: Path, name: str) -> None:
        """Geographical, explicit and Euclidean ones: scaled, and of the size of those between the points."""
        (instance,) = read(data / f"{name}.tsp")
        made = prepare(instance, TSPTask())
        points, distances = made["coordinates"][0].double(), made["distances"][0]
        upper = np.triu_indices(len(points), 1)
        ratio = distances.numpy()[upper] / instance["distances"][upper]
        assert np.ptp(ratio) < 1e-12
        assert ratio.mean() == pytest.approx(scale(points.numpy(), instance["distances"]), rel=1e-5)
        assert torch.allclose(distances, torch.cdist(points, points), atol=0.13)
        assert float(distances.mean()) == pytest.approx(float(torch.cdist(points, points).mean()), rel=1e-5)

    def test_sizes(self) -> None:
        multi = registry.problem("multiknapsack")
        (instance,) = multi.generate(8, num_constraints=3)
        assert sizes(instance, MultiKnapsackTask(), prepare(instance, MultiKnapsackTask())) == (8, 3)
        (graph,) = registry.problem("mis").generate(9)
        assert sizes(graph, MISTask(), prepare(graph, MISTask())) == (9, 0)


@pytest.mark.slow
def test_two_thousand_cities(make_weights: Make) -> None:
    """With a matrix of distances, as a file gives it."""
    points = np.random.default_rng(0).integers(0, 10_000, (2000, 2))
    distances = np.rint(np.hypot(*(np.subtract.outer(c, c) for c in points.T.astype(float))))
    instance = TSP().instance({"coordinates": points, "distances": distances})
    answer, _ = run(PolicySolver(make_weights().parent), instance, time_limit=10.0)
    assert answer.objective == TSP().objective(instance, answer.solution)
