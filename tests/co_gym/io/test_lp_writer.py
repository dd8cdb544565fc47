from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.io import read, write
from co_gym.io.lp_writer import format_lp
from co_gym.io.scip_reader import read_with_scip
from co_gym.problems.mip import MIP
from co_gym.relaxation import solve_relaxation

HERE = Path("x.lp")
SIDES = [(-np.inf, 4.0), (1 / 3, np.inf), (2.0, 2.0), (-np.inf, np.inf), (-3.5, 1e9), (0.0, 0.1)]
BOXES = [(0.0, 1.0), (0.0, np.inf), (-np.inf, np.inf), (-np.inf, -2.0), (-1.5, 7.0), (3.0, 3.0), (2.0, np.inf)]
NAMES = ["x[0]", "free", "e12", "3x", "a b", "a_b", "é", "end", "", "x", "inf", "s.t.", "nan", "Ee", "-1", "."]


def reread(program: MixedIntegerProgram) -> MixedIntegerProgram:
    return read_with_scip(format_lp(program), HERE, ".lp")


@st.composite
def programs(draw: Any) -> MixedIntegerProgram:
    m, n = draw(st.integers(0, 4)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    row_lower, row_upper = np.array([draw(st.sampled_from(SIDES)) for _ in range(m)]).reshape(-1, 2).T
    lower, upper = np.array([draw(st.sampled_from(BOXES)) for _ in range(n)]).T
    return MixedIntegerProgram(
        draw(st.sampled_from(["minimize", "maximize"])),
        rng.uniform(-2, -1, size=n) * draw(st.sampled_from([0.0, 1.0, -1e-6, 1e12])),
        sparse.random(m, n, 0.6, "csr", random_state=rng),
        row_lower,
        row_upper,
        lower,
        upper,
        rng.random(n) < 0.5,
        offset=draw(st.sampled_from([0.0, 2.5, -1 / 3])),
        variable_names=draw(st.none() | st.permutations(NAMES).map(lambda names: tuple(names[:n]))),
        row_names=draw(st.none() | st.just(("obj",) * m)),
    )


@settings(max_examples=80)
@given(programs())
def test_scip_reads_what_is_written(program: MixedIntegerProgram) -> None:
    found = reread(program)
    for key in ("sense", "offset", "num_variables"):
        assert getattr(found, key) == getattr(program, key), key
    for key in ("c", "lower", "upper", "integer"):
        assert np.array_equal(getattr(found, key), getattr(program, key)), key
    assert found.variable_names is not None
    assert len(set(found.variable_names)) == program.num_variables
    assert found.row_names is None or len(set(found.row_names)) == found.num_rows
    two_sided = np.isfinite(program.row_lower) & np.isfinite(program.row_upper)
    copies = np.where(two_sided & (program.row_lower < program.row_upper), 2, 1)
    origin = np.repeat(np.arange(program.num_rows), copies)
    assert np.array_equal(found.A.toarray(), program.A.toarray()[origin])
    for row in range(program.num_rows):
        assert found.row_lower[origin == row].max() == program.row_lower[row]
        assert found.row_upper[origin == row].min() == program.row_upper[row]


def test_plain_names_stay(data: Path, tmp_path: Path) -> None:
    (instance,) = read(data / "flugpl.mps")
    write(tmp_path / "flugpl.lp", instance)
    (again,) = read(tmp_path / "flugpl.lp")
    for key in ("objective", "values", "lower", "upper", "integer", "variable_names"):
        assert np.array_equal(again[key], instance[key]), key
    bounds = [solve_relaxation(MIP().program(i)).bound for i in (instance, again)]
    assert bounds[0] == pytest.approx(bounds[1], abs=1e-9)


def test_lines_stay_short() -> None:
    n = 1000
    A = sparse.csr_matrix(np.full((2, n), 1 / 3))
    program = MixedIntegerProgram(
        "minimize", np.full(n, 1 / 3), A, np.zeros(2), np.ones(2), np.zeros(n), np.ones(n), np.ones(n, dtype=bool)
    )
    assert max(map(len, format_lp(program).splitlines())) < 255  # CPLEX's limit is 560
    assert np.array_equal(reread(program).c, program.c)


def test_refuses_what_lp_cannot_hold() -> None:
    one = sparse.csr_matrix(np.ones((1, 1)))
    sides = (np.zeros(1), np.ones(1), np.zeros(1), np.ones(1), np.ones(1, dtype=bool))
    with pytest.raises(InputError, match="quadratic"):
        format_lp(MixedIntegerProgram("minimize", np.ones(1), one, *sides, Q=one))
    with pytest.raises(InputError, match="at least 1e"):
        format_lp(MixedIntegerProgram("minimize", np.full(1, 1e21), one, *sides))
    empty = (sparse.csr_matrix((0, 0)), *[np.zeros(0)] * 4, np.zeros(0, dtype=bool))
    with pytest.raises(InputError, match="no variable"):
        format_lp(MixedIntegerProgram("minimize", np.zeros(0), *empty))


def test_names_are_legal() -> None:
    n = len(NAMES)
    A = sparse.csr_matrix(np.ones((1, n)))
    sides = (np.zeros(1), np.full(1, np.inf), np.zeros(n), np.ones(n), np.zeros(n, dtype=bool))
    program = MixedIntegerProgram("minimize", np.ones(n), A, *sides, variable_names=tuple(NAMES))
    names = reread(program).variable_names
    assert names is not None
    assert all(re.fullmatch(r"[A-Za-z][\w.#$&!@~]*", name, re.ASCII) for name in names)
    assert names[5] == "a_b_2"
    assert names[9] == "x"
