from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from co_gym.formulation import MixedIntegerProgram
from co_gym.relaxation import solve_relaxation
from milp.annealing import Annealing
from milp.dependents import Choices, choices
from milp.distributions import distribution
from milp.kernels.annealing import BROKEN, OBJECTIVE, probe

SOFT = ["item-placement-tiny", "generalized-independent-set-tiny"]


def evaluated(found: Choices, binary: NDArray) -> tuple[float, bool, NDArray]:
    """Objective, whether all rows hold, and the point of the program, for values of the binary variables."""
    state = Annealing(found).state
    state.values[: found.num_binary] = binary
    probe(found.layout, state, np.empty(0), np.empty(0))
    return float(state.totals[OBJECTIVE]), state.totals[BROKEN] == 0, found.expand(state.values)


def best_with(program: MixedIntegerProgram, found: Choices, binary: NDArray) -> float | None:
    """Optimum of the linear program that is left, by HiGHS; None if there is none."""
    columns = found.columns[: found.num_binary]
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[columns] = upper[columns] = binary
    relaxed = solve_relaxation(replace(program, lower=lower, upper=upper))
    return relaxed.bound if relaxed.status == "optimal" else None


def mirrored(program: MixedIntegerProgram, seed: int) -> MixedIntegerProgram:
    """The same with its sense turned, and some variables that are not binary replaced by their negatives."""
    side = np.where(np.random.default_rng(seed).random(program.num_variables) < 0.5, -1.0, 1.0)
    side[program.binary] = 1.0
    return replace(
        program,
        sense="maximize" if program.sense == "minimize" else "minimize",
        c=-program.c * side,
        A=sparse.csr_matrix(program.A @ sparse.diags(side)),
        lower=np.where(side > 0, program.lower, -program.upper),
        upper=np.where(side > 0, program.upper, -program.lower),
        offset=-program.offset,
    )


