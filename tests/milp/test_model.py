from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from co_gym.errors import SolverError
from co_gym.formulation import MixedIntegerProgram
from milp.distributions import distribution
from milp.distributions.catalogue import FAMILIES
from milp.model import build_model, read_model

PROGRAM = MixedIntegerProgram(
    sense="maximize",
    c=np.array([3.0, 0.0, -1.0]),
    A=sparse.csr_matrix([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]]),
    row_lower=np.array([-np.inf, 1.0, -np.inf, 2.0]),
    row_upper=np.array([4.0, 3.0, np.inf, 2.0]),
    lower=np.array([0.0, -np.inf, -2.0]),
    upper=np.array([1.0, np.inf, 5.5]),
    integer=np.array([True, False, True]),
    offset=7.0,
    variable_names=("a", "b", "c"),
    row_names=("first", "second", "free", "fourth"),
)


def test_variables() -> None:
    model, variables = build_model(PROGRAM)
    assert [v.name for v in variables] == ["a", "b", "c"]
    assert [v.vtype() for v in variables] == ["BINARY", "CONTINUOUS", "INTEGER"]
    infinity = model.infinity()
    assert [v.getLbOriginal() for v in variables] == [0.0, -infinity, -2.0]
    assert [v.getUbOriginal() for v in variables] == [1.0, infinity, 5.5]
    assert [v.getObj() for v in variables] == [3.0, 0.0, -1.0]


def test_rows_and_objective() -> None:
    model, _ = build_model(PROGRAM)
    found = {c.name: (model.getLhs(c), model.getRhs(c), model.getValsLinear(c)) for c in model.getConss()}
    infinity = model.infinity()
    assert found == {
        "first": (-infinity, 4.0, {"a": 1.0, "b": 2.0}),
        "second": (1.0, 3.0, {"b": 1.0, "c": 1.0}),
        "fourth": (2.0, 2.0, {"a": 1.0, "c": 1.0}),
    }
    assert model.getObjectiveSense() == "maximize"
    assert model.getObjoffset() == 7.0


def test_optimum_includes_the_offset() -> None:
    model, variables = build_model(PROGRAM)
    model.optimize()
    assert model.getStatus() == "optimal"
    assert model.getObjVal() == pytest.approx(9.0)
    assert [model.getVal(v) for v in (variables[0], variables[2])] == pytest.approx([1.0, 1.0])


def test_quadratic_objectives_are_refused() -> None:
    with pytest.raises(SolverError, match="quadratic"):
        build_model(replace(PROGRAM, Q=sparse.csr_matrix(np.eye(3))))


@pytest.mark.parametrize("family", FAMILIES)
def test_read_back(family: str) -> None:
    """A model's program is the one that it was built from, but that SCIP has its own order of the variables."""
    program = distribution(f"{family}-tiny").program("test", 0)
    model, built = build_model(program)
    check_equal(program, *read_model(model), [variable.name for variable in built])


def test_read_back_what_has_no_bounds_and_a_constant() -> None:
    model, built = build_model(PROGRAM)
    kept = np.array([0, 1, 3])  # a row without sides is none
    expected = replace(
        PROGRAM, A=PROGRAM.A[kept], row_lower=PROGRAM.row_lower[kept], row_upper=PROGRAM.row_upper[kept]
    )
    found, variables = read_model(model)
    check_equal(expected, found, variables, [variable.name for variable in built])
    assert (found.sense, found.offset) == ("maximize", 7.0)


def check_equal(
    program: MixedIntegerProgram, found: MixedIntegerProgram, variables: list, names: list[str]
) -> None:
    order = [names.index(variable.name) for variable in variables]
    assert found.variable_names == tuple(names[j] for j in order)
    assert found.sense == program.sense
    assert found.offset == program.offset
    for name in ("c", "lower", "upper", "integer"):
        np.testing.assert_array_equal(getattr(found, name), getattr(program, name)[order], err_msg=name)
    for name in ("row_lower", "row_upper"):
        np.testing.assert_array_equal(getattr(found, name), getattr(program, name), err_msg=name)
    np.testing.assert_array_equal(found.A.toarray(), program.A[:, order].toarray())
