from __future__ import annotations

import csv
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from co_gym import registry
from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.io import read
from co_gym.io.mps_reader import parse_mps
from co_gym.io.mps_writer import format_mps
from co_gym.io.scip_reader import read_with_scip

HERE = Path("x.mps")
MIP = registry.problem("mip")

EVERYTHING = """* every kind of row, range and bound
NAME all
OBJSENSE
    MAX
ROWS
 N cost
 L c1
 G c2
 E c3
 E c4
 E c5
 N spare
 G c6
COLUMNS
 x cost 1 c1 2
 x spare 3
 M 'MARKER' 'INTORG'
 i1 cost 2 c1 1
 i2 c2 1
 i3 c2 1
 i4 c2 1
 i5 c2 1
 M 'MARKER' 'INTEND'
 z c3 1.5 c2 -1
 w c4 2.5e-1
 e cost 0
 u c6 1
 v c5 1
 t c6 .5
RHS
 RHS c1 10 c2 1
 RHS c3 4 cost 5
 RHS c6 -1e30
RANGES
 RNG c1 -4 c3 -2
 RNG c2 3
 RNG c4 0 c5 2
BOUNDS
 FX BND x -4
 UP BND i1 0
 UP BND i2 5.5
 LO BND i3 -2
 PL BND i5
 UP BND u 0
 MI BND v
 UP BND t 1e30
 UI BND w 4
 FR BND z
ENDATA
"""


def same(a: MixedIntegerProgram, b: MixedIntegerProgram, named: bool = True) -> None:
    """Equal up to the order of rows and columns; without `named`, in the same order."""
    columns = [b.variable_names.index(name) for name in a.variable_names] if named else slice(None)
    rows = [b.row_names.index(name) for name in a.row_names] if named else slice(None)
    assert (a.sense, a.offset) == (b.sense, b.offset)
    for key in ("c", "lower", "upper", "integer"):
        assert np.array_equal(getattr(a, key), getattr(b, key)[columns]), key
    for key in ("row_lower", "row_upper"):
        assert np.array_equal(getattr(a, key), getattr(b, key)[rows]), key
    assert abs(a.A - b.A[rows][:, columns]).sum() == 0


def test_every_kind_of_row_and_bound() -> None:
    program = parse_mps(EVERYTHING, HERE)
    inf = np.inf
    box = dict(
        zip(program.variable_names, zip(program.lower.tolist(), program.upper.tolist(), strict=True), strict=True)
    )
    assert box == {
        "x": (-4, -4), "i1": (0, 0), "i2": (0, 5.5), "i3": (-2, inf), "i4": (0, 1), "i5": (0, inf),
        "z": (-inf, inf), "w": (0, 4), "e": (0, inf), "u": (0, 0), "v": (-inf, inf), "t": (0, inf),
    }  # fmt: skip
    rows = dict(
        zip(
            program.row_names,
            zip(program.row_lower.tolist(), program.row_upper.tolist(), strict=True),
            strict=True,
        )
    )
    assert rows == {"c1": (6, 10), "c2": (1, 4), "c3": (2, 4), "c4": (0, 0), "c5": (0, 2), "c6": (-inf, inf)}
    assert [n for n, i in zip(program.variable_names, program.integer, strict=True) if i] == [
        "i1", "i2", "i3", "i4", "i5", "w"
    ]  # fmt: skip
    assert (program.sense, program.offset) == ("maximize", -5)


def test_reads_as_scip_does(shared_data: Path) -> None:
    texts = [path.read_text() for path in sorted((shared_data / "miplib").glob("*.mps"))]
    assert len(texts) >= 7
    for text in [*texts, EVERYTHING]:
        same(parse_mps(text, HERE), read_with_scip(text, HERE, ".mps"))


def test_reads_fixed_format_and_names_as_given(data: Path) -> None:
    (instance,) = read(data / "flugpl.mps")
    program = MIP.program(instance)
    assert program.variable_names[:3] == ("STM1", "ANM1", "UE1")
    assert (program.num_rows, program.num_variables, program.A.nnz) == (18, 18, 46)
    assert int(program.integer.sum()) == 11


