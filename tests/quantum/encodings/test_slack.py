from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from co_gym import registry
from co_gym.errors import InputError, SolverError
from quantum.encodings.slack import Slack, second_weights
from quantum.hamiltonians import state_bits
from quantum.programs import BinaryProgram, binary_program, range_weights

MOST = 15
"""Qubits of the largest table."""
CASES = [
    ("knapsack", 8, None, {"max_weight": 12}), ("knapsack", 7, None, {"max_weight": 30}),
    ("multiknapsack", 6, None, {"num_constraints": 2}), ("mis", 9, "edge", {}), ("mis", 9, "clique", {}),
    ("tsp", 4, "position", {}), ("qap", 3, "quadratic", {}),
    ("market-split", 5, None, {"num_constraints": 1, "max_entry": 9}),
    ("market-split", 4, None, {"num_constraints": 2, "max_entry": 3}),
]  # fmt: skip


def generated(problem: str, size: int, form: str | None, options: dict, seed: int) -> BinaryProgram:
    instance = registry.problem(problem).generate(size, seed=seed, **options)[0]
    return binary_program(registry.problem(problem).formulate(instance, form).program)


def small_weights(program: BinaryProgram) -> BinaryProgram:
    """With coefficients of 0 to 10, so that slack is short."""
    A, upper = (program.A / 100.0).floor(), np.floor(program.upper / 100.0)
    return replace(program, A=sparse.csr_matrix(A), upper=upper)


def random_program(seed: int, n: int = 5) -> BinaryProgram:
    """Constraints with one, two and equal sides, prices on some of them, and an objective with products."""
    rng = np.random.default_rng(seed)
    m = 2
    A = rng.integers(-3, 5, size=(m, n)).astype(float)
    x = rng.integers(2, size=n)
    lower = np.floor(A @ x - rng.choice([0, 1, 2, np.inf], m))
    upper = np.floor(A @ x + rng.choice([0, 0.5, 1.5, 2, np.inf], m))
    prices = rng.choice([0.7, 3.0, np.inf, np.inf], size=(2, m))
    return BinaryProgram(
        c=rng.integers(-4, 5, size=n) / 2.0, A=sparse.csr_matrix(A), lower=lower, upper=upper,
        Q=sparse.csr_matrix(np.triu(rng.integers(-2, 3, size=(n, n)), 1).astype(float)),
        offset=float(rng.normal()), sign=1.0, shortfall=prices[0], surplus=prices[1],
        expansion=sparse.identity(n, format="csr"), base=np.zeros(n),
        deviations=np.zeros((0, 3), dtype=np.int64), scales=np.zeros(0),
    )  # fmt: skip


def best_slack(program: BinaryProgram, encoding: Slack) -> tuple[np.ndarray, np.ndarray]:
    """All x, and the least energy of each over the bits of slack."""
    encoded = encoding.encode(program)
    n, q = program.num_variables, encoded.diagonal.num_qubits
    assert encoded.variables.tolist() == list(range(n))
    least = encoded.diagonal.energies().reshape(2 ** (q - n), 2**n).min(axis=0)
    return state_bits(np.arange(2**n), n), least


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}-{case[2]}")
@pytest.mark.parametrize("halved", [False, True])
def test_every_minimum_is_an_optimum_and_feasible_points_keep_their_objective(case: tuple, halved: bool) -> None:
    encoding, seen = Slack(halved=halved), 0
    for seed in range(12):
        program = generated(*case, seed)
        if case[0] == "multiknapsack":
            program = small_weights(program)
        if encoding.encode(program).diagonal.num_qubits > MOST:
            continue
        seen += 1
        x, least = best_slack(program, encoding)
        value, feasible = program.evaluate(x), program.feasible(x)
        assert encoding.exact
        np.testing.assert_allclose(least[feasible], value[feasible], atol=1e-8)
        optimum = value[feasible].min()
        assert (least[~feasible] > optimum + 1e-9).all()
        encoded = encoding.encode(program)
        energies = encoded.diagonal.energies()
        minima = state_bits(np.flatnonzero(energies <= energies.min() + 1e-8), encoded.diagonal.num_qubits)
        decoded = encoded.decode(minima)
        assert program.feasible(decoded).all()
        np.testing.assert_allclose(program.evaluate(decoded), optimum, atol=1e-7)
    assert seen >= 6


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
@settings(max_examples=80, deadline=None)
def test_rows_of_all_kinds_are_penalized_exactly(seed: int, packing: bool, halved: bool) -> None:
    program = random_program(seed)
    encoding = Slack(packing=packing, halved=halved)
    if encoding.encode(program).diagonal.num_qubits > MOST:
        return
    x, least = best_slack(program, encoding)
    value, feasible = program.evaluate(x), program.feasible(x)
    np.testing.assert_allclose(least[feasible], value[feasible], atol=1e-8)
    assert (least[~feasible] > value[feasible].min() + 1e-9).all()


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_units_of_rows_and_of_the_objective_do_not_matter(seed: int) -> None:
    program, rng = random_program(seed), np.random.default_rng(seed)
    encoded = Slack().encode(program).diagonal
    factors, t = rng.uniform(0.1, 9.0, program.num_rows), float(rng.uniform(0.1, 9.0))
    scaled = replace(
        program, A=sparse.csr_matrix(sparse.diags(factors) @ program.A), lower=factors * program.lower,
        upper=factors * program.upper, shortfall=program.shortfall / factors, surplus=program.surplus / factors,
    )  # fmt: skip
    dearer = replace(
        program, c=t * program.c, Q=t * program.Q, offset=t * program.offset,
        shortfall=t * program.shortfall, surplus=t * program.surplus,
    )  # fmt: skip
    bits = rng.integers(2, size=(50, encoded.num_qubits))
    np.testing.assert_allclose(Slack().encode(scaled).diagonal.energy(bits), encoded.energy(bits), rtol=1e-7)
    if program.c.any() or program.Q.nnz:  # a constant has no unit
        np.testing.assert_allclose(
            Slack().encode(dearer).diagonal.energy(bits), t * encoded.energy(bits), rtol=1e-7
        )


