from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from scipy import sparse

from co_gym.cli import main
from co_gym.formulation import MixedIntegerProgram, binary_program
from co_gym.io import write
from co_gym.problems.mip import MIP
from milp.distributions import distribution
from milp.distributions.catalogue import FAMILIES
from milp.distributions.folder import program_files, read_program
from milp.equivalence import equivalence, fingerprint, groups


def permuted(program: MixedIntegerProgram, rng: np.random.Generator) -> MixedIntegerProgram:
    """The program with variables and rows in another order and without names."""
    v, r = rng.permutation(program.num_variables), rng.permutation(program.num_rows)
    return replace(
        program,
        c=program.c[v],
        A=program.A[r][:, v],
        row_lower=program.row_lower[r],
        row_upper=program.row_upper[r],
        lower=program.lower[v],
        upper=program.upper[v],
        integer=program.integer[v],
        Q=None if program.Q is None else program.Q[v][:, v],
        variable_names=None,
        row_names=None,
    )


def perturbed(program: MixedIntegerProgram, rng: np.random.Generator) -> MixedIntegerProgram:
    """The program with one number changed, or with one coefficient moved to another column of its row."""
    place = ("c", "A", "row_upper", "upper", "integer", "moved")[rng.integers(6)]
    if place == "integer":
        integer = program.integer.copy()
        integer[rng.integers(integer.size)] ^= True
        return replace(program, integer=integer)
    if place in ("A", "moved"):
        A = program.A.copy()
        entry = rng.integers(A.nnz)
        if place == "A":
            A.data[entry] += 0.5
            return replace(program, A=A)
        row = int(np.searchsorted(A.indptr, entry, "right")) - 1
        empty = np.setdiff1d(np.arange(A.shape[1]), A.indices[A.indptr[row] : A.indptr[row + 1]])
        if empty.size == 0:
            A.data[entry] += 0.5
            return replace(program, A=A)
        dense = A.toarray()
        dense[row, rng.choice(empty)], dense[row, A.indices[entry]] = A.data[entry], 0.0
        return replace(program, A=sparse.csr_matrix(dense))
    values = getattr(program, place).copy()
    finite = np.flatnonzero(np.isfinite(values))
    if finite.size == 0:
        return replace(program, c=program.c + (np.arange(program.c.size) == 0))
    values[rng.choice(finite)] += 1
    return replace(program, **{place: values})


def graph_program(edges: list[tuple[int, int]]) -> MixedIntegerProgram:
    """The largest independent set of a graph."""
    rows = np.repeat(np.arange(len(edges)), 2)
    n = max(map(max, edges)) + 1
    A = sparse.csr_matrix((np.ones(rows.size), (rows, np.ravel(edges))), shape=(len(edges), n))
    return binary_program("maximize", np.ones(n), A, -np.inf, 1.0)


def ring(nodes: list[int]) -> list[tuple[int, int]]:
    return list(zip(nodes, nodes[1:] + nodes[:1], strict=True))


HEXAGON, TRIANGLES = ring([*range(6)]), ring([0, 1, 2]) + ring([3, 4, 5])


@pytest.mark.parametrize("family", FAMILIES)
def test_families(family: str) -> None:
    """20 pairs of each of the ten families are recognised, 20 changed ones are told apart."""
    rng = np.random.default_rng(0)
    for index in range(20):
        program = distribution(f"{family}-tiny").program("train", index)
        other = permuted(program, rng)
        found = equivalence(program, other)
        assert found.verdict == "equivalent"
        assert found.variables is not None
        assert found.rows is not None
        np.testing.assert_array_equal(program.A.toarray(), other.A[found.rows][:, found.variables].toarray())
        np.testing.assert_array_equal(program.c, other.c[found.variables])
        changed = equivalence(program, perturbed(other, rng))
        assert changed.verdict == "different"
        assert changed.variables is None


def test_real_files(shared_data: Path) -> None:
    rng = np.random.default_rng(1)
    files = program_files([shared_data / "miplib"])
    assert len(files) == 8
    for file in files:
        program = read_program(file)
        other = permuted(program, rng)
        assert equivalence(program, other).verdict == "equivalent", file
        assert equivalence(program, perturbed(other, rng)).verdict == "different", file


