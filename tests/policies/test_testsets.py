"""Test sets: regenerated instances, shipped references, and what happens when the two do not belong together."""

from __future__ import annotations

import importlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from co_gym import Instance, Options, registry, solve
from co_gym.errors import InputError
from co_gym.problems.mis import adjacency_matrix
from policies import testsets
from policies.testsets import ReferenceSet, digest, load, sets

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def number(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`independence_number` of the script that makes the references."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("independent_set").independence_number


def highs(c: NDArray, rows: NDArray, lower: Any, upper: Any) -> NDArray:
    """0/1 solution of smallest c x with lower <= rows x <= upper, by a solver that made no reference."""
    found = milp(
        c,
        constraints=LinearConstraint(rows, lower, upper),
        integrality=np.ones(len(c)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    assert found.success
    return np.round(found.x).astype(np.int64)


def shortest_tour(instance: Instance) -> float:
    """Length by degree constraints and repeated subtour elimination (Dantzig, Fulkerson, Johnson 1954)."""
    problem: Any = registry.problem("tsp")
    d = problem.distances(instance)
    n = len(d)
    u, v = np.triu_indices(n, k=1)
    rows = [((u == city) | (v == city)).astype(float) for city in range(n)]
    lower = [2.0] * n
    while True:
        x = highs(d[u, v], np.array(rows), lower, [2.0] * n + [np.inf] * (len(rows) - n))
        graph = nx.Graph(list(zip(u[x == 1].tolist(), v[x == 1].tolist(), strict=True)))
        parts = list(nx.connected_components(graph))
        if len(parts) == 1:
            return float(d[u, v] @ x)
        for part in parts:
            rows.append((np.isin(u, list(part)) ^ np.isin(v, list(part))).astype(float))
            lower.append(2.0)


def largest_profit(instance: Instance) -> float:
    problem: Any = registry.problem(instance.problem)
    weights, capacities = problem.rows(instance)
    x = highs(-instance["profits"], weights, -np.inf, capacities)
    return float(instance["profits"] @ x)


def largest_independent_set(instance: Instance) -> Any:
    found = solve(instance, "scip")
    assert found.status == "optimal"
    return found.objective


EXACT: dict[str, Any] = {
    "tsp": shortest_tour,
    "knapsack": largest_profit,
    "multiknapsack": largest_profit,
    "mis": largest_independent_set,
}


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("tsp20", 6),
        ("tsp50", 1),
        ("tsp50-clustered", 1),
        ("tsp50-gaussian-mixture", 1),
        ("knapsack50", 10),
        ("knapsack100", 5),
        ("multiknapsack50x5", 3),
        ("multiknapsack50x5-chu-beasley", 1),
        ("mis-er100", 1),
    ],
)
def test_references_agree_with_another_exact_solver(name: str, count: int) -> None:
    chosen = load(name)
    exact = [EXACT[chosen.problem](instance) for instance in chosen.instances(count)]
    assert chosen.proven[:count].all()
    assert chosen.references(count).tolist() == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("name", sets())
def test_local_search_never_beats_a_reference(name: str) -> None:
    chosen = load(name)
    for instance in chosen.instances(3):
        found = solve(instance, "local-search", options=Options(time_limit=0.1))
        sign = 1 if registry.problem(chosen.problem).sense == "minimize" else -1
        assert found.objective is not None
        assert found.reference_gap is not None
        assert sign * (found.objective - instance.reference) >= -1e-9 * abs(found.objective)
        assert found.reference_gap < 0.3


@pytest.mark.parametrize("name", sets())
def test_a_set_is_what_it_says(name: str) -> None:
    chosen = load(name)
    references, proven = np.load(testsets.FOLDER / f"{name}.npz")["objectives"], chosen.proven
    integral = chosen.problem == "mis" or chosen.distribution == "chu-beasley"
    assert references.dtype == (np.int64 if integral else np.float64)
    assert references.shape == proven.shape == (chosen.count,)
    assert proven.dtype == np.bool_
    assert chosen.made["proven"] == proven.sum()
    assert chosen.made["mean"] == pytest.approx(references.mean(), abs=1e-6)
    assert chosen.references(50).tolist() == references[:50].tolist()
    assert len(np.unique(references)) > 3


@pytest.mark.slow
@pytest.mark.parametrize("name", sets())
def test_every_instance_is_the_one_its_reference_was_made_for(name: str) -> None:
    chosen = load(name)
    assert len({digest(instance) for instance in chosen.instances()}) == chosen.count


def test_instances_are_a_prefix_and_hold_their_references() -> None:
    few, more = load("knapsack50").instances(3), load("knapsack50").instances(7)
    assert [digest(i) for i in few] == [digest(i) for i in more[:3]]
    assert [i.reference for i in few] == load("knapsack50").references(3).tolist()
    assert len({digest(i) for i in more}) == 7
    assert load("knapsack50").instances(0) == []
    assert load("knapsack50").references(0).shape == (0,)


def test_sizes_drawn_from_a_range() -> None:
    chosen = load("mis-rb-small")
    sizes = [len(i["weights"]) for i in chosen.generate(60)]
    assert chosen.size == (200, 300)
    assert min(sizes) >= 200
    assert max(sizes) <= 300
    assert len(set(sizes)) > 30


@pytest.mark.parametrize("name", ["tsp20", "mis-er100", "mis-rb-small"])
def test_another_seed_is_refused(name: str) -> None:
    other = replace(load(name), seed=1)
    assert len(other.generate(2)) == 2
    for read in (other.instances, other.references):
        with pytest.raises(InputError, match=f"'{name}'.*instance 0.*generator has changed"):
            read(2)


def test_a_changed_generator_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = registry.problem("tsp")
    original = problem.distributions["uniform"]

    def last_point_moved(rng: np.random.Generator, size: int) -> dict[str, NDArray]:
        data = original(rng, size)
        data["coordinates"][-1, 1] *= 0.999
        return data

    monkeypatch.setattr(type(problem), "distributions", {"uniform": last_point_moved})
    with pytest.raises(InputError, match="generator has changed"):
        load("tsp100").instances(1)


def test_digest_ignores_the_last_bit_of_floats_only() -> None:
    problem = registry.problem("tsp")
    (instance,) = load("tsp50-clustered").generate(1)
    points = instance["coordinates"]
    near = problem.instance({"coordinates": np.nextafter(points, 2.0)})
    far = problem.instance({"coordinates": points + 1e-6})
    assert digest(near) == digest(instance) != digest(far)
    first, second = (registry.problem("mis").instance({"edges": [[0, k]], "weights": [1, 1, 1]}) for k in (1, 2))
    assert digest(first) != digest(second)


@pytest.mark.parametrize("count", [-1, 1001])
def test_count_out_of_range(count: int) -> None:
    with pytest.raises(InputError, match="expected 0 to 1000"):
        load("tsp20").references(count)


def test_unknown_name() -> None:
    with pytest.raises(InputError, match="did you mean tsp20"):
        load("tsp2O")


def broken(chosen: ReferenceSet, **changes: Any) -> dict[str, NDArray]:
    good = {key: np.zeros(chosen.count) for key in ("objectives", "proven", "digests")} | changes
    return {key: value for key, value in good.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"proven": None}, "proven"),
        ({"digests": np.zeros(7)}, r"digests has shape \(7,\): expected \(1000,\)"),
        ({"objectives": np.array([{}] * 1000)}, "allow_pickle"),
    ],
)
def test_a_damaged_file_is_named(
    changes: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = load("tsp20")
    monkeypatch.setattr(testsets, "FOLDER", tmp_path)
    with pytest.raises(InputError, match=r"tsp20\.npz"):
        _ = chosen.proven
    np.savez(tmp_path / "tsp20.npz", **broken(chosen, **changes))
    with pytest.raises(InputError, match=message):
        _ = chosen.proven
    (tmp_path / "tsp20.npz").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(InputError, match=r"tsp20\.npz"):
        _ = chosen.proven


def test_loading_imports_no_torch() -> None:
    code = (
        "import sys; from policies.testsets import load; load('tsp20').references(2); "
        "assert not {'torch', 'numba', 'pyscipopt'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["mis-er100", "mis-rb-small"])
def test_independence_numbers_recomputed_from_nothing(name: str, number: Any) -> None:
    for instance in load(name).instances(8):
        adjacency = adjacency_matrix(instance["edges"], len(instance["weights"]))
        assert number(adjacency) == (instance.reference, True)


def test_independence_number_against_enumeration(number: Any) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        n = int(rng.integers(1, 12))
        adjacency = np.triu(rng.random((n, n)) < rng.random(), k=1)
        adjacency |= adjacency.T
        chosen = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        free = np.einsum("ki,ij,kj->k", chosen, adjacency.astype(int), chosen) == 0
        assert number(adjacency) == (chosen[free].sum(axis=1).max(), True)


def test_independence_number_spans_words_and_stops_at_its_limit(number: Any) -> None:
    cliques = np.kron(np.eye(50, dtype=bool), ~np.eye(3, dtype=bool))
    assert number(cliques) == (50, True)
    assert number(np.zeros((130, 130), dtype=bool)) == (130, True)
    hard = np.triu(np.random.default_rng(0).random((150, 150)) < 0.1, k=1)
    assert number(hard | hard.T, at_least=9, node_limit=3)[1] is False