def test_every_energy_is_that_of_the_formula() -> None:
    """3 x0 + 2 x1 + 4 x2 is 0 to 6 above 0, in bits of 1, 2, 3; the objective's range is 12, its least term 3."""
    program = knapsack([3.0, 4.0, 5.0], [3.0, 2.0, 4.0], 6.0)
    bits = state_bits(np.arange(2**6), 6)
    x, s = bits[:, :3].astype(float), bits[:, 3:] @ np.array([1.0, 2.0, 3.0])
    values, load = -(x @ [3.0, 4.0, 5.0]), x @ [3.0, 2.0, 4.0]
    expected = values + 15.0 * (load - s) ** 2
    np.testing.assert_allclose(Slack().encode(program).diagonal.energy(bits), expected, atol=1e-9)
    np.testing.assert_allclose(
        Slack(penalty=0.2).encode(program).diagonal.energies(), values + (expected - values) / 5, atol=1e-9
    )
    bits = bits[:32, :5]
    x, s = bits[:, :3].astype(float), bits[:, 3:] @ np.array([2.0, 3.0])
    room = x @ [3.0, 2.0, 4.0] - s
    expected = -(x @ [3.0, 4.0, 5.0]) + 15.0 * room * (room - 1.0) / 2.0
    np.testing.assert_allclose(Slack(halved=True).encode(program).diagonal.energy(bits), expected, atol=1e-9)


def knapsack(profits: list[float], weights: list[float], capacity: float) -> BinaryProgram:
    n = len(profits)
    return replace(
        random_program(0, n), c=-np.array(profits), Q=sparse.csr_matrix((n, n)), offset=0.0,
        A=sparse.csr_matrix(np.array([weights])), lower=np.array([-np.inf]), upper=np.array([capacity]),
        shortfall=np.array([np.inf]), surplus=np.array([np.inf]),
    )  # fmt: skip


def test_an_edge_costs_one_product_and_no_slack() -> None:
    program = knapsack([1.0, 1.0, 1.0], [1.0, 1.0, 0.0], 1.0)
    diagonal = Slack().encode(program).diagonal
    assert diagonal.num_qubits == 3
    bits = state_bits(np.arange(8), 3).astype(float)
    np.testing.assert_allclose(diagonal.energies(), -bits.sum(axis=1) + 4.0 * bits[:, 0] * bits[:, 1], atol=1e-12)
    assert Slack(packing=False).encode(program).diagonal.num_qubits == 4


@pytest.mark.parametrize(
    ("weights", "capacity", "slack"),
    [
        ([3.0, 5.0, 7.0], 7.0, 3),  # 0 to 7
        ([3.0, 5.0, 7.0], 8.0, 4),
        ([3.0, 5.0, 7.0], 15.0, 0),  # cannot be violated
        ([30.0, 50.0, 70.0], 79.0, 3),  # in tens
        ([0.3, 0.5, 0.7], 0.7, 3),  # in tenths
        ([-3.0, 5.0, 7.0], 1.0, 3),  # -3 to 1
        ([2.0, 2.0, 2.0], 3.0, 0),  # at most one
        ([1.0, 1.0, 1.0], 2.0, 2),
        ([0.0, 0.0, 0.0], 0.0, 0),
    ],
)
def test_slack_has_the_fewest_bits_that_reach_its_range(weights: list, capacity: float, slack: int) -> None:
    program = knapsack([1.0, 2.0, 3.0], weights, capacity)
    assert Slack().encode(program).diagonal.num_qubits == 3 + slack
    halved = Slack(halved=True).encode(program).diagonal.num_qubits
    assert halved == 3 + max(slack - 1, 0)


@given(st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_every_second_value_is_reached_by_a_bit_less(width: int) -> None:
    sums = {0}
    for weight in second_weights(width):
        sums |= {one + weight for one in sums}
    assert sums | {one + 1 for one in sums} == set(range(width + 1))
    assert len(second_weights(width)) == len(range_weights(width)) - 1


def test_what_it_cannot_encode_is_refused() -> None:
    numbers = np.random.default_rng(0).random(3).tolist()
    with pytest.raises(SolverError, match="row 0 is not in proportion to integers"):
        Slack().encode(knapsack([1.0, 1.0, 1.0], numbers, 0.8))
    with pytest.raises(SolverError, match="not in proportion"):
        Slack().encode(knapsack([1.0, 1.0, 1.0], [1.0, 2.0**25, 3.0], 7.0))
    with pytest.raises(SolverError, match="row 0 cannot hold"):
        Slack().encode(knapsack([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], -1.0))
    with pytest.raises(InputError, match="takes no multipliers"):
        Slack().encode(knapsack([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], 4.0), np.zeros(1))
    with pytest.raises(InputError, match=r"penalty is 0\.0"):
        Slack(penalty=0.0)
    assert not Slack(penalty=0.5).exact
