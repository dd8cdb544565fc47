from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from co_gym import registry
from co_gym.errors import InputError, SolverError
from quantum.encodings.augmented import Augmented, Hinge
from quantum.encodings.base import Encoding
from quantum.encodings.lagrangian import Lagrangian
from quantum.encodings.unbalanced import Unbalanced
from quantum.hamiltonians import Ising, Quadratic, state_bits
from quantum.lagrangian import multiplier_box, relaxation
from quantum.programs import BinaryProgram, binary_program

ALL: list[Encoding] = [Lagrangian(), Augmented(), Hinge(), Unbalanced()]


def random_program(seed: int, n: int = 6) -> BinaryProgram:
    """One row of each kind: upper, lower, both sides, equality, and equality and upper side at a price."""
    rng = np.random.default_rng(seed)
    A = rng.uniform(-3.0, 5.0, size=(6, n))
    A[rng.random(A.shape) < 0.2] = 0.0
    activity = A @ rng.integers(2, size=n)
    lower = activity + np.array([-np.inf, -1.0, -0.7, 0.0, 0.0, -np.inf])
    upper = activity + np.array([1.0, np.inf, 0.8, 0.0, 0.0, 0.5])
    price = np.array([np.inf] * 4 + [0.8, np.inf])
    return BinaryProgram(
        c=rng.normal(size=n), A=sparse.csr_matrix(A), lower=lower, upper=upper,
        Q=sparse.csr_matrix(np.triu(rng.normal(size=(n, n)), 1)), offset=float(rng.normal()), sign=1.0,
        shortfall=price, surplus=np.where(np.arange(6) == 5, 1.3, price),
        expansion=sparse.identity(n, format="csr"), base=np.zeros(n),
        deviations=np.zeros((0, 3), dtype=np.int64), scales=np.zeros(0),
    )  # fmt: skip


def random_multipliers(program: BinaryProgram, rng: np.random.Generator) -> np.ndarray:
    low, high = (np.clip(side, -4.0, 4.0) for side in multiplier_box(program))
    return np.where(rng.random(program.num_rows) < 0.3, 0.0, rng.uniform(low, high))


def units(program: BinaryProgram, x: np.ndarray) -> tuple[float, np.ndarray]:
    """Units by definition: changes of the objective over all states and bits; of coefficients the mean square."""
    plain = np.einsum("bi,ij,bj->b", x, program.Q.toarray(), x) + x @ program.c
    squares = [np.mean((plain.reshape(-1, 2, 2**k)[:, 0] - plain.reshape(-1, 2, 2**k)[:, 1]) ** 2)
               for k in range(x.shape[1])]  # fmt: skip
    A = program.A.toarray()
    prices = np.array([0.0, 0.0, 0.0, 0.0, 0.8, 1.3])
    unit = np.sqrt(np.mean(np.array(squares) + ((prices[:, None] * A) ** 2).sum(axis=0)))
    return float(unit), np.array([np.sqrt(np.mean(row[row != 0] ** 2)) if row.any() else 1.0 for row in A])


def linear_term(a: np.ndarray, u: float, low: float, high: float) -> np.ndarray:
    return u * (a - high) if u > 0 else u * (a - low) if u < 0 else 0.0 * a


def hinge_term(a: np.ndarray, u: float, rho: float, low: float, high: float) -> np.ndarray:
    """The least of u (a - v) + rho/2 (a - v)^2 over v: at a side, or where the derivative is 0."""
    if np.isinf(low):
        return (np.maximum(u + rho * (a - high), 0.0) ** 2 - u**2) / (2 * rho)
    if np.isinf(high):
        return (np.maximum(-u + rho * (low - a), 0.0) ** 2 - u**2) / (2 * rho)
    free = np.where((low <= a + u / rho) & (a + u / rho <= high), a + u / rho, low)
    return np.min([u * (a - v) + rho / 2 * (a - v) ** 2 for v in (low, high, free)], axis=0)


def row_term(encoding: Encoding, a: np.ndarray, u: float, factor: float, sides: tuple, price: float) -> np.ndarray:
    low, high = sides
    if isinstance(encoding, Hinge):
        if np.isfinite(price):
            below = np.maximum(low - a, 0.0) if np.isfinite(low) else 0.0
            return price * (below + np.maximum(a - high, 0.0))
        return hinge_term(a, u, encoding.rho * factor, low, high)
    if isinstance(encoding, Lagrangian):
        square = encoding.equalities / 2 * (a - low) ** 2 if low == high and np.isinf(price) else 0.0
    elif isinstance(encoding, Augmented):
        rho = encoding.equalities if low == high else encoding.rho if u else 0.0
        square = rho / 2 * (a - (low if u < 0 or low == high else high)) ** 2 if rho else 0.0
    else:
        assert isinstance(encoding, Unbalanced)
        if low == high:
            square = encoding.equalities * (a - low) ** 2
        else:
            square = encoding.l2 * sum((a - side) ** 2 for side in sides if np.isfinite(side))
    return linear_term(a, u, low, high) + factor * square


