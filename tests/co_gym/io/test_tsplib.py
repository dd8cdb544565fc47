from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from co_gym import registry
from co_gym.errors import InputError
from co_gym.instance import Instance
from co_gym.io import read
from co_gym.io.tsplib import SCALE, TSPLIB
from co_gym.io.tsplib_distances import LAYOUTS, RULES, entries, from_coordinates
from co_gym.io.tsplib_tour import read_tour, write_tour

TSP = registry.problem("tsp")
HERE = Path("x.tsp")


def parse(text: str) -> Instance:
    return TSPLIB().parse(text, HERE)[0]


def file(section: str, kind: str = "EUC_2D", n: int = 3, more: str = "") -> str:
    return f"NAME: x\nTYPE: TSP\nDIMENSION: {n}\nEDGE_WEIGHT_TYPE: {kind}\n{more}{section}EOF\n"


NODES = "NODE_COORD_SECTION\n1 0 0\n2 3 4\n3 0 10\n"


@pytest.mark.parametrize(
    ("name", "tour", "length"),
    [("burma14.tsp", [0, 1, 13, 2, 3, 4, 5, 11, 6, 12, 7, 10, 8, 9], 3323),
     ("gr17.tsp", [0, 3, 12, 6, 7, 5, 16, 13, 14, 2, 10, 9, 1, 4, 8, 11, 15], 2085)],
)  # fmt: skip
def test_optimal_tours_have_the_published_length(data: Path, name: str, tour: list[int], length: int) -> None:
    (instance,) = read(data / name)
    assert TSP.objective(instance, np.array(tour)) == length


def test_optimal_tour_file(data: Path) -> None:
    (instance,) = read(data / "berlin52.tsp")
    assert TSP.objective(instance, read_tour(data / "berlin52.opt.tour")) == 7542


def test_canonical_tour_of_pcb442(shared_data: Path) -> None:
    (instance,) = read(shared_data / "tsplib" / "pcb442.tsp")
    assert TSP.objective(instance, np.arange(442)) == 221440  # TSPLIB's own check of EUC_2D


def test_tours_reach_the_published_optima(shared_data: Path) -> None:
    import fast_tsp

    with open(shared_data / "tsplib" / "optima.csv") as stream:
        optima = {row["instance"]: int(row["optimum"]) for row in csv.DictReader(stream)}
    for name in ("att48", "bayg29", "eil51", "ulysses16"):
        (instance,) = read(shared_data / "tsplib" / f"{name}.tsp")
        tour = np.array(fast_tsp.find_tour(instance["distances"], duration_seconds=0.3))
        assert TSP.objective(instance, tour) == optima[name]


def test_coordinates_and_shapes(shared_data: Path) -> None:
    for name, n, drawn in (("gr17", 17, False), ("bayg29", 29, True), ("pr152", 152, True)):
        (instance,) = read(shared_data / "tsplib" / f"{name}.tsp")
        assert instance["distances"].shape == (n, n)
        assert instance["distances"].dtype == np.int64
        assert ("coordinates" in instance) == drawn


def _reference(a: list[float], b: list[float], kind: str) -> int:
    """TSPLIB's formulas, one pair at a time."""
    dx, dy = abs(a[0] - b[0]), abs(a[1] - b[1])
    nint = lambda x: math.floor(x + 0.5)  # noqa: E731
    if kind == "GEO":
        angles = []
        for x in (*a, *b):
            degrees = math.trunc(x)
            angles.append(3.141592 * (degrees + 5.0 * (x - degrees) / 3.0) / 180.0)
        lat_a, lon_a, lat_b, lon_b = angles
        q1, q2, q3 = math.cos(lon_a - lon_b), math.cos(lat_a - lat_b), math.cos(lat_a + lat_b)
        cosine = min(1.0, max(-1.0, 0.5 * ((1.0 + q1) * q2 - (1.0 - q1) * q3)))
        return int(6378.388 * math.acos(cosine) + 1.0)
    if kind == "ATT":
        r = math.sqrt((dx * dx + dy * dy) / 10.0)
        return nint(r) + (nint(r) < r)
    length = math.sqrt(dx * dx + dy * dy)
    return {
        "EUC_2D": nint(length), "CEIL_2D": math.ceil(length), "MAN_2D": nint(dx + dy),
        "MAX_2D": max(nint(dx), nint(dy)),
    }[kind]  # fmt: skip


@given(
    st.sampled_from(sorted(RULES)),
    hnp.arrays(
        float, st.tuples(st.integers(1, 8), st.just(2)), elements=st.integers(-18000, 18000).map(lambda v: v / 100)
    ),
)
def test_distances_equal_the_formulas(kind: str, points: np.ndarray) -> None:
    found = from_coordinates(points, kind)
    listed = points.tolist()
    for i in range(len(listed)):
        for j in range(len(listed)):
            expected = 0 if i == j else _reference(listed[i], listed[j], kind)
            # cos and acos of numpy and of the C library may differ in the last bit
            assert abs(found[i, j] - expected) <= (kind == "GEO")