@pytest.mark.parametrize("name", SOFT)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_dependents_take_the_values_of_the_linear_program(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = distribution(name).program("test", seed % 20)
    found = choices(program)
    assert found is not None
    sign = 1.0 if program.sense == "minimize" else -1.0
    turned = mirrored(program, seed)
    other = choices(turned)
    assert other is not None
    np.testing.assert_array_equal(found.columns, other.columns)
    state = Annealing(found, seed).state  # of each group as many are 1 as must be
    binary = state.values[: found.num_binary].copy()
    loose = found.layout.loose
    binary[loose] = rng.random(loose.size) < 0.3
    objective, feasible, point = evaluated(found, binary)
    best = best_with(program, found, binary)
    assert feasible == (best is not None)
    if best is not None:
        assert sign * objective + program.offset == pytest.approx(best, abs=1e-7)
        assert program.evaluate(point) == pytest.approx(best, abs=1e-7)
        assert program.is_feasible(point)
    again = evaluated(other, binary)
    assert again[:2] == (pytest.approx(objective), feasible)
    assert turned.evaluate(again[2]) == pytest.approx(-program.evaluate(point))


def small(**changes: object) -> MixedIntegerProgram:
    """Three jobs on two machines: x[job, machine], then the makespan, which is an integer."""
    jobs = np.array([2.0, 3.0, 4.5])
    A = np.zeros((5, 7))
    for job in range(3):
        A[job, 2 * job : 2 * job + 2] = 1.0
        A[[3, 4], [2 * job, 2 * job + 1]] = jobs[job]
    A[3:, 6] = -1.0
    given = {
        "sense": "minimize",
        "c": np.array([0.0] * 6 + [1.0]),
        "A": sparse.csr_matrix(A),
        "row_lower": np.array([1.0, 1.0, 1.0, -np.inf, -np.inf]),
        "row_upper": np.array([1.0, 1.0, 1.0, 0.0, 0.0]),
        "lower": np.zeros(7),
        "upper": np.array([1.0] * 6 + [np.inf]),
        "integer": np.ones(7, dtype=bool),
    }
    return MixedIntegerProgram(**{**given, **changes})  # type: ignore[arg-type]


def test_an_integer_makespan_is_rounded_up() -> None:
    program = small()
    found = choices(program)
    assert found is not None
    assert found.num_binary == 6
    np.testing.assert_array_equal(found.layout.ones, [1, 1, 1])
    objective, feasible, point = evaluated(found, np.array([1.0, 0, 1, 0, 0, 1]))
    assert (objective, feasible, point[6]) == (5.0, True, 5.0)
    assert evaluated(found, np.array([1.0, 0, 0, 1, 0, 1]))[0] == 8.0


def test_an_upper_bound_of_a_dependent_is_a_row_where_it_may_be_passed() -> None:
    for bound, rows in ((7.0, 3), (9.0, 3), (10.0, 2)):
        found = choices(small(upper=np.array([1.0] * 6 + [bound])))
        assert found is not None
        assert found.layout.owner.size == rows, bound
        assert evaluated(found, np.array([1.0, 0, 0, 1, 0, 1]))[1] == (bound >= 8)


def test_fixed_variables_are_part_of_the_constants() -> None:
    lower = np.zeros(7)
    lower[1] = 1.0
    upper = np.array([0.0, 1, 1, 1, 1, 1, np.inf])
    found = choices(small(lower=lower, upper=upper))
    assert found is not None
    assert found.num_binary == 4
    objective, feasible, point = evaluated(found, np.array([1.0, 0, 0, 1]))
    assert (objective, feasible) == (7.0, True)
    np.testing.assert_array_equal(point, [0, 1, 1, 0, 0, 1, 7])


def test_other_programs_are_refused() -> None:
    for name in ("set-cover-tiny", "auction-tiny"):
        assert choices(distribution(name).program("test", 0)) is None, name
    equation = small(row_lower=np.array([1.0, 1.0, 1.0, 0.0, -np.inf]))
    two_sided = small(row_lower=np.array([1.0, 1.0, 1.0, -5.0, -np.inf]))
    bottomless = small(lower=np.array([0.0] * 6 + [-np.inf]))
    general = small(integer=np.ones(7, dtype=bool), upper=np.array([3.0] + [1.0] * 5 + [np.inf]))
    unchosen = small(lower=np.array([1.0, 0, 1, 0, 1, 0, 0]), upper=np.array([1.0, 0, 1, 0, 1, 0, np.inf]))
    for program in (equation, two_sided, bottomless, general, unchosen):
        assert choices(program) is None


@pytest.mark.parametrize("circle", [True, False])
def test_dependents_that_wait_for_each_other_are_refused(circle: bool) -> None:
    """u >= x + v / 2, and v >= u / 2 (or v >= x)."""
    A = sparse.csr_matrix([[-1.0, 1.0, -0.5], [0.0, -0.5, 1.0] if circle else [-1.0, 0.0, 1.0]])
    program = MixedIntegerProgram(
        sense="minimize",
        c=np.ones(3),
        A=A,
        row_lower=np.zeros(2),
        row_upper=np.full(2, np.inf),
        lower=np.zeros(3),
        upper=np.array([1.0, np.inf, np.inf]),
        integer=np.array([True, False, False]),
    )
    found = choices(program)
    assert (found is None) == circle
    if found is not None:
        assert evaluated(found, np.ones(1))[0] == 1.0 + 1.5 + 1.0
        np.testing.assert_array_equal(found.layout.level, [0, 1, 0])


def test_of_two_that_may_hold_a_row_neither_is_taken() -> None:
    """Vertex cover: in `x1 + x2 >= 1` both help."""
    program = MixedIntegerProgram(
        sense="minimize",
        c=np.ones(2),
        A=sparse.csr_matrix([[1.0, 1.0]]),
        row_lower=np.ones(1),
        row_upper=np.full(1, np.inf),
        lower=np.zeros(2),
        upper=np.ones(2),
        integer=np.ones(2, dtype=bool),
    )
    assert choices(program) is None