def expected_energies(encoding: Encoding, program: BinaryProgram, u: np.ndarray, x: np.ndarray) -> np.ndarray:
    unit, rows = units(program, x)
    value = np.einsum("bi,ij,bj->b", x, program.Q.toarray(), x) + x @ program.c + program.offset
    for i, a in enumerate((x @ program.A.toarray().T).T):
        sides = (program.lower[i], program.upper[i])
        value += row_term(encoding, a, u[i], unit / rows[i] ** 2, sides, program.surplus[i])
    return value


def states(program: BinaryProgram) -> np.ndarray:
    return state_bits(np.arange(2**program.num_variables), program.num_variables).astype(float)


@pytest.mark.parametrize("encoding", ALL, ids=lambda one: one.name)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_every_energy_is_that_of_the_formula(encoding: Encoding, seed: int) -> None:
    program = random_program(seed)
    u, x = random_multipliers(program, np.random.default_rng(seed)), states(program)
    encoded = encoding.encode(program, u)
    np.testing.assert_allclose(encoded.diagonal.energies(), expected_energies(encoding, program, u, x), atol=1e-8)
    np.testing.assert_array_equal(encoded.decode(x), x)


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_without_multipliers_unbalanced_penalization_is_that_of_the_paper(seed: int) -> None:
    """-l1 h + l2 h^2 for one side, where l1 is no more than a price; for two sides l1 cancels out."""
    program, encoding = random_program(seed), Unbalanced(l1=0.7, l2=0.4, equalities=1.5)
    x = states(program)
    unit, rows = units(program, x)
    signs = np.array([1.0, -1.0, 0.0, 0.0, 0.0, 1.0])
    u = np.minimum(signs * 0.7 * unit / rows, [np.inf] * 5 + [1.3])
    expected = expected_energies(encoding, program, u, x)
    np.testing.assert_allclose(encoding.encode(program).diagonal.energies(), expected, atol=1e-8)


@pytest.mark.parametrize("encoding", ALL, ids=lambda one: one.name)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_units_of_rows_and_of_the_objective_do_not_matter(encoding: Encoding, seed: int) -> None:
    program, rng = random_program(seed), np.random.default_rng(seed)
    factors, t = rng.uniform(0.01, 90.0, program.num_rows), float(rng.uniform(0.01, 90.0))
    scaled = replace(
        program, A=sparse.csr_matrix(sparse.diags(factors) @ program.A), lower=factors * program.lower,
        upper=factors * program.upper, shortfall=program.shortfall / factors, surplus=program.surplus / factors,
    )  # fmt: skip
    dearer = replace(
        program, c=t * program.c, Q=t * program.Q, offset=t * program.offset,
        shortfall=t * program.shortfall, surplus=t * program.surplus,
    )  # fmt: skip
    u = random_multipliers(program, rng)
    cases: list[tuple] = [(u, u / factors, t * u)]
    if isinstance(encoding, Unbalanced):
        cases.append((None, None, None))
    for plain, by_rows, by_objective in cases:
        energies = encoding.encode(program, plain).diagonal.energies()
        size = np.abs(energies).max()
        same, more = encoding.encode(scaled, by_rows), encoding.encode(dearer, by_objective)
        np.testing.assert_allclose(same.diagonal.energies(), energies, atol=1e-9 * size)
        np.testing.assert_allclose(more.diagonal.energies(), t * energies, atol=1e-9 * t * size)


@pytest.mark.parametrize("encoding", [Lagrangian(), Hinge(), Hinge(rho=0.2)], ids=lambda one: one.name)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_relaxations_are_no_more_than_the_objective_at_feasible_points(encoding: Encoding, seed: int) -> None:
    program = random_program(seed)
    x = states(program)
    feasible = program.feasible(x)
    energies = encoding.encode(
        program, random_multipliers(program, np.random.default_rng(seed))
    ).diagonal.energies()
    assert feasible.any()
    assert (energies[feasible] <= program.evaluate(x)[feasible] + 1e-6 * np.abs(energies).max()).all()


def generated(problem: str, size: int, form: str | None, seed: int) -> BinaryProgram:
    instance = registry.problem(problem).generate(size, seed=seed)[0]
    return binary_program(registry.problem(problem).formulate(instance, form).program)


