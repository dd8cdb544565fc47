from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram, binary_program, round_binary


def program(**changes: Any) -> MixedIntegerProgram:
    """max 3x + 2y + 1, x + y <= 4, 1 <= x - y, 0 <= x <= 3 integer, y >= 0."""
    parts: dict[str, Any] = {
        "sense": "maximize",
        "c": np.array([3.0, 2.0]),
        "A": sparse.csr_matrix([[1.0, 1.0], [1.0, -1.0]]),
        "row_lower": np.array([-np.inf, 1.0]),
        "row_upper": np.array([4.0, np.inf]),
        "lower": np.zeros(2),
        "upper": np.array([3.0, np.inf]),
        "integer": np.array([True, False]),
        "offset": 1.0,
    }
    return MixedIntegerProgram(**(parts | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"c": np.zeros(3)}, r"c has shape \(3,\): expected \(2,\), as A is 2 x 2"),
        ({"row_lower": np.zeros(1)}, "row_lower has shape"),
        ({"integer": np.zeros((2, 1), dtype=bool)}, "integer has shape"),
        ({"Q": sparse.csr_matrix((3, 3))}, r"Q has shape \(3, 3\)"),
        ({"c": np.array([np.nan, 0])}, "NaN or infinite"),
        ({"offset": np.inf}, "NaN or infinite"),
        ({"A": sparse.csr_matrix([[1, np.inf], [1, 1]])}, "NaN or infinite"),
        ({"Q": sparse.csr_matrix([[np.nan, 0], [0, 0]])}, "NaN or infinite"),
        ({"lower": np.array([4.0, 0.0])}, r"variable x\[0\] has bounds \[4, 3\]: the model is infeasible"),
        ({"upper": np.array([np.nan, 0.0])}, r"variable x\[0\] has bounds \[0, nan\]"),
        ({"row_upper": np.array([4.0, 0.0])}, r"row 1 has bounds \[1, 0\]"),
        ({"row_upper": np.array([4.0, 0.0]), "row_names": ("a", "b")}, "row b has bounds"),
        ({"lower": np.array([0.0, np.inf])}, r"variable x\[1\] has bounds \[inf, inf\]"),
        (
            {"row_lower": np.full(2, -np.inf), "row_upper": np.array([-np.inf, 0])},
            r"row 0 has bounds \[-inf, -inf\]",
        ),
    ],
)
def test_refusals(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        program(**changes)


def test_shape_and_names() -> None:
    made = program(variable_names=("x", "y"), row_names=("sum", "difference"))
    assert (made.num_variables, made.num_rows) == (2, 2)
    assert (made.variable_name(1), made.row_name(0)) == ("y", "sum")
    assert (program().variable_name(1), program().row_name(0)) == ("x[1]", "0")


def test_evaluate() -> None:
    assert program().evaluate(np.array([2.0, 1.0])) == 9.0
    quadratic = program(Q=sparse.csr_matrix([[1.0, 4.0], [0.0, 0.0]]))
    assert quadratic.evaluate(np.array([2.0, 1.0])) == 9.0 + 4.0 + 8.0


@pytest.mark.parametrize(
    ("x", "violations"),
    [
        ([2.0, 1.0], [0.0, 0.0]),
        ([3.0, 2.5], [1.5, 0.5]),
        ([3.0, 1.0 + 3.9e-6], [0.0, 0.0]),  # 1e-6 of the side 4
        ([3.0, 1.0 + 4.1e-6], [4.1e-6, 0.0]),
    ],
)
def test_row_violations(x: list[float], violations: list[float]) -> None:
    np.testing.assert_allclose(program().row_violations(np.array(x)), violations, atol=1e-12)
    assert program().is_feasible(np.array(x)) == (not any(violations))


@pytest.mark.parametrize("x", [[2.5, 0.0], [4.0, 0.0], [2.0, -1.0], [2.0], [np.nan, 0.0]])
def test_bounds_and_integrality_count(x: list[float]) -> None:
    assert not program().is_feasible(np.array(x))


def test_binary_program_repeats_scalar_sides() -> None:
    made = binary_program("minimize", np.ones(3), sparse.csr_matrix(np.eye(3)), -np.inf, 1.0, variable_names="abc")
    assert made.row_upper.tolist() == [1.0, 1.0, 1.0]
    assert np.isneginf(made.row_lower).all()
    assert made.integer.all()
    assert made.variable_names == ("a", "b", "c")
    assert made.is_feasible(np.array([1.0, 0.0, 1.0]))


def test_round_binary() -> None:
    found = round_binary(np.array([1e-7, 1 - 1e-7, 0.0, 1.0]))
    assert found.tolist() == [0, 1, 0, 1]
    assert found.dtype == np.int64