def test_rounding_is_half_up() -> None:
    points = np.array([[0.0, 0.0], [2.5, 0.0]])
    assert [int(from_coordinates(points, k)[0, 1]) for k in ("EUC_2D", "CEIL_2D", "MAN_2D", "MAX_2D", "ATT")] == [
        3,
        3,
        3,
        3,
        1,
    ]


def test_geo_cuts_degrees_toward_zero() -> None:
    north = np.array([[16.47, 96.10], [16.47, 94.44], [20.09, 92.54]])
    south = north * [-1.0, 1.0]
    assert from_coordinates(north, "GEO")[0].tolist() == [0, 153, 510]  # burma14's first distances
    assert (from_coordinates(south, "GEO") == from_coordinates(north, "GEO")).all()


def symmetric(n: int, seed: int) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).integers(0, 1000, size=(n, n)), k=1)
    return upper + upper.T


def listed(matrix: np.ndarray, layout: str) -> list[int]:
    """The entries of a layout, by its definition in TSPLIB's manual."""
    n = matrix.shape[0]
    if layout == "FULL_MATRIX":
        return matrix.ravel().tolist()
    side, rest = layout.split("_", 1)
    reach = 0 if "DIAG" in rest else 1
    by_row = [(i, j) for i in range(n) for j in range(n)]
    pairs = by_row if rest.endswith("ROW") else [(i, j) for j, i in by_row]
    inside = (lambda i, j: j - i >= reach) if side == "UPPER" else (lambda i, j: i - j >= reach)
    return [int(matrix[i, j]) for i, j in pairs if inside(i, j)]


@given(st.sampled_from(LAYOUTS), st.integers(1, 9), st.integers(0, 100), st.integers(1, 12))
def test_every_layout_gives_the_full_matrix(layout: str, n: int, seed: int, width: int) -> None:
    matrix = symmetric(n, seed)
    numbers = listed(matrix, layout)
    assert len(numbers) == entries(layout, n)
    body = "\n".join(" ".join(map(str, numbers[i : i + width])) for i in range(0, len(numbers), width))
    found = parse(file(f"EDGE_WEIGHT_SECTION\n{body}\n", "EXPLICIT", n, f"EDGE_WEIGHT_FORMAT: {layout}\n"))
    assert (found["distances"] == matrix).all()


def test_lenient_spelling() -> None:
    text = (
        "Name:x\n\nCOMMENT : one: two\nCOMMENT no colon\nTYPE\t:\tTSP (by hand)\nDIMENSION 3\nBEST_KNOWN : 5\n"
        "EDGE_WEIGHT_TYPE:EUC_2D\nNODE_COORD_SECTION\n 3 0 1.0E+01\n\n1 0.0 0\n\t2 3 4.0\n"
    )
    assert parse(text)["distances"].tolist() == [[0, 5, 10], [5, 0, 7], [10, 7, 0]]


