"""Every registered problem agrees with enumeration, refuses bad data and draws its solutions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from co_gym import registry
from co_gym.instance import Instance
from co_gym.problems.base import Problem
from co_gym.problems.knapsack import Knapsack, MultiKnapsack
from co_gym.problems.market_split import MarketSplit
from co_gym.problems.mip import MIP
from co_gym.problems.mis import MIS
from co_gym.problems.qap import QAP
from co_gym.problems.tsp import TSP
from co_gym.testing import assert_problem, brute_force


def random_mip(seed: int, *, continuous: bool = False) -> Instance:
    """Four integer variables in -1..2, three rows of all kinds; some of these programs are infeasible."""
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-3, 4, size=(3, 4))
    middle = matrix @ rng.integers(-1, 3, size=4)
    data: dict[str, Any] = {
        "objective": rng.integers(-5, 6, size=4),
        "offset": int(rng.integers(-3, 4)),
        "indptr": np.arange(0, 13, 4),
        "indices": np.tile(np.arange(4), 3),
        "values": matrix.ravel(),
        "row_lower": np.array([-np.inf, middle[1] - 2, middle[2]]),
        "row_upper": np.array([middle[0], middle[1] + 2, middle[2]]),
        "lower": np.full(4, -1.0),
        "upper": np.full(4, 2.0),
        "integer": np.arange(4) < (3 if continuous else 4),
        "maximize": np.array(bool(seed % 2)),
    }
    return MIP().instance(data, name=f"random-{seed}")


@pytest.mark.parametrize("name", sorted(registry.problems()))
def test_problem(name: str) -> None:
    problem = registry.problem(name)
    instances = None if problem.distributions else [random_mip(s, continuous=s == 0) for s in range(12)]
    assert_problem(problem, instances)


def test_infeasible_programs_have_infeasible_formulations() -> None:
    parts = random_mip(1)
    data = dict(parts.data) | {"row_lower": np.array([0.0, 0.0, 5.0]), "row_upper": np.array([0.0, 0.0, 5.0])}
    data["values"] = np.tile([2, 2, 2, 2], 3)
    assert_problem(MIP(), [MIP().instance(data)])


class _Wrong(Knapsack):
    """A knapsack whose fault is given by its class attribute."""

    fault: str = ""

    def violations(self, instance: Instance, solution: np.ndarray) -> list[str]:
        return [] if self.fault == "violations" else super().violations(instance, solution)

    def objective(self, instance: Instance, solution: np.ndarray) -> int | float:
        return super().objective(instance, solution) + (1 if self.fault == "objective" else 0)

    def formulate(self, instance: Instance, form: str | None = None) -> Any:
        import dataclasses

        made = super().formulate(instance, form)
        if self.fault == "decode":
            return dataclasses.replace(made, decode=lambda values: np.zeros(values.size, dtype=np.int64))
        return made

    def generate(self, size: int, **kwargs: Any) -> list[Instance]:
        if self.fault == "seed":
            kwargs["seed"] = 0
        return super().generate(size, **kwargs)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("violations", "its optimum is"),
        ("objective", "its optimum is"),
        ("decode", "comes back as"),
        ("seed", "different seeds give the same data"),
    ],
)
def test_faults_are_found(fault: str, message: str) -> None:
    problem = type("Faulty", (_Wrong,), {"fault": fault})()
    with pytest.raises(AssertionError, match=message):
        assert_problem(problem)


def test_a_problem_without_instances_is_not_passed() -> None:
    with pytest.raises(AssertionError, match="no distributions"):
        assert_problem(MIP())


def _tour_length(d: Any, tour: tuple[int, ...]) -> int:
    return sum(d[tour[k - 1]][tour[k]] for k in range(len(tour)))


def _tsp(instance: Instance) -> int:
    d = instance["distances"].tolist()
    return min(_tour_length(d, (0, *rest)) for rest in itertools.permutations(range(1, len(d))))


def _qap(instance: Instance) -> int:
    f, d = instance["flows"].tolist(), instance["distances"].tolist()
    n = range(len(f))
    return min(sum(f[i][j] * d[p[i]][p[j]] for i in n for j in n) for p in itertools.permutations(n))


def _subsets(n: int) -> list[list[int]]:
    return [[i for i in range(n) if mask >> i & 1] for mask in range(2**n)]


def _multiknapsack(instance: Instance) -> int:
    weights, limits = np.atleast_2d(instance["weights"]).tolist(), instance.data.get("capacities")
    capacities = [instance["capacity"].item()] if limits is None else limits.tolist()
    profits = instance["profits"].tolist()
    return max(
        sum(profits[i] for i in chosen)
        for chosen in _subsets(len(profits))
        if all(sum(row[i] for i in chosen) <= limit for row, limit in zip(weights, capacities, strict=True))
    )


def _mis(instance: Instance) -> int:
    weights, edges = instance["weights"].tolist(), instance["edges"].tolist()
    return max(
        sum(weights[i] for i in chosen)
        for chosen in _subsets(len(weights))
        if not any(u in chosen and v in chosen for u, v in edges)
    )


def _market_split(instance: Instance) -> int:
    rows, targets = instance["coefficients"].tolist(), instance["targets"].tolist()
    return min(
        sum(abs(sum(row[i] for i in chosen) - t) for row, t in zip(rows, targets, strict=True))
        for chosen in _subsets(len(rows[0]))
    )


def _mip(instance: Instance) -> int | None:
    matrix = instance["values"].reshape(3, 4).tolist()
    low, high = instance["row_lower"].tolist(), instance["row_upper"].tolist()
    costs, offset = instance["objective"].tolist(), instance["offset"].item()
    values = [
        sum(c * v for c, v in zip(costs, x, strict=True)) + offset
        for x in itertools.product(range(-1, 3), repeat=4)
        if all(
            a <= sum(r * v for r, v in zip(row, x, strict=True)) <= b
            for row, a, b in zip(matrix, low, high, strict=True)
        )
    ]
    return None if not values else max(values) if instance["maximize"] else min(values)


def _symmetric(rng: np.random.Generator, n: int) -> np.ndarray:
    upper = np.triu(rng.integers(0, 50, size=(n, n)), k=1)
    return upper + upper.T


def _random(problem: Problem, rng: np.random.Generator) -> Instance:
    n = int(rng.integers(2, 7))
    if isinstance(problem, TSP):
        return problem.instance({"distances": _symmetric(rng, n)})
    if isinstance(problem, QAP):
        return problem.instance({"flows": rng.integers(-9, 10, (n, n)), "distances": rng.integers(-9, 10, (n, n))})
    if isinstance(problem, MIP):
        return random_mip(int(rng.integers(1000)))
    options = {"max_weight": 5} if isinstance(problem, MIS) else {}
    label = str(rng.choice([d for d in problem.distributions if d != "unit"]))
    (made,) = problem.generate(n, distribution=label, seed=int(rng.integers(1000)), **options)
    return made


@pytest.mark.parametrize(
    ("problem", "independent"),
    [
        (TSP(), _tsp),
        (QAP(), _qap),
        (Knapsack(), _multiknapsack),
        (MultiKnapsack(), _multiknapsack),
        (MIS(), _mis),
        (MarketSplit(), _market_split),
        (MIP(), _mip),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_brute_force_agrees_with_plain_python(
    problem: Problem, independent: Callable[[Instance], int | None]
) -> None:
    rng = np.random.default_rng(5)
    for _ in range(15):
        instance = _random(problem, rng)
        best = brute_force(problem, instance)
        assert (None if best is None else best[1]) == independent(instance)


def test_brute_force_refuses_large_domains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("co_gym.testing.common.LARGEST_DOMAIN", 1000)
    (instance,) = Knapsack().generate(10)
    with pytest.raises(ValueError, match="more than 1000 candidates"):
        brute_force(Knapsack(), instance)


def test_brute_force_of_an_infeasible_program_is_none() -> None:
    data = dict(random_mip(1).data) | {"row_lower": np.full(3, 100.0), "row_upper": np.full(3, 100.0)}
    assert brute_force(MIP(), MIP().instance(data)) is None