@st.composite
def programs(draw: st.DrawFn) -> MixedIntegerProgram:
    """Three variables, two or three rows, few values: many pairs look alike."""
    m = draw(st.integers(2, 3))
    bits = st.integers(0, 1)
    A = np.array(draw(st.lists(bits, min_size=3 * m, max_size=3 * m)), dtype=float).reshape(m, 3)
    c = np.array(draw(st.lists(bits, min_size=3, max_size=3)), dtype=float)
    Q = np.array(draw(st.lists(bits, min_size=9, max_size=9)), dtype=float).reshape(3, 3)
    quadratic = draw(st.booleans())
    return binary_program("minimize", c, A, -np.inf, 1.0, Q=sparse.csr_matrix(Q) if quadratic else None)


@given(programs(), programs())
def test_brute_force(first: MixedIntegerProgram, second: MixedIntegerProgram) -> None:
    expected = first.A.shape == second.A.shape and any(
        _same(first, second, list(v), list(r))
        for v in itertools.permutations(range(3))
        for r in itertools.permutations(range(first.num_rows))
    )
    found = equivalence(first, second)
    assert found.verdict == ("equivalent" if expected else "different"), found.reason
    if expected:
        assert fingerprint(first) == fingerprint(second)


@given(programs(), st.integers(0, 99))
def test_permutations_of_look_alikes(program: MixedIntegerProgram, seed: int) -> None:
    other = permuted(program, np.random.default_rng(seed))
    found = equivalence(program, other)
    assert found.verdict == "equivalent"
    assert found.variables is not None
    assert found.rows is not None
    assert _same(program, other, list(found.variables), list(found.rows))
    assert fingerprint(program) == fingerprint(other)


def _same(first: MixedIntegerProgram, second: MixedIntegerProgram, v: list[int], r: list[int]) -> bool:
    if (first.Q is None) != (second.Q is None):
        return False
    same = np.array_equal(first.c, second.c[v]) and np.array_equal(first.A.toarray(), second.A[r][:, v].toarray())
    if first.Q is not None and second.Q is not None:
        mine, theirs = first.Q.toarray(), second.Q[v][:, v].toarray()
        same = same and np.array_equal(mine + mine.T, theirs + theirs.T)
    return same


def test_rings_that_colours_confuse() -> None:
    found = equivalence(graph_program(HEXAGON), graph_program(TRIANGLES))
    assert found.verdict == "different"
    assert "all matches were tried" in found.reason
    assert fingerprint(graph_program(HEXAGON)) == fingerprint(graph_program(TRIANGLES))


def test_rings_are_matched_by_search() -> None:
    other = permuted(graph_program(TRIANGLES), np.random.default_rng(2))
    found = equivalence(graph_program(TRIANGLES), other)
    assert found.verdict == "equivalent"
    assert not found.decomposable


def test_search_gives_up() -> None:
    found = equivalence(graph_program(HEXAGON), graph_program(HEXAGON), limit=0)
    assert found.verdict == "undecided"
    assert "0 matches" in found.reason


def test_what_differs_is_named() -> None:
    program = distribution("set-cover-tiny").program("train", 0)
    upper = program.upper.copy()
    upper[7] = 3.0
    reason = equivalence(replace(program, upper=upper), program).reason
    assert reason == "variable x[7]: 1 like it in the first program, 0 in the second"
    reason = equivalence(program, replace(program, sense="maximize")).reason
    assert reason == "sense: minimize in the first program, maximize in the second"
    assert "constant" in equivalence(program, replace(program, offset=1.0)).reason
    assert "number of variables" in equivalence(program, distribution("facility-tiny").program("train", 0)).reason


def test_groups() -> None:
    rng = np.random.default_rng(3)
    tiny = distribution("auction-tiny")
    a, b = tiny.program("train", 0), tiny.program("train", 1)
    found = groups([a, b, permuted(a, rng), graph_program(HEXAGON), permuted(b, rng), graph_program(TRIANGLES)])
    assert found == [[0, 2], [1, 4], [3], [5]]


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = distribution("facility-tiny").program("test", 0)
    other = permuted(program, np.random.default_rng(4))
    for name, written in (("a", program), ("b", other), ("c", perturbed(other, np.random.default_rng(5)))):
        write(tmp_path / f"{name}.mps", MIP().from_program(written))
    a, b, c = (str(tmp_path / f"{name}.mps") for name in "abc")
    assert main(["equivalent", a, b]) == 0
    assert capsys.readouterr().out.startswith("equivalent: a renaming was found")
    assert main(["equivalent", a, c]) == 1
    assert capsys.readouterr().out.startswith("different: ")
    assert main(["equivalent", str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines() == [f"{a}\t{b}", c]
    assert main(["equivalent", a]) == 2
    assert "expected at least two" in capsys.readouterr().err
    assert main(["equivalent", a, str(tmp_path / "none.mps")]) == 2
    assert "none.mps" in capsys.readouterr().err
