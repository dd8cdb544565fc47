from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram
from policies.prediction.features import ROW_FEATURES, VARIABLE_FEATURES, graph_of

INF = np.inf


def random_program(seed: int, n: int = 9, m: int = 7) -> MixedIntegerProgram:
    """Rows of all kinds, general integers among the variables."""
    rng = np.random.default_rng(seed)
    lower, upper = rng.integers(-5, 0, size=m).astype(float), rng.integers(1, 5, size=m).astype(float)
    kind = rng.integers(5, size=m)
    lower[(kind == 0) | (kind == 4)], upper[(kind == 1) | (kind == 4)] = -INF, INF
    upper[kind == 2] = lower[kind == 2]
    return MixedIntegerProgram(
        sense="maximize" if seed % 2 else "minimize",
        c=rng.integers(-9, 10, size=n).astype(float),
        A=sparse.random(m, n, 0.4, format="csr", random_state=rng, data_rvs=lambda k: rng.normal(size=k)),
        row_lower=lower,
        row_upper=upper,
        lower=np.zeros(n),
        upper=np.where(rng.random(n) < 0.5, 1.0, 3.0),
        integer=rng.random(n) < 0.8,
    )


def test_a_small_program() -> None:
    program = MixedIntegerProgram(
        sense="maximize",
        c=np.array([2.0, -4.0, 0.0]),
        A=sparse.csr_matrix(
            [[2.0, 4.0, 0.0], [0.0, -1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [3.0, 0.0, 0.0]]
        ),
        row_lower=np.array([-4.0, 3.0, -INF, -INF, -INF]),
        row_upper=np.array([8.0, 3.0, 2.0, 1.0, INF]),
        lower=np.zeros(3),
        upper=np.array([1.0, 1.0, 5.0]),
        integer=np.array([True, False, True]),
    )
    graph = graph_of(program)
    assert graph.variables.shape == (3, len(VARIABLE_FEATURES))
    np.testing.assert_allclose(
        graph.variables,
        [[-0.5, 2 / 3, 3, 1, 0.5, 1], [1, 0.5, 4, 1, -1, 0], [0, 0, 0, 0, 0, 0]],
        rtol=1e-6,
    )
    assert graph.rows.shape == (4, len(ROW_FEATURES))
    np.testing.assert_allclose(graph.rows, [[0.75, 2, -1, 1], [0.75, 2, 2, -1], [-1, 1, 3, 0], [1, 2, 2, -1]])
    assert graph.indptr.tolist() == [0, 2, 4, 5, 7]
    assert graph.indices.tolist() == [0, 1, 0, 1, 1, 0, 1]
    np.testing.assert_allclose(graph.values, [0.5, 1, 0.5, 1, -1, 1, 1])
    dtypes = [getattr(graph, name).dtype for name in ("variables", "rows", "indptr", "indices", "values")]
    assert dtypes == [np.float32, np.float32, np.int32, np.int32, np.float32]


@pytest.mark.parametrize("seed", range(20))
def test_rows_and_objective_may_be_scaled(seed: int) -> None:
    program = random_program(seed)
    factor = np.exp2(np.random.default_rng(seed).integers(-9, 10, size=program.num_rows))  # powers of 2: exact
    with np.errstate(invalid="ignore"):
        scaled = MixedIntegerProgram(
            program.sense, 8 * program.c, sparse.csr_matrix(sparse.diags(factor) @ program.A),
            factor * program.row_lower, factor * program.row_upper, program.lower, program.upper, program.integer,
        )  # fmt: skip
    one, other = graph_of(program), graph_of(scaled)
    for name in ("variables", "rows", "indptr", "indices", "values"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("seed", range(20))
def test_order_does_not_matter(seed: int) -> None:
    program, rng = random_program(seed), np.random.default_rng(seed)
    columns, rows = rng.permutation(program.num_variables), rng.permutation(program.num_rows)
    moved = MixedIntegerProgram(
        program.sense, program.c[columns], sparse.csr_matrix(program.A[rows][:, columns]), program.row_lower[rows],
        program.row_upper[rows], program.lower[columns], program.upper[columns], program.integer[columns],
    )  # fmt: skip
    one, other = graph_of(program), graph_of(moved)
    np.testing.assert_allclose(one.variables[columns], other.variables, rtol=1e-5, atol=1e-7)
    assert sorted(map(tuple, one.rows.round(4).tolist())) == sorted(map(tuple, other.rows.round(4).tolist()))


def test_the_other_sense_negates_the_objective() -> None:
    program = random_program(0)
    mirrored = MixedIntegerProgram(
        "maximize", -program.c, program.A, program.row_lower, program.row_upper, program.lower, program.upper,
        program.integer,
    )  # fmt: skip
    np.testing.assert_array_equal(graph_of(program).variables, graph_of(mirrored).variables)


def test_a_program_without_rows_and_objective() -> None:
    n = 3
    program = MixedIntegerProgram(
        "minimize", np.zeros(n), sparse.csr_matrix((0, n)), np.zeros(0), np.zeros(0), np.zeros(n), np.ones(n),
        np.ones(n, dtype=bool),
    )  # fmt: skip
    graph = graph_of(program)
    assert graph.rows.shape == (0, 4)
    assert graph.indptr.tolist() == [0]
    np.testing.assert_array_equal(graph.variables, np.eye(6, dtype=np.float32)[[5] * n])