@pytest.mark.parametrize("case", [("tsp", 4, "position"), ("qap", 3, "quadratic")])
def test_squares_of_equalities_make_minima_optimal(case: tuple) -> None:
    """With default constants, on instances of these sizes; exact only `slack` is for sure."""
    for seed in range(10):
        program = generated(*case, seed)
        x = states(program)
        optimum = program.evaluate(x)[program.feasible(x)].min()
        for encoding in ALL:
            best = x[encoding.encode(program).diagonal.energies().argmin()]
            assert program.feasible(best)
            assert program.evaluate(best) == pytest.approx(optimum)


def test_few_states_are_below_the_optimum_of_a_knapsack() -> None:
    """Of 1,024: what makes sampling low energies worth while."""
    for encoding, most in ((Lagrangian(), 150), (Augmented(), 100), (Hinge(), 40), (Unbalanced(), 40)):
        below = []
        for seed in range(10):
            program = generated("multiknapsack", 10, None, seed)
            x = states(program)
            value, feasible = program.evaluate(x), program.feasible(x)
            energies = encoding.encode(program).diagonal.energies()
            best = energies[feasible & (value <= value[feasible].min() + 1e-9)].min()
            below.append(int((energies < best - 1e-9).sum()))
        assert np.mean(below) < most, encoding.name


def test_multipliers_are_dual_values_unless_they_are_given() -> None:
    program = generated("multiknapsack", 8, None, 0)
    duals = relaxation(program).duals
    for encoding in (Lagrangian(), Augmented(), Hinge()):
        at_duals = encoding.encode(program, duals).diagonal.energies()
        np.testing.assert_array_equal(encoding.encode(program).diagonal.energies(), at_duals)


def test_only_squares_couple_bits_of_a_linear_program() -> None:
    program = generated("multiknapsack", 8, None, 0)
    couplings = {}
    for encoding in (Lagrangian(), Augmented(), Unbalanced()):
        diagonal = encoding.encode(program).diagonal
        assert isinstance(diagonal, Ising)
        assert diagonal.num_qubits == program.num_variables
        couplings[encoding.name] = diagonal.couplings.size
    assert couplings == {"lagrangian": 0, "augmented": 28, "unbalanced": 28}


def test_a_table_of_many_qubits_is_that_of_few() -> None:
    """Energies are computed in blocks; here there are eight."""
    n, rng = 19, np.random.default_rng(0)
    wide = random_program(1, n)
    u = random_multipliers(wide, rng)
    energies = Hinge().encode(wide, u).diagonal.energies()
    x = state_bits(rng.integers(2**n, size=200), n).astype(float)
    objective = Quadratic.of(0.0, wide.c, wide.Q).ising()
    squares = 4 * (np.sum(objective.fields**2) + 2 * np.sum(objective.couplings**2))
    prices = np.array([0.0, 0.0, 0.0, 0.0, 0.8, 1.3])
    A = wide.A.toarray()
    unit = np.sqrt((squares + np.sum((prices[:, None] * A) ** 2)) / n)
    value = np.einsum("bi,ij,bj->b", x, wide.Q.toarray(), x) + x @ wide.c + wide.offset
    for i, a in enumerate((x @ A.T).T):
        factor = unit / np.mean(A[i][A[i] != 0] ** 2)
        value += row_term(Hinge(), a, u[i], factor, (wide.lower[i], wide.upper[i]), wide.surplus[i])
    np.testing.assert_allclose(energies[(x @ 2 ** np.arange(n)).astype(int)], value, atol=1e-7)


def test_bad_multipliers_constants_and_sizes_are_refused() -> None:
    program = generated("multiknapsack", 6, None, 0)
    for encoding in ALL:
        with pytest.raises(InputError, match=r"expected \(5,\)"):
            encoding.encode(program, np.zeros(4))
        with pytest.raises(InputError, match=r"multiplier of row 1 is -1: expected one in \[0, inf\]"):
            encoding.encode(program, np.array([0.0, -1.0, 0.0, 0.0, 0.0]))
        with pytest.raises(InputError, match="multiplier of row 0 is nan"):
            encoding.encode(program, np.full(5, np.nan))
    with pytest.raises(InputError, match="rho is -1"):
        Augmented(rho=-1.0)
    with pytest.raises(InputError, match="rho is 0"):
        Hinge(rho=0.0)
    with pytest.raises(InputError, match="l2 is nan"):
        Unbalanced(l2=float("nan"))
    with pytest.raises(InputError, match="equalities is inf"):
        Lagrangian(equalities=float("inf"))
    with pytest.raises(SolverError, match="31 variables"):
        Hinge().encode(generated("multiknapsack", 31, None, 0))
    impossible = replace(program, lower=np.full(5, 1e9), upper=np.full(5, np.inf))
    with pytest.raises(SolverError, match="relaxation is infeasible"):
        Lagrangian().encode(impossible)