def test_sets_without_names() -> None:
    text = EVERYTHING.replace(" RHS c", " c").replace(" RNG", " ").replace(" BND", " ")
    same(parse_mps(text, HERE), parse_mps(EVERYTHING, HERE))


SIDES = st.sampled_from([-np.inf, -7.25, -1.0, 0.0, 0.1, 3.0, 1e10, np.inf])


@st.composite
def programs(draw: st.DrawFn) -> MixedIntegerProgram:
    n, m = draw(st.integers(1, 6)), draw(st.integers(0, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def box(size: int) -> np.ndarray:
        pairs = st.tuples(SIDES, SIDES).filter(lambda p: min(p) < np.inf and max(p) > -np.inf)
        return np.array([sorted(draw(pairs)) for _ in range(size)]).reshape(size, 2).T

    (row_lower, row_upper), (lower, upper) = box(m), box(n)
    names = draw(st.none() | st.just(tuple(f"n[{i}] é" if i % 2 else "same" for i in range(n))))
    return MixedIntegerProgram(
        sense=draw(st.sampled_from(["minimize", "maximize"])),
        c=np.round(rng.normal(size=n), draw(st.integers(0, 17))),
        A=sparse.random(m, n, 0.5, "csr", random_state=rng),
        row_lower=row_lower,
        row_upper=row_upper,
        lower=lower,
        upper=upper,
        integer=rng.random(n) < 0.5,
        offset=draw(st.sampled_from([0.0, 2.5, -1 / 3])),
        variable_names=names,
        row_names=draw(st.none() | st.just(("obj",) * m)),
    )


@given(programs())
def test_round_trip(program: MixedIntegerProgram) -> None:
    same(parse_mps(format_mps(program), HERE), program, named=False)


@settings(max_examples=25)
@given(programs())
def test_scip_reads_what_is_written(program: MixedIntegerProgram) -> None:
    text = format_mps(program)
    same(parse_mps(text, HERE), read_with_scip(text, HERE, ".mps"))


def test_range_side_that_no_difference_gives_exactly() -> None:
    rng = np.random.default_rng(1)
    lower = rng.normal(size=200)
    upper = lower + np.exp(rng.normal(size=200, scale=5))
    program = MixedIntegerProgram(
        "minimize", np.ones(1), sparse.csr_matrix(np.ones((200, 1))), lower, upper, np.zeros(1), np.ones(1),
        np.zeros(1, dtype=bool),
    )  # fmt: skip
    found = parse_mps(format_mps(program), HERE)
    np.testing.assert_allclose(found.row_lower, lower, rtol=1e-15, atol=1e-300)
    np.testing.assert_allclose(found.row_upper, upper, rtol=1e-15, atol=1e-300)


def test_writer_refuses_what_mps_cannot_hold() -> None:
    one = sparse.csr_matrix(np.ones((1, 1)))
    sides = (np.zeros(1), np.ones(1), np.zeros(1), np.ones(1), np.ones(1, dtype=bool))
    with pytest.raises(InputError, match="quadratic"):
        format_mps(MixedIntegerProgram("minimize", np.ones(1), one, *sides, Q=one))
    with pytest.raises(InputError, match="at least 1e"):
        format_mps(MixedIntegerProgram("minimize", np.full(1, 1e21), one, *sides))


SMALL = "NAME s\nROWS\n N o\n L c\n G d\nCOLUMNS\n x o 1 c 2\n y c 1\nRHS\n R c 4\nBOUNDS\n UP B x 3\nENDATA\n"


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        (" y c 1", " y c9 1", 8, "unknown row 'c9'"),
        (" y c 1", " y c abc", 8, "coefficient: expected a number, found 'abc'"),
        (" y c 1", " y c nan", 8, "expected a number"),
        (" y c 1", " y c inf", 8, "expected a number"),
        (" y c 1", " y c 1e400", 8, "number too large"),
        (" y c 1", " y c 1e25", 8, "expected a magnitude below"),
        (" y c 1", " y c", 8, "expected a column and one or two pairs"),
        (" y c 1", " y c 1 c 2", 8, "a second coefficient of this column in row 'c'"),
        (" y c 1", " y c 1\n x d 1", 9, "goes on after another"),
        (" y c 1", " " + "y" * 300 + " c 1", 8, "has 300 characters"),
        (" y c 1", " m 'MARKER' 'INTEND'", 8, "expected 'INTORG' and 'INTEND' in turn"),
        (" y c 1", " y \x00c 1", 8, "control character"),
        (" R c 4", " R c4", 10, "unknown row 'R'"),
        (" R c 4", " R c 4\n R c 5", 11, "a second right-hand side"),
        (" R c 4", " R c 4\n Q d 5", 11, "a second RHS set 'Q'"),
        (" UP B x 3", " UP B z 3", 12, "unknown column 'z'"),
        (" UP B x 3", " UP B x", 12, "unknown column 'B'"),
        (" UP B x 3", " UP B x 3\n UP B x 4", 13, "a second bound of type UP"),
        (" UP B x 3", " XX B x 3", 12, "bound type 'XX': expected one of BV"),
        (" UP B x 3", " UP B x -3", 12, "UP bound -3 leaves .0, -3."),
        (" UP B x 3", " SC B x 3", 12, "semicontinuous variable 'x' is not supported"),
        ("BOUNDS", "SOS\n S1 SOS s1 1\nBOUNDS", 12, "section SOS .'S1 SOS s1 1'. is not supported"),
        ("BOUNDS", "INDICATORS\n IF c x 1\nBOUNDS", 12, "section INDICATORS .'IF c x 1'."),
        ("BOUNDS", "QUADOBJ\n x x 1\nBOUNDS", 12, "section QUADOBJ"),
        ("RHS\n", "ROWS\n", 9, "a second section ROWS"),
        ("ROWS\n N o\n L c\n G d\n", "", 2, "section COLUMNS before ROWS"),
        (" N o", " E o", 13, "no N row"),
        (" L c", " L c c", 4, "a name without blanks"),
        (" L c", " L o", 4, "a second row 'o'"),
        ("ENDATA\n", "", 12, "ends without ENDATA"),
        ("ENDATA\n", "ENDATA\n x\n", 14, "expected nothing after ENDATA"),
        ("NAME s", "hello? world", 1, "expected a section"),
    ],
)
def test_malformed_mps(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    path = tmp_path / "x.mps"
    path.write_text(SMALL)
    read(path)
    assert old in SMALL
    path.write_text(SMALL.replace(old, new))
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert (caught.value.path, caught.value.line) == (str(path), line)


def test_small_lp(data: Path) -> None:
    (instance,) = read(data / "small.lp")
    program = MIP.program(instance)
    assert program.variable_names == ("x", "y", "z")
    assert program.row_names == ("c1", "c2", "c3")
    assert (program.sense, program.offset) == ("maximize", 1)
    assert program.A.toarray().tolist() == [[6, 4, 0], [1, 2, 1], [-1, 0, 1]]
    assert program.row_upper.tolist() == [24, 6, np.inf]
    assert program.row_lower.tolist() == [-np.inf, -np.inf, -10]
    assert program.lower.tolist() == [0, -1, 0]
    assert program.upper.tolist() == [np.inf, 10, 2.5]
    assert program.integer.tolist() == [True, True, False]
    assert MIP.objective(instance, np.array([4.0, 0.0, 2.0])) == 23


def lp(rows: str = " c1: x + y <= 4\n", objective: str = "2 x + 3 y", rest: str = "") -> str:
    return f"\\ comment \xe9\nMaximize\n obj: {objective}\nSubject To\n{rows}{rest}End\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (lp(" c1: x + y <= <= 4\n"), 5, r"Syntax error in line 5 \('<'\): expected value as right hand side"),
        (lp(" c1: x + y 4\n"), 6, "Syntax error"),
        (lp(objective="nan x + y"), 3, "NaN"),
        (lp(" c1: x + y <= NaN\n"), 5, "NaN"),
        (lp(objective="1e400 x + y"), None, "infinite"),
        (lp(" c1: inf x + y <= 4\n"), None, "infinite"),
        (lp(" c1: 1e30 x + y <= 4\n"), None, "infinite"),
        (lp(" c1: x \x01 + y <= 4\n"), 5, "control character"),
        (lp(" c\xe91: x + y <= 4\n"), 5, "non-ASCII character"),
        (lp().replace("End\n", ""), 5, "without 'End'"),
        (lp().replace("Maximize", "Maximal"), 2, "expected 'Maximize' or 'Minimize', found 'Maximal'"),
        (lp(objective="").replace(" c1: x + y <= 4\n", ""), None, "no variable"),
        (lp(" q1: [ x^2 + y^2 ] <= 4\n"), None, r"constraint 'q1' \(nonlinear\) is not supported"),
        (lp(objective="x + [ x^2 + 2 x * y ] / 2"), None, r"\(nonlinear\) is not supported"),
        (lp(" c1: b = 1 -> x + y <= 4\n", rest="Binary\n b\n"), None, r"constraint 'c1' \(indicator\)"),
        (lp(rest="SOS\n s1: S1:: x:1 y:2\n"), None, r"constraint 's1' \(SOS1\)"),
        (lp(rest="Bounds\n 2 <= x <= 4\nSemi-continuous\n x\n"), None, r"\(bounddisjunction\)"),
        (lp(rest="Bounds\n 5 <= x <= 4\n"), None, r"variable x has bounds \[5, 4\]"),
    ],
)
def test_malformed_lp(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, line: int | None, message: str
) -> None:
    path = tmp_path / "x.lp"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert caught.value.path == str(path)
    if line is not None:
        assert caught.value.line == line
    assert capfd.readouterr() == ("", "")


