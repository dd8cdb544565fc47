"""The free-form formats: kp, mknap, qaplib, marketsplit."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from co_gym import registry
from co_gym.errors import InputError
from co_gym.instance import Instance
from co_gym.io import read
from co_gym.io.kp import KP
from co_gym.io.marketsplit import MarketSplitFile
from co_gym.io.mknap import MKnap
from co_gym.io.qaplib import QAPLIB

HERE = Path("x.dat")
WHOLE = st.integers(0, 2**53 - 1)
REAL = st.floats(0, 1e12) | st.integers(0, 10**6).map(float)


def array(*shape: int, elements: st.SearchStrategy = WHOLE) -> st.SearchStrategy[np.ndarray]:
    real = elements is REAL
    return hnp.arrays(np.float64 if real else np.int64, shape, elements=elements)


def same(a: Instance, b: Instance) -> None:
    assert a.problem == b.problem
    assert set(a.data) == set(b.data)
    for key in a.data:
        assert a[key].dtype == b[key].dtype
        assert (a[key] == b[key]).all()
    assert a.reference == b.reference


@given(st.data(), st.integers(1, 6), st.sampled_from([WHOLE, REAL]))
def test_kp_round_trip(draw: Any, n: int, kind: Any) -> None:
    shapes = {"profits": (n,), "weights": (n,), "capacity": ()}
    data = {key: draw.draw(array(*shape, elements=kind)) for key, shape in shapes.items()}
    instance = registry.problem("knapsack").instance(data)
    text = KP().format([instance])
    assert KP().confidence(text, ".kp") == 1.0
    same(KP().parse(text, HERE)[0], instance)


@given(st.data(), st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=3))
def test_mknap_round_trip(draw: Any, sizes: list[tuple[int, int]]) -> None:
    instances = []
    for n, m in sizes:
        shapes = {"profits": (n,), "weights": (m, n), "capacities": (m,)}
        data = {key: draw.draw(array(*shape, elements=WHOLE)) for key, shape in shapes.items()}
        reference = draw.draw(st.none() | st.integers(1, 10**6) | st.just(8706.25))
        instances.append(registry.problem("multiknapsack").instance(data, reference=reference))
    text = MKnap().format(instances)
    found = MKnap().parse(text, HERE)
    for one, other in zip(found, instances, strict=True):
        same(one, other)
    names = [f"x#{i + 1}" for i in range(len(sizes))] if len(sizes) > 1 else ["x"]
    assert [i.name for i in found] == names


@given(st.data(), st.integers(1, 5), st.sampled_from([st.integers(-(10**9), 10**9), REAL]))
def test_qaplib_round_trip(draw: Any, n: int, kind: Any) -> None:
    data = {key: draw.draw(array(n, n, elements=kind)) for key in ("flows", "distances")}
    instance = registry.problem("qap").instance(data)
    text = QAPLIB().format([instance])
    assert QAPLIB().confidence(text, ".dat") == 1.0
    same(QAPLIB().parse(text, HERE)[0], instance)


@given(st.data(), st.integers(1, 4), st.integers(1, 6))
def test_marketsplit_round_trip(draw: Any, m: int, n: int) -> None:
    whole = st.integers(-(2**63) + 1, 2**63 - 1)
    data = {"coefficients": draw.draw(array(m, n, elements=whole)), "targets": draw.draw(array(m, elements=whole))}
    instance = registry.problem("market-split").instance(data)
    same(MarketSplitFile().parse(MarketSplitFile().format([instance]), HERE)[0], instance)


def test_kp_layouts(data: Path) -> None:
    pairs = KP().parse("\n3\n10\n\n1 4\n2 5\n3 6.0\n", HERE)[0]
    triples = KP().parse("3\n1 1 4\n2 2 5\n3 3 6\n10\n", HERE)[0]
    same(pairs, triples)
    assert pairs["weights"].tolist() == [4, 5, 6]
    assert pairs["weights"].dtype == np.int64
    (p07,) = read(data / "p07.kp")
    subsets = (np.arange(2**15)[:, None] >> np.arange(15)) & 1
    fits = subsets @ p07["weights"] <= p07["capacity"]
    assert (subsets @ p07["profits"])[fits].max() == 1458


def test_mknap_files(data: Path) -> None:
    found = read(data / "mknap1.txt")
    assert [i.reference for i in found] == [3800, 8706.1, 4015, 6120, 12400, 10618, 16537]
    assert [i["weights"].shape[::-1] for i in found] == [
        (6, 10), (10, 10), (15, 10), (20, 10), (28, 10), (39, 5), (50, 5)
    ]  # fmt: skip
    subsets = np.array(list(itertools.product((0, 1), repeat=6)))
    fits = (subsets @ found[0]["weights"].T <= found[0]["capacities"]).all(axis=1)
    assert (subsets @ found[0]["profits"])[fits].max() == 3800
    (weing1,) = read(data / "weing1.dat")
    assert (weing1.name, weing1.reference) == ("weing1", 141278)
    assert weing1["capacities"].tolist() == [600, 600]


def test_nug12_optimum(data: Path) -> None:
    (instance,) = read(data / "nug12.dat")
    optimal = np.array([12, 7, 9, 3, 4, 8, 11, 1, 5, 6, 10, 2]) - 1
    assert registry.problem("qap").objective(instance, optimal) == 578


def test_marketsplit_file(data: Path) -> None:
    (instance,) = read(data / "ms_03_050_002.dat")
    assert instance["coefficients"].shape == (3, 20)
    assert instance["coefficients"][0, :3].tolist() == [46, 8, 29]
    assert instance["targets"][0] == 299


@pytest.mark.parametrize(
    ("text", "suffix", "line", "message"),
    [
        ("3 10\n1 4\n2 5\n", ".kp", 1, "3 items and 6 numbers in the file: expected 8 .* or 11"),
        ("3\n1 1 4\n3 2 5\n2 3 6\n10\n", ".kp", 3, "item id 3: expected 2"),
        ("2 10\n1 4\n2 -5\n", ".kp", 3, "-5 is below 0"),
        ("2.5 10\n1 4\n2 5\n", ".kp", 1, "number of items is 2.5: expected an integer"),
        ("1000000000000 10\n1 4\n", ".kp", 1, "1000000000000 items and 4 numbers"),
        ("1\n2 1 5\n1 1\n1 x\n3\n", ".txt", 4, "expected a number, found 'x'"),
        ("2\n2 1 5\n1 1\n1 1\n3\n", ".mknap", 5, "expected 1 items of problem 2, found 0"),
        ("1\n2 1 5\n1 1\n1 1\n3 4\n", ".txt", 5, "expected the end after 1 problems, found 1 more"),
        ("9000000000 1 5\n1 1\n1 1\n3 4\n", ".txt", 4, "expected 9000000000 profits of problem 1"),
        ("1000000000\n2 1 5\n1 1\n1 1\n3\n", ".txt", 1, "1000000000 problems declared, but only 8"),
        ("1\n2 0 5\n1 1\n", ".txt", 2, "constraints of problem 1 is 0: expected an integer of at least 1"),
        ("1\n2 1 5\n1 1\n1 -1\n3\n", ".txt", 4, "weights of problem 1: -1 is below 0"),
        ("2\n1 2\n3 4\n\n1 2\n3\n", ".qap", 6, "expected 4 numbers of the distances between 2 places, found 3"),
        ("2\n1 2\n3 4\n1 2\n3 4 5\n", ".qap", 5, "expected the end after the two matrices"),
        ("2 3\n1 2 3 4\n5 6 7.5 8\n", ".ms", 3, "7.5: expected an integer"),
        ("2 3\n1 2 3 4\n5 6 7\n", ".ms", 3, "expected 8 numbers"),
        ("2 3\n1 2 3 4\n5 6 7 99999999999999999999\n", ".ms", 3, "number too large"),
    ],
)
def test_malformed(tmp_path: Path, text: str, suffix: str, line: int, message: str) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert (caught.value.path, caught.value.line) == (str(path), line)


def test_exact_fit_decides_among_files_of_numbers(data: Path) -> None:
    formats = registry.formats()
    for file, name in (
        ("p07.kp", "kp"), ("mknap1.txt", "mknap"), ("weing1.dat", "mknap"), ("nug12.dat", "qaplib"),
        ("ms_03_050_002.dat", "marketsplit"),
    ):  # fmt: skip
        text = (data / file).read_text()
        for suffix in (".dat", ".txt", ""):
            scores = {label: f.confidence(text, suffix) for label, f in formats.items()}
            assert max(scores, key=lambda label: scores[label]) == name
            assert sorted(scores.values())[-2] < 0.7