def test_float_weights_and_a_diagonal_that_is_not_zero() -> None:
    section = "EDGE_WEIGHT_SECTION\n99 0.5\n0.5 99\n"
    found = parse(file(section, "EXPLICIT", 2, "EDGE_WEIGHT_FORMAT: FULL_MATRIX\n"))
    assert found["distances"].tolist() == [[0, 0.5], [0.5, 0]]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (file(NODES, n=2), 8, "expected the end after NODE_COORD_SECTION of 2 nodes"),
        (file(NODES, n=4), 8, "expected 12 numbers in NODE_COORD_SECTION"),
        (file(NODES, n=10**9), 3, "DIMENSION is 1000000000: expected 1 to 10000"),
        (file(NODES, n=-1), 3, "DIMENSION is -1"),
        (file(NODES.replace("3 4", "3 nan")), 7, "expected a number, found 'nan'"),
        (file(NODES.replace("3 4", "3 1e999")), 7, "number too large"),
        (file(NODES.replace("3 4", "3 1e200")), None, "beyond 2\\^53"),
        (file(NODES.replace("3 0 10", "2 0 10")), 8, "node 2 is given twice"),
        (file(NODES.replace("3 0 10", "4 0 10")), 8, "node 4: expected a number from 1 to 3"),
        (file(NODES.replace("3 0 10", "2.5 0 10")), 8, "node 2.5"),
        (file(NODES).replace("TSP", "ATSP"), 2, "TYPE 'ATSP' is not supported: expected one of TSP"),
        (file(NODES, "EUC_3D"), 4, "EDGE_WEIGHT_TYPE 'EUC_3D' is not supported: expected one of EXPLICIT, EUC_2D"),
        (file(""), 5, "NODE_COORD_SECTION is missing"),
        (file("", "EXPLICIT"), 5, "EDGE_WEIGHT_FORMAT is missing"),
        (file(NODES + NODES), 9, "NODE_COORD_SECTION is given twice"),
        (file("FIXED_EDGES_SECTION\n1 2\n-1\n" + NODES), 5, "FIXED_EDGES_SECTION is not supported"),
        (file(NODES, more="DIMENSION: 3\n"), 5, "DIMENSION is given twice"),
        (file(NODES, more="hello world\n"), 5, "expected 'KEY : value' or a section, found 'hello world'"),
        (file(NODES, more="1 2 3\n"), 5, "expected 'KEY : value'"),
        (file("EDGE_WEIGHT_SECTION\n1\n" + NODES), 5, "expected EXPLICIT"),
        (file("EDGE_WEIGHT_SECTION\n0 1 2\n1 0 3\n2 4 0\n", "EXPLICIT", 3, "EDGE_WEIGHT_FORMAT: FULL_MATRIX\n"), 8,
         "distance 2 to 3 is 3, back 4"),
        (file("EDGE_WEIGHT_SECTION\n0 1\n", "EXPLICIT", 3, "EDGE_WEIGHT_FORMAT: UPPER_ROW\n"), 7,
         "expected 3 numbers"),
    ],
)  # fmt: skip
def test_malformed(text: str, line: int | None, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse(text)
    if line is not None:
        assert (caught.value.path, caught.value.line) == ("x.tsp", line)


@given(st.integers(1, 8), st.integers(0, 1000), st.sampled_from(sorted(RULES)), st.booleans())
def test_round_trip_of_distances(n: int, seed: int, kind: str, drawn: bool) -> None:
    points = np.random.default_rng(seed).random((n, 2)) * 80
    data = {"distances": from_coordinates(points, kind) if drawn else symmetric(n, seed) / 2}
    if seed % 2:
        data["coordinates"] = points
    text = TSPLIB().format([TSP.instance(data, name="two words\nö")])
    found = parse(text)
    assert set(found.data) == set(data)
    assert all((found[key] == data[key]).all() for key in data)
    if drawn and seed % 2 and n > 3:
        assert "EXPLICIT" not in text


def test_unit_square_is_scaled() -> None:
    (instance,) = TSP.generate(7, seed=3)
    text = TSPLIB().format([instance])
    assert f"times {SCALE}" in text
    found = parse(text)
    assert (found["coordinates"] == np.round(instance["coordinates"] * SCALE)).all()
    assert np.abs(found["distances"] / SCALE - TSP.distances(instance)).max() < 2 / SCALE


def test_coordinates_elsewhere_keep_their_exact_distances() -> None:
    instance = TSP.instance({"coordinates": [[0, 0], [2, 1], [5, 5]]})
    found = parse(TSPLIB().format([instance]))
    assert (found["distances"] == TSP.distances(instance)).all()
    assert (found["coordinates"] == instance["coordinates"]).all()


def test_large_file_in_blocks() -> None:
    points = np.random.default_rng(0).integers(0, 10**6, size=(2000, 2)).astype(float)
    found = from_coordinates(points, "EUC_2D")
    assert (found == found.T).all()
    assert found[3, 1999] == math.floor(math.dist(points[3], points[1999]) + 0.5)


@given(st.permutations(range(7)))
def test_tour_round_trip(tmp_path_factory: pytest.TempPathFactory, tour: list[int]) -> None:
    path = tmp_path_factory.mktemp("tour") / "x.tour"
    write_tour(path, np.array(tour), "some name", 12)
    assert read_tour(path).tolist() == tour


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1 2 2 -1", "city 2 occurs twice"),
        ("1 2 4 -1", "city 4: expected a number from 1 to 3"),
        ("1 2 -1", "city 3 of 3 is -1"),
        ("1 2", "expected 1 city 3 of 3, found 0"),
        ("1 2 3 1 -1", "expected -1 after the 3 cities"),
        ("1 2 x -1", "expected a number, found 'x'"),
    ],
)
def test_malformed_tours(tmp_path: Path, body: str, message: str) -> None:
    path = tmp_path / "x.tour"
    path.write_text(f"TYPE : TOUR\nDIMENSION : 3\nTOUR_SECTION\n{body}\nEOF\n")
    with pytest.raises(InputError, match=message) as caught:
        read_tour(path)
    assert caught.value.line == 4
    path.write_text(file(NODES))
    with pytest.raises(InputError, match="TYPE 'TSP' is not supported: expected one of TOUR"):
        read_tour(path)
    with pytest.raises(InputError, match="each of the 3 cities once"):
        write_tour(path, np.array([0, 1, 1]))
