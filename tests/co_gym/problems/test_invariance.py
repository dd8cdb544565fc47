"""Renaming the parts of an instance changes no optimum; scaling and trivial instances do what they must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import co_gym
from co_gym.exact import Number
from co_gym.instance import Instance
from co_gym.problems.base import Problem
from co_gym.problems.knapsack import Knapsack, MultiKnapsack
from co_gym.problems.market_split import MarketSplit
from co_gym.problems.mip import MIP
from co_gym.problems.mis import MIS, canonical_edges, clique_cover
from co_gym.problems.qap import QAP
from co_gym.problems.tsp import TSP, embed
from co_gym.testing import brute_force

SEEDS = st.integers(0, 2**20)
FEW = settings(max_examples=25)


def optimum_of(problem: Problem, instance: Instance) -> Number:
    best = brute_force(problem, instance)
    assert best is not None
    return best[1]


@FEW
@given(st.integers(1, 6), SEEDS)
def test_cities(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    upper = np.triu(rng.integers(-20, 50, size=(n, n)), k=1)
    d = upper + upper.T
    one, other = TSP().instance({"distances": d}), TSP().instance({"distances": d[np.ix_(order, order)]})
    assert optimum_of(TSP(), one) == optimum_of(TSP(), other)


@FEW
@given(st.integers(1, 5), SEEDS)
def test_facilities_and_locations(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    f, d = rng.integers(-9, 10, size=(2, n, n))
    a, b = rng.permutation(n), rng.permutation(n)
    one = QAP().instance({"flows": f, "distances": d})
    other = QAP().instance({"flows": f[np.ix_(a, a)], "distances": d[np.ix_(b, b)]})
    assert optimum_of(QAP(), one) == optimum_of(QAP(), other)


@FEW
@given(st.integers(1, 8), SEEDS)
def test_items(n: int, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(n)
    (one,) = MultiKnapsack().generate(n, seed=seed)
    rows = one["weights"][::-1][:, order], one["capacities"][::-1]
    other = MultiKnapsack().instance({"profits": one["profits"][order], "weights": rows[0], "capacities": rows[1]})
    assert optimum_of(MultiKnapsack(), one) == optimum_of(MultiKnapsack(), other)


@FEW
@given(st.integers(1, 8), SEEDS)
def test_nodes(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    (one,) = MIS().generate(n, seed=seed, probability=0.4, max_weight=9)
    order = rng.permutation(n)
    weights = np.empty(n, dtype=np.int64)
    weights[order] = one["weights"]
    edges = rng.permutation(order[one["edges"]][:, ::-1], axis=0)
    twice = np.concatenate([edges, edges[:, ::-1]])
    other = MIS().instance({"edges": twice, "weights": weights})
    assert optimum_of(MIS(), one) == optimum_of(MIS(), other)


@FEW
@given(st.integers(1, 8), SEEDS)
def test_columns(n: int, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(n)
    (one,) = MarketSplit().generate(n, seed=seed, num_constraints=2)
    data = {"coefficients": one["coefficients"][::-1][:, order], "targets": one["targets"][::-1]}
    assert optimum_of(MarketSplit(), one) == optimum_of(MarketSplit(), MarketSplit().instance(data))


@FEW
@given(st.integers(1, 8), SEEDS)
def test_one_knapsack_is_a_multiknapsack_with_one_row(n: int, seed: int) -> None:
    (one,) = Knapsack().generate(n, seed=seed)
    data = {"profits": one["profits"], "weights": one["weights"][None], "capacities": one["capacity"][None]}
    assert optimum_of(Knapsack(), one) == optimum_of(MultiKnapsack(), MultiKnapsack().instance(data))


@FEW
@given(st.integers(1, 14), st.floats(0, 1), SEEDS)
def test_clique_cover_holds_each_edge_and_only_cliques(n: int, probability: float, seed: int) -> None:
    (made,) = MIS().generate(n, seed=seed, probability=probability)
    edges = {tuple(edge) for edge in made["edges"].tolist()}
    covered = {(u, v) for c in clique_cover(MIS().adjacency(made)) for u in c for v in c if u < v}
    assert covered == edges


@FEW
@given(st.integers(2, 9), SEEDS)
def test_clique_rows_are_as_strong_as_edge_rows(n: int, seed: int) -> None:
    from co_gym.relaxation import solve_relaxation

    (made,) = MIS().generate(n, seed=seed, probability=0.5, max_weight=7)
    clique, edge = (solve_relaxation(MIS().formulate(made, form).program).bound for form in MIS.forms)
    assert clique is not None
    assert edge is not None
    assert clique <= edge + 1e-7


def test_a_program_may_state_its_own_sense() -> None:
    base = {
        "objective": [1, 2], "offset": 3, "indptr": [0, 2], "indices": [0, 1], "values": [1, 1], "row_lower": [1],
        "row_upper": [2], "lower": [0, 0], "upper": [2, 2], "integer": [True, True],
    }  # fmt: skip
    found = [optimum_of(MIP(), MIP().instance(base | {"maximize": np.array(up)})) for up in (False, True)]
    assert found == [4, 7]
    program = MIP().formulate(MIP().instance(base | {"maximize": np.array(True)})).program
    again = MIP().from_program(program, name="again")
    assert again.data.keys() == (base | {"maximize": 0}).keys()
    assert optimum_of(MIP(), again) == 7


@pytest.mark.parametrize(
    "changes",
    [{"indptr": [0, 3]}, {"indptr": [1, 2]}, {"indptr": [0, 1, 2]}, {"indices": [0, 2]}, {"lower": [3, 0]}],
)
def test_programs_that_contradict_themselves(changes: dict[str, list[int]]) -> None:
    base = {
        "objective": [1, 2], "offset": 3, "indptr": [0, 2], "indices": [0, 1], "values": [1, 1], "row_lower": [1],
        "row_upper": [2], "lower": [0, 0], "upper": [2, 2], "integer": [True, True],
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"CSR|bounds"):
        MIP().instance(base | changes)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "needs distances or coordinates"),
        ({"coordinates": np.zeros((0, 2))}, "at least one city"),
        ({"distances": [[1]]}, r"distances\[0, 0\] is 1: expected 0"),
        ({"distances": [[0, 1], [2, 0]]}, r"distances\[0, 1\] is 1 but \[1, 0\] is 2"),
        ({"distances": [[0, 1], [1, 0]], "coordinates": np.zeros((3, 2))}, "distances has shape"),
    ],
)
def test_refused_tours(data: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TSP().instance(data)


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([[0, 3]], r"edges\[0\] is \[0, 3\]: expected nodes in 0..2"),
        ([[0, 1], [2, 2]], r"edges\[1\] is a loop at node 2"),
    ],
)
def test_refused_graphs(edges: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MIS().instance({"edges": edges, "weights": [1, 1, 1]})


def test_refused_assignment() -> None:
    with pytest.raises(ValueError, match="at least one facility"):
        QAP().instance({"flows": np.zeros((0, 0)), "distances": np.zeros((0, 0))})


@pytest.mark.parametrize(
    ("problem", "data", "optimum"),
    [
        (Knapsack(), {"profits": [], "weights": [], "capacity": 0}, 0),
        (Knapsack(), {"profits": [5, 4], "weights": [1, 0], "capacity": 0}, 4),
        (MultiKnapsack(), {"profits": [1, 2], "weights": np.zeros((0, 2)), "capacities": []}, 3),
        (MIS(), {"edges": np.zeros((0, 2), dtype=int), "weights": []}, 0),
        (MIS(), {"edges": np.zeros((0, 2), dtype=int), "weights": [2.5, 0]}, 2.5),
        (QAP(), {"flows": [[3]], "distances": [[4]]}, 12),
        (MarketSplit(), {"coefficients": np.zeros((0, 3), dtype=int), "targets": []}, 0),
        (MarketSplit(), {"coefficients": np.zeros((2, 0), dtype=int), "targets": [1, 2]}, 3),
        (MarketSplit(), {"coefficients": [[-5, 3]], "targets": [-2]}, 0),
        (TSP(), {"coordinates": np.zeros((1, 2))}, 0),
        (TSP(), {"coordinates": np.zeros((5, 2))}, 0),
        (TSP(), {"distances": np.where(np.eye(5), 0, -7)}, -35),
    ],
)
def test_degenerate_instances_are_solved(problem: Problem, data: dict[str, np.ndarray], optimum: float) -> None:
    instance = problem.instance(data)
    assert optimum_of(problem, instance) == optimum
    result = co_gym.solve(instance, "scip")
    assert (result.status, result.objective) == ("optimal", optimum)
    for form in problem.forms:
        formulation = problem.formulate(instance, form)
        assert result.solution is not None
        x = formulation.encode(result.solution)
        assert formulation.program.is_feasible(x)
        assert formulation.program.evaluate(x) == optimum


def test_distances_count_before_coordinates() -> None:
    both = TSP().instance({"coordinates": [[0, 0], [3, 4]], "distances": [[0, 7], [7, 0]]})
    assert TSP().objective(both, np.array([0, 1])) == 14
    alone = TSP().instance({"coordinates": [[0, 0], [3, 4]]})
    assert TSP().objective(alone, np.array([0, 1])) == 10.0
    assert "distances" not in alone.data


def test_embedding_keeps_planar_distances() -> None:
    points = np.random.default_rng(3).random((7, 2))
    d = np.hypot(*(points[:, None, k] - points[None, :, k] for k in (0, 1)))
    found = embed(d)
    np.testing.assert_allclose(np.hypot(*(found[:, None, k] - found[None, :, k] for k in (0, 1))), d, atol=1e-9)
    assert embed(np.zeros((1, 1))).shape == (1, 2)


def test_canonical_edges() -> None:
    assert canonical_edges(np.array([[2, 1], [1, 2], [0, 3]])).tolist() == [[0, 3], [1, 2]]
    assert canonical_edges(np.array([])).shape == (0, 2)