def test_lp_of_public_clique_model(shared_data: Path) -> None:
    (instance,) = read(shared_data / "miplib" / "MANN_a9.clq.lp")
    program = MIP.program(instance)
    assert (program.num_variables, program.num_rows) == (45, 72)
    assert (program.lower == 0).all()
    assert (program.upper == 1).all()
    assert program.integer.all()


def test_optima_are_those_published(shared_data: Path, tmp_path: Path) -> None:
    from pyscipopt import Model

    from co_gym.io import write

    with open(shared_data / "miplib" / "optima.csv") as stream:
        optima = {row["instance"]: float(row["optimum"]) for row in csv.DictReader(stream)}
    for name in ("flugpl.mps", "egout.mps", "MANN_a9.clq.lp", "lseu.mps"):
        write(tmp_path / "copy.mps", read(shared_data / "miplib" / name))
        model = Model()
        model.hideOutput()
        model.readProblem(str(tmp_path / "copy.mps"))
        model.optimize()
        assert model.getObjVal() == pytest.approx(optima[name], rel=1e-6)


def test_large_models_read_in_seconds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    program = MixedIntegerProgram(
        "minimize", rng.random(10_000), sparse.random(5000, 10_000, 0.002, "csr", random_state=rng),
        np.full(5000, -np.inf), np.full(5000, 9.0), np.zeros(10_000), np.ones(10_000), np.ones(10_000, dtype=bool),
    )  # fmt: skip
    path = tmp_path / "large.mps"
    path.write_text(format_mps(program))
    start = time.process_time()
    (instance,) = read(path)
    assert instance["values"].size == 100_000
    assert time.process_time() - start < 10


def test_scip_reads_from_several_threads(data: Path) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                assert read(data / "small.lp")[0].problem == "mip"
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
