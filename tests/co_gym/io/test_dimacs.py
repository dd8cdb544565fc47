from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from co_gym import registry
from co_gym.errors import InputError
from co_gym.io import read
from co_gym.io.dimacs import DIMACS
from co_gym.problems.mis import canonical_edges

HERE = Path("x.gph")
MIS = registry.problem("mis")


def test_karate(data: Path) -> None:
    (instance,) = read(data / "karate.gph")
    assert instance["edges"].shape == (78, 2)
    assert (instance["weights"] == 1).all()
    degrees = np.bincount(instance["edges"].ravel())
    assert (degrees[0], degrees[33]) == (16, 17)  # Zachary 1977: the instructor and the president


@given(
    st.integers(1, 12).flatmap(
        lambda n: st.tuples(
            st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] != e[1])),
            st.lists(st.sampled_from([1, 1, 0, 7, 2.5]), min_size=n, max_size=n),
        )
    )
)
def test_round_trip(graph: tuple[list, list]) -> None:
    instance = MIS.instance({"edges": canonical_edges(np.array(graph[0])), "weights": graph[1]})
    (found,) = DIMACS().parse(DIMACS().format([instance]), HERE)
    assert (found["edges"] == instance["edges"]).all()
    assert (found["weights"] == instance["weights"]).all()


@pytest.mark.parametrize("declared", [2, 3])
def test_repeated_edges_are_merged(declared: int) -> None:
    text = f"c two edges\nc\np col 3 {declared}\nn 2 5\nv 3 0.5\ne 1 2\ne 2 1\ne 2 3\n"
    (found,) = DIMACS().parse(text, HERE)
    assert found["edges"].tolist() == [[0, 1], [1, 2]]
    assert found["weights"].tolist() == [1, 5, 0.5]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("p edge 3 4\ne 1 2\ne 2 1\ne 2 3\n", 1, "4 edges declared, 3 listed .2 of them different."),
        ("p edge 3 1\ne 1 1\n", 2, "edge from node 1 to itself"),
        ("p edge 3 1\ne 1 4\n", 2, "node 4: expected 1 to 3"),
        ("p edge 3 1\ne 1 0\n", 2, "node 0"),
        ("p edge 3 1\ne 1 2 3\n", 2, "expected 'e u v'"),
        ("p edge 3 1\ne 1 2.5\n", 2, "expected an integer"),
        ("p edge 3 1\ne 1 nan\n", 2, "expected a number"),
        ("e 1 2\np edge 3 1\n", 1, "before the 'p edge n m' line"),
        ("p edge 3 0\np edge 3 0\n", 2, "a second 'p' line"),
        ("p edge 3\n", 1, "expected 'p edge n m'"),
        ("p sp 3 0\n", 1, "expected 'p edge n m'"),
        ("p edge 1000000000000 0\n", 1, "expected 1 to 10000000 nodes"),
        ("p edge 0 0\n", 1, "0 nodes"),
        ("p edge 2 -1\n", 1, "-1 edges"),
        ("p edge 2 0\nn 1 -3\n", 2, "weight -3"),
        ("p edge 2 0\nn 1 3\nn 1 4\n", 3, "a second weight of node 1"),
        ("p edge 2 0\nn 1\n", 2, "expected 'n node weight'"),
        ("p edge 2 0\nx 1 2\n", 2, "expected a line that starts with c, p, n, v or e, found 'x'"),
        ("c nothing\n", 1, "no 'p edge n m' line"),
    ],
)
def test_malformed(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = tmp_path / "x.gph"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert caught.value.line == line
