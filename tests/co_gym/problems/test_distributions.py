"""What each random generator promises about its instances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from co_gym import registry
from co_gym.errors import InputError
from co_gym.instance import Instance


def draw(problem: str, distribution: str, size: int = 60, seed: int = 1, **options: Any) -> Instance:
    (made,) = registry.problem(problem).generate(size, distribution=distribution, seed=seed, **options)
    return made


def degrees(instance: Instance) -> np.ndarray:
    return np.bincount(instance["edges"].ravel(), minlength=instance["weights"].size)


@pytest.mark.parametrize("distribution", ["uniform", "clustered", "gaussian-mixture"])
@pytest.mark.parametrize("size", [1, 2, 3, 500])
def test_cities_lie_in_the_unit_square(distribution: str, size: int) -> None:
    points = draw("tsp", distribution, size)["coordinates"]
    assert points.shape == (size, 2)
    assert points.min() >= 0
    assert points.max() <= 1


def test_uniform_cities_fill_the_square() -> None:
    points = draw("tsp", "uniform", 4000)["coordinates"]
    counts, _, _ = np.histogram2d(*points.T, bins=4, range=[[0, 1], [0, 1]])
    assert counts.min() > 180
    assert counts.max() < 320


def test_clustered_cities_are_close_to_their_neighbours() -> None:
    def nearest(distribution: str, **options: Any) -> float:
        problem: Any = registry.problem("tsp")
        d = problem.distances(draw("tsp", distribution, 300, **options)) + np.eye(300) * 9
        return float(d.min(axis=1).mean())

    assert nearest("clustered", num_clusters=2) < 0.6 * nearest("uniform")
    assert nearest("gaussian-mixture", num_modes=3, spread=100.0) < 0.5 * nearest("uniform")


def test_gaussian_mixture_touches_the_sides() -> None:
    points = draw("tsp", "gaussian-mixture", 50)["coordinates"]
    assert points.min(axis=0).tolist() == [0.0, 0.0]
    assert points.max() == 1.0


@pytest.mark.parametrize("tightness", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("distribution", ["uniform", "weakly-correlated", "strongly-correlated"])
def test_knapsack_weights_and_capacity(distribution: str, tightness: float) -> None:
    made = draw("knapsack", distribution, 200, max_weight=100, tightness=tightness)
    weights, profits = made["weights"], made["profits"]
    assert weights.dtype == profits.dtype == np.int64
    assert 1 <= weights.min() <= 5
    assert 95 <= weights.max() <= 100
    assert profits.min() >= 1
    assert made["capacity"] == int(tightness * weights.sum())


def test_knapsack_correlations() -> None:
    uniform = draw("knapsack", "uniform", 500)
    weak = draw("knapsack", "weakly-correlated", 500)
    strong = draw("knapsack", "strongly-correlated", 500)
    assert abs(np.corrcoef(uniform["weights"], uniform["profits"])[0, 1]) < 0.15
    assert np.corrcoef(weak["weights"], weak["profits"])[0, 1] > 0.95
    difference = weak["profits"] - weak["weights"]
    assert difference.max() <= 100
    assert difference[weak["weights"] > 100].min() >= -100
    assert len(set(difference.tolist())) > 50
    assert (strong["profits"] == strong["weights"] + 100).all()


def test_unit_knapsack() -> None:
    for size, capacity in [(20, 5.0), (50, 12.5), (100, 25.0), (200, 25.0)]:
        made = draw("knapsack", "unit", size)
        assert made["capacity"] == capacity
        for key in ("weights", "profits"):
            assert 0 <= made[key].min() < made[key].max() < 1
    assert draw("knapsack", "unit", 20, capacity=3.5)["capacity"] == 3.5


def test_chu_beasley() -> None:
    made = draw("multiknapsack", "chu-beasley", 400, num_constraints=7, tightness=0.25)
    weights, profits = made["weights"], made["profits"]
    assert weights.shape == (7, 400)
    assert weights.min() < 20
    assert 980 < weights.max() <= 1000
    assert (made["capacities"] == weights.sum(axis=1) // 4).all()
    above = profits - weights.mean(axis=0)
    assert above.min() > -1
    assert 450 < above.max() < 500
    assert np.corrcoef(weights.mean(axis=0), profits)[0, 1] > 0.3


def test_erdos_renyi_edge_counts() -> None:
    for probability in (0.0, 0.15, 0.5, 1.0):
        made = draw("mis", "erdos-renyi", 120, probability=probability)
        pairs = 120 * 119 / 2
        deviation = 4 * (pairs * probability * (1 - probability)) ** 0.5
        assert abs(len(made["edges"]) - probability * pairs) <= deviation


@pytest.mark.parametrize("attachments", [1, 2, 4])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 80])
def test_barabasi_albert_edge_counts(attachments: int, size: int) -> None:
    made = draw("mis", "barabasi-albert", size, attachments=attachments)
    first = min(attachments, size - 1)
    assert len(made["edges"]) == first + max(0, size - 1 - first) * attachments
    later = degrees(made)[attachments + 1 :]
    assert (later >= attachments).all()


def test_barabasi_albert_has_hubs() -> None:
    made = draw("mis", "barabasi-albert", 600, attachments=2)
    assert degrees(made).max() > 6 * np.median(degrees(made))


@pytest.mark.parametrize(("size", "clique_size"), [(64, 8), (63, 8), (60, 5), (7, 8), (1, 8), (12, 1)])
def test_rb_has_its_cliques(size: int, clique_size: int) -> None:
    made = draw("mis", "rb", size, clique_size=clique_size)
    edges = {tuple(edge) for edge in made["edges"].tolist()}
    parts = np.array_split(np.arange(size), max(1, round(size / clique_size)))
    assert all((u, v) in edges for part in parts for u in part.tolist() for v in part.tolist() if u < v)
    problem: Any = registry.problem("mis")
    if size > clique_size > 1:
        assert len(edges) > sum(len(part) * (len(part) - 1) // 2 for part in parts)
    assert all(u < v for u, v in edges)
    assert problem.violations(made, np.zeros(size, dtype=np.int64)) == []


@pytest.mark.parametrize("size", [1, 19, 200, 300, 301, 600])
@pytest.mark.parametrize("seed", range(5))
def test_rb_small_consists_of_cliques_of_at_most_twelve(size: int, seed: int) -> None:
    made = draw("mis", "rb-small", size, seed=seed)
    edges = {tuple(edge) for edge in made["edges"].tolist()}
    fewest = max(20, -(-size // 12))
    partitions = [
        [(u, v) for part in np.array_split(np.arange(size), k) for u in part for v in part if u < v]
        for k in range(fewest, max(25, fewest) + 1)
    ]
    assert made["weights"].shape == (size,)
    assert any(edges.issuperset(pairs) for pairs in partitions)
    assert size < 200 or len(edges) > max(len(pairs) for pairs in partitions)


@pytest.mark.parametrize("distribution", ["erdos-renyi", "barabasi-albert", "rb", "rb-small"])
def test_node_weights(distribution: str) -> None:
    assert set(draw("mis", distribution, 200)["weights"].tolist()) == {1}
    assert set(draw("mis", distribution, 200, max_weight=5)["weights"].tolist()) == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("distribution", ["erdos-renyi", "barabasi-albert", "rb", "rb-small"])
def test_graphs_are_simple(distribution: str) -> None:
    edges = draw("mis", distribution, 100)["edges"]
    assert (edges[:, 0] < edges[:, 1]).all()
    assert len(np.unique(edges, axis=0)) == len(edges)


def test_qap_matrices() -> None:
    made = draw("qap", "uniform", 30, max_entry=20)
    for key in ("flows", "distances"):
        matrix = made[key]
        assert (matrix == matrix.T).all()
        assert not matrix.diagonal().any()
        assert (matrix.min(), matrix.max()) == (0, 20)
    assert (made["flows"] != made["distances"]).any()


def test_market_split_rows_and_targets() -> None:
    made = draw("market-split", "cornuejols-dawande", 30)
    assert made["coefficients"].shape == (4, 30)
    assert made["coefficients"].max() <= 99
    assert (made["targets"] == made["coefficients"].sum(axis=1) // 2).all()
    made = draw("market-split", "cornuejols-dawande", 30, num_constraints=2, max_entry=5)
    assert made["coefficients"].shape == (2, 30)
    assert set(made["coefficients"].ravel().tolist()) == set(range(6))


@pytest.mark.parametrize("seed", range(5))
def test_planted_market_split_has_zero_slack(seed: int) -> None:
    made = draw("market-split", "planted", 14, seed=seed, num_constraints=3)
    rows, targets = made["coefficients"], made["targets"]
    choices = (np.arange(2**14)[:, None] >> np.arange(14)) & 1
    halves = choices[choices.sum(axis=1) == 7]
    assert (halves @ rows.T == targets).all(axis=1).any()


@pytest.mark.parametrize(
    ("problem", "distribution", "options"),
    [
        ("tsp", "gaussian-mixture", {"num_modes": 0}),
        ("tsp", "gaussian-mixture", {"spread": 0.0}),
        ("tsp", "clustered", {"num_clusters": -5}),
        ("knapsack", "uniform", {"tightness": 0.0}),
        ("knapsack", "uniform", {"tightness": 1.5}),
        ("knapsack", "uniform", {"max_weight": 0}),
        ("knapsack", "uniform", {"max_weight": "many"}),
        ("knapsack", "unit", {"capacity": -1.0}),
        ("knapsack", "unit", {"capacity": float("nan")}),
        ("multiknapsack", "chu-beasley", {"num_constraints": 0}),
        ("mis", "erdos-renyi", {"probability": 1.5}),
        ("mis", "erdos-renyi", {"max_weight": 0}),
        ("mis", "barabasi-albert", {"attachments": 0}),
        ("mis", "rb", {"tightness": 1.0}),
        ("mis", "rb", {"clique_size": 0}),
        ("qap", "uniform", {"max_entry": -1}),
        ("market-split", "planted", {"num_constraints": -1}),
        ("market-split", "planted", {"max_entry": 0}),
    ],
)
def test_options_out_of_range(problem: str, distribution: str, options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        draw(problem, distribution, 10, **options)
