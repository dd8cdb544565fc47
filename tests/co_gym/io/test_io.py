from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

import co_gym.io
from co_gym import registry
from co_gym.errors import InputError
from co_gym.io import read, write

PROBLEM_OF = {
    "tsplib": {"tsp"},
    "mknap": {"multiknapsack"},
    "mis": {"mis"},
    "miplib": {"mip"},
    "marketsplit": {"market-split"},
}


def test_every_shared_file_reads(shared_data: Path) -> None:
    for folder, expected in PROBLEM_OF.items():
        files = [p for p in sorted((shared_data / folder).iterdir()) if p.suffix != ".csv"]
        assert files
        for path in files:
            found = read(path)
            assert {i.problem for i in found} == expected, path
            assert all(i.source == str(path) for i in found)


@pytest.mark.parametrize(
    ("file", "problem", "size"),
    [
        ("burma14.tsp", "tsp", 14),
        ("p07.kp", "knapsack", 15),
        ("weing1.dat", "multiknapsack", 28),
        ("karate.gph", "mis", 34),
        ("nug12.dat", "qap", 12),
        ("ms_03_050_002.dat", "market-split", 20),
        ("flugpl.mps", "mip", 18),
        ("small.lp", "mip", 3),
    ],
)
def test_format_is_recognised_from_content(data: Path, tmp_path: Path, file: str, problem: str, size: int) -> None:
    copy = tmp_path / "instance.unknown"
    copy.write_bytes((data / file).read_bytes())
    for path in (data / file, copy):
        (instance,) = read(path)
        assert (instance.problem, registry.problem(problem).size(instance)) == (problem, size)
        assert instance.name == path.stem


def test_gzip(data: Path, tmp_path: Path) -> None:
    packed = tmp_path / "karate.gph.gz"
    packed.write_bytes(gzip.compress((data / "karate.gph").read_bytes()))
    (instance,) = read(packed)
    assert instance.name == "karate"
    write(tmp_path / "again.gph.gz", instance)
    first = (tmp_path / "again.gph.gz").read_bytes()
    write(tmp_path / "again.gph.gz", [instance])
    assert (tmp_path / "again.gph.gz").read_bytes() == first
    assert (read(tmp_path / "again.gph.gz")[0]["edges"] == instance["edges"]).all()


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_ends_of_other_systems(data: Path, tmp_path: Path, ending: str) -> None:
    for file in ("burma14.tsp", "karate.gph", "mknap1.txt", "flugpl.mps", "small.lp"):
        copy = tmp_path / file
        copy.write_bytes((data / file).read_bytes().replace(b"\n", ending.encode()))
        for a, b in zip(read(data / file), read(copy), strict=True):
            assert all((a[key] == b[key]).all() for key in a.data)


def test_unreadable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: Path, why: str) -> None:
        with pytest.raises(InputError, match=why) as caught:
            read(path)
        assert str(caught.value).startswith(str(path))

    fails(tmp_path / "none.tsp", "no such file")
    fails(tmp_path, "expected a file")
    (tmp_path / "empty.tsp").write_text(" \n\n")
    fails(tmp_path / "empty.tsp", "empty")
    (tmp_path / "bad.tsp.gz").write_bytes(b"no gzip at all")
    fails(tmp_path / "bad.tsp.gz", "cannot be read")
    (tmp_path / "cut.tsp.gz").write_bytes(gzip.compress(b"1 2 3" * 1000)[:-20])
    fails(tmp_path / "cut.tsp.gz", "cannot be read")
    (tmp_path / "prose.doc").write_text("This is no instance of anything.\n")
    fails(tmp_path / "prose.doc", "of no known format: expected one of dimacs .*, tsplib")
    fails(tmp_path / "zero\0byte", "cannot be read|no such file")
    monkeypatch.setattr(co_gym.io, "LIMIT", 1000)
    (tmp_path / "bomb.tsp.gz").write_bytes(gzip.compress(b" " * 10_000))
    fails(tmp_path / "bomb.tsp.gz", "larger than")


def test_errors_of_instances_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "loop.mps"
    path.write_text("ROWS\n N obj\n L c\nCOLUMNS\n x obj 1\nRHS\n RHS c -1\nRANGES\n R c -1e30\nENDATA\n")
    assert read(path)[0].problem == "mip"
    with pytest.raises(InputError, match=r"unknown format 'mpz'.*did you mean mps"):
        read(path, format="mpz")
    with pytest.raises(InputError, match=r"loop\.mps:1: data: expected a number"):
        read(path, format="kp")


def test_write_chooses_the_format(data: Path, tmp_path: Path) -> None:
    (karate,) = read(data / "karate.gph")
    with pytest.raises(InputError, match=r"no format for mis has the suffix '.xyz': expected one of .gph"):
        write(tmp_path / "a.xyz", karate)
    write(tmp_path / "a.xyz", karate, format="dimacs")
    assert (read(tmp_path / "a.xyz")[0]["edges"] == karate["edges"]).all()
    with pytest.raises(InputError, match="one instance: expected 1, got 2"):
        write(tmp_path / "a.gph", [karate, karate])
    with pytest.raises(InputError, match="holds tsp: got an instance of mis"):
        write(tmp_path / "a.tsp", karate, format="tsplib")
    with pytest.raises(InputError, match="no instance"):
        write(tmp_path / "a.gph", [])
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path / "no" / "a.gph", karate)


def test_import_is_cheap() -> None:
    code = "import sys, co_gym.io; print({'torch', 'pyscipopt', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_formats_describe_themselves() -> None:
    for name, known in registry.formats().items():
        assert known.name == name
        assert known.summary
        assert known.problems
        assert all(s.startswith(".") and s == s.lower() for s in known.suffixes)
