"""Polished solutions are local optima, none worse than what was given, and feasible for the verifier."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from co_gym import InputError, Instance, problem, verify
from co_gym.envs import Environment, KnapsackEnv, MISEnv, MultiKnapsackEnv, TSPEnv, TwoOptEnv, stack, unstack
from co_gym.envs.kernels.metric import nearest
from co_gym.envs.polish import improve_tours, polish_tours
from co_gym.envs.tours import are_tours, path_lengths


def cities(batch: int, n: int, seed: int, kind: str) -> dict[str, Tensor]:
    """Instances of a kind of data; `clumped` has many equal distances and cities in one place."""
    rng = np.random.default_rng(seed)
    points = rng.random((batch, n, 2)) if kind != "clumped" else rng.integers(0, 4, (batch, n, 2)).astype(float)
    if kind in ("points", "clumped"):
        return {"coordinates": torch.from_numpy(points)}
    if kind == "small floats":
        return {"coordinates": torch.from_numpy(points).float()}
    # Without the triangle inequality.
    table = np.triu(rng.integers(1, 2**50 if kind == "integers" else 20, (batch, n, n)), 1)
    table = table + table.swapaxes(1, 2)
    return {"distances": torch.from_numpy(table if kind != "float table" else table / 7.0)}


KINDS = ("points", "small floats", "clumped", "integers", "small integers", "float table")


def random_tours(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)).argsort(-1)


def neighbours_of(tour: list[int]) -> Iterator[list[int]]:
    """All tours one 2-opt move, or one segment of one to three cities, away."""
    n = len(tour)
    for i, j in combinations(range(n), 2):
        yield tour[:i] + tour[i : j + 1][::-1] + tour[j + 1 :]
    for i in range(n):
        turned = tour[i:] + tour[:i]
        for size in range(1, min(3, n - 2) + 1):
            segment, rest = turned[:size], turned[size:]
            for k in range(1, len(rest)):
                yield rest[:k] + segment + rest[k:]
                yield rest[:k] + segment[::-1] + rest[k:]


def lengths(data: dict[str, Tensor], tours: Tensor) -> Tensor:
    """In float64, or exact."""
    wide = {key: value.double() if value.is_floating_point() else value for key, value in data.items()}
    return path_lengths(wide, tours)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [4, 5, 6, 9, 12])
def test_a_tour_that_stays_is_a_local_optimum(kind: str, n: int) -> None:
    data, tours = cities(40, n, n, kind), random_tours(40, n, seed=n)
    while True:
        # Don't-look bits may miss a move; a tour that another pass leaves as it is has none.
        after = polish_tours(data, tours, neighbours=n - 1)
        if torch.equal(after, tours):
            break
        assert bool((lengths(data, after) <= lengths(data, tours)).all())
        tours = after
    for b in range(40):
        others = torch.tensor(list(neighbours_of(tours[b].tolist())))
        row = {key: value[b : b + 1] for key, value in data.items()}
        best = lengths(row, others.unsqueeze(0)).min()
        assert best >= lengths(data, tours)[b] * (1 - (0 if best.dtype is torch.int64 else 1e-8))


@settings(max_examples=25)
@given(
    n=st.integers(1, 40),
    starts=st.integers(1, 4),
    kind=st.sampled_from(KINDS),
    kicks=st.sampled_from([None, 0, 20]),
    neighbours=st.integers(1, 12),
    seed=st.integers(0, 1000),
)
def test_tours_stay_tours_and_get_no_longer(
    n: int, starts: int, kind: str, kicks: int | None, neighbours: int, seed: int
) -> None:
    data, tours = cities(3, n, seed, kind), random_tours(3, starts, n, seed=seed)
    before = tours.clone()

    def run(data: dict[str, Tensor], tours: Tensor) -> Tensor:
        if kicks is None:
            return polish_tours(data, tours, neighbours=neighbours)
        return improve_tours(data, tours, kicks=kicks, neighbours=neighbours, seed=seed)

    after = run(data, tours)
    assert torch.equal(tours, before)
    assert after.shape == tours.shape
    assert after.dtype is torch.int64
    assert bool(are_tours(after).all())
    assert bool((lengths(data, after) <= lengths(data, tours)).all())
    repeated = {key: value.repeat_interleave(starts, 0) for key, value in data.items()}
    assert torch.equal(run(repeated, tours.flatten(0, 1)), after.flatten(0, 1))


def test_kicks_reach_the_optimum_of_small_instances() -> None:
    data = cities(8, 8, 3, "integers")
    found = lengths(data, improve_tours(data, random_tours(8, 8, seed=1), kicks=300, neighbours=7))
    for b in range(8):
        instance = problem("tsp").instance({"distances": data["distances"][b].numpy()})
        best = min(
            problem("tsp").objective(instance, np.array((0, *order))) for order in permutations(range(1, 8))
        )
        assert found[b] == best


def test_relabelled_cities_give_tours_as_good() -> None:
    data, tours = cities(4, 30, 5, "points"), random_tours(4, 30, seed=5)
    names = random_tours(4, 30, seed=6)
    place = names.argsort(-1)
    moved = {"coordinates": data["coordinates"].gather(1, names.unsqueeze(-1).expand(-1, -1, 2))}
    after = polish_tours(moved, place.gather(1, tours))
    assert torch.equal(names.gather(1, after), polish_tours(data, tours))


def test_many_cities_and_few_places() -> None:
    points = np.random.default_rng(0).integers(0, 30, (1, 2000, 2)).astype(float)
    data = {"coordinates": torch.from_numpy(points)}
    tours = random_tours(1, 2, 2000, seed=0)
    after = improve_tours(data, tours, kicks=50)
    assert bool(are_tours(after).all())
    assert bool((lengths(data, after) < 0.1 * lengths(data, tours)).all())


@pytest.mark.parametrize("width", [1, 3, 8])
def test_nearest_cities(width: int) -> None:
    for kind in ("clumped", "float table"):
        data = cities(2, 9, 1, kind)
        near = np.empty((2, 9, width), dtype=np.int32)
        if "distances" in data:
            table = data["distances"].numpy()
            nearest(table, near)
        else:
            points = data["coordinates"].numpy()
            table = np.sqrt(((points[:, :, None] - points[:, None]) ** 2).sum(-1))
            nearest((points[..., 0].copy(), points[..., 1].copy()), near)
        table = table + np.where(np.eye(9, dtype=bool), np.inf, 0)
        assert (near == np.argsort(table, axis=-1, kind="stable")[..., :width]).all()


def test_time_ends_the_search() -> None:
    data, tours = cities(2, 200, 0, "points"), random_tours(2, 200, seed=0)
    assert torch.equal(polish_tours(data, tours, seconds=0.0), tours)
    polished = lengths(data, polish_tours(data, tours))
    assert bool((lengths(data, improve_tours(data, tours, seconds=0.3)) < polished).all())


def test_tours_that_are_refused() -> None:
    data = cities(2, 5, 0, "points")
    with pytest.raises(InputError, match="permutations"):
        polish_tours(data, torch.zeros(2, 5, dtype=torch.int64))
    with pytest.raises(InputError, match=r"expected \[2, 5\] or \[2, S, 5\]"):
        polish_tours(data, random_tours(3, 5, seed=0))
    with pytest.raises(InputError, match="integers"):
        polish_tours(data, torch.rand(2, 5))
    with pytest.raises(InputError, match="neighbours"):
        polish_tours(data, random_tours(2, 5, seed=0), neighbours=0)
    with pytest.raises(InputError, match="kicks, seconds"):
        improve_tours(data, random_tours(2, 5, seed=0))


def knapsack(n: int, seed: int, distribution: str = "uniform") -> Instance:
    return problem("knapsack").generate(n, distribution=distribution, seed=seed)[0]


def multiknapsack(n: int, seed: int, distribution: str = "chu-beasley") -> Instance:
    return problem("multiknapsack").generate(n, distribution=distribution, seed=seed, num_constraints=3)[0]


def graph(n: int, seed: int, max_weight: int = 1) -> Instance:
    return problem("mis").generate(n, seed=seed, probability=0.3, max_weight=max_weight)[0]


def float_graph(n: int, seed: int) -> Instance:
    weights = np.random.default_rng(seed).random(n)
    return problem("mis").instance({"edges": graph(n, seed)["edges"], "weights": weights})


SUBSETS = [
    (KnapsackEnv, lambda n, seed: knapsack(n, seed), False),
    (KnapsackEnv, lambda n, seed: knapsack(n, seed, "unit"), False),
    (MultiKnapsackEnv, lambda n, seed: multiknapsack(n, seed), False),
    (MultiKnapsackEnv, lambda n, seed: multiknapsack(n, seed, "unit"), False),
    (MISEnv, graph, False),
    (MISEnv, lambda n, seed: graph(n, seed, 9), True),
    (MISEnv, float_graph, False),
]


def first_solutions(env: Environment, instances: list[Instance], n: int, starts: int, seed: int) -> Tensor:
    """Feasible choices [B, S, n], mostly far from full: random elements in random order while that is feasible."""
    rng = np.random.default_rng(seed)
    found = np.zeros((len(instances), starts, n), dtype=np.int64)
    for b, instance in enumerate(instances):
        size = problem(env.problem).size(instance)
        for s in range(starts):
            for j in rng.permutation(size)[: rng.integers(0, size + 1)]:
                found[b, s, j] = 1
                if not verify(instance, found[b, s, :size]).feasible:
                    found[b, s, j] = 0
    return torch.from_numpy(found)


def better_by_few(instance: Instance, solution: np.ndarray, removed: int, added: int) -> bool:
    """Whether some feasible exchange of so many elements raises the objective."""
    base = verify(instance, solution).objective
    for out in combinations(np.flatnonzero(solution == 1), removed):
        for into in combinations(np.flatnonzero(solution == 0), added):
            other = solution.copy()
            other[list(out)], other[list(into)] = 0, 1
            check = verify(instance, other)
            if check.feasible and check.objective > base * (1 + 1e-7):
                return True
    return False


@pytest.mark.parametrize(("make", "draw", "sparse"), SUBSETS)
def test_polished_subsets(make, draw, sparse) -> None:
    env = make()
    instances = [draw(n, 10 + n) for n in (11, 9, 11)]
    data = stack(instances, sparse=sparse, dtype=torch.float64)
    before = first_solutions(env, instances, 11, 3, seed=1)
    after = env.polish(data, before)
    assert after.shape == before.shape
    assert after.dtype is torch.int64
    swaps = [(0, 1), (1, 2), (1, 1)] + ([(2, 1)] if "knapsack" in env.problem else [])
    for b, instance in enumerate(unstack(env.problem, data)):
        size = problem(env.problem).size(instance)
        for s in range(3):
            solution = after[b, s].numpy()
            assert not solution[size:].any()
            solution = solution[:size]
            check = verify(instance, solution)
            assert check.feasible
            assert check.objective >= verify(instance, before[b, s, :size].numpy()).objective
            assert not any(better_by_few(instance, solution, *swap) for swap in swaps)
    repeated = {key: value.repeat_interleave(3, 0) for key, value in data.items()}
    assert torch.equal(env.polish(repeated, before.flatten(0, 1)), after.flatten(0, 1))


@pytest.mark.parametrize(("make", "draw", "sparse"), SUBSETS)
def test_larger_subsets_stay_feasible(make, draw, sparse) -> None:
    env = make()
    instances = [draw(60, seed) for seed in range(3)]
    before = first_solutions(env, instances, 60, 2, seed=2)
    after = env.polish(stack(instances, sparse=sparse, dtype=torch.float64), before.bool())
    for b, instance in enumerate(instances):
        for s in range(2):
            check = verify(instance, after[b, s].numpy())
            assert check.feasible
            assert check.objective >= verify(instance, before[b, s].numpy()).objective


def test_weighted_nodes_leave_for_a_heavier_one() -> None:
    data = {
        "weights": torch.tensor([[5, 2, 2, 9]]),
        "adjacency": torch.tensor([[[0, 1, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]]).bool(),
        "node_mask": torch.tensor([[True, True, True, False]]),
    }
    assert MISEnv().polish(data, torch.tensor([[0, 1, 1, 0]])).tolist() == [[1, 0, 0, 0]]


def test_subsets_that_are_refused() -> None:
    instance = graph(6, 0)
    ones = torch.ones(1, 6, dtype=torch.int64)
    with pytest.raises(InputError, match="no independent set"):
        MISEnv().polish(stack([instance]), ones)
    with pytest.raises(InputError, match="exceeds a capacity"):
        KnapsackEnv().polish(stack([knapsack(6, 0)]), ones)
    with pytest.raises(InputError, match="0/1"):
        KnapsackEnv().polish(stack([knapsack(6, 0)]), 2 * ones)
    with pytest.raises(InputError, match="mask excludes"):
        KnapsackEnv().polish(stack([knapsack(6, 0), knapsack(4, 0)]), torch.ones(2, 6, dtype=torch.int64))


def test_the_environment_polishes_tours() -> None:
    data, tours = cities(2, 12, 0, "small floats"), random_tours(2, 5, 12, seed=0)
    assert torch.equal(TSPEnv().polish(data, tours), polish_tours(data, tours))
    with pytest.raises(InputError, match="nothing polishes solutions of tsp"):
        TwoOptEnv().polish(data, tours)
