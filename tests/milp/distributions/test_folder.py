from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from co_gym.errors import InputError
from co_gym.io import write
from milp.distributions import SPLITS, distribution


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    source = distribution("multiknapsack-tiny")
    for i in range(60):
        suffix = (".mps", ".lp", ".mps.gz", ".lp.gz")[i % 4]
        write(folder / f"knapsack-{i:02d}{suffix}", source.instance("train", i))
    (folder / "notes.txt").write_text("no instance")
    return folder


def split_names(folder: Path) -> dict[str, list[str]]:
    d = distribution(str(folder))
    return {split: [d.instance(split, i).name for i in range(d.count(split))] for split in SPLITS}


def test_files_are_split_by_their_names(files: Path, tmp_path: Path) -> None:
    found = split_names(files)
    assert sorted(name for names in found.values() for name in names) == [f"knapsack-{i:02d}" for i in range(60)]
    assert all(names == sorted(names) for names in found.values())
    assert len(found["train"]) > 40
    assert min(len(found["validation"]), len(found["test"])) >= 2
    for file in sorted(files.glob("*.mps"))[::2]:  # other neighbours, another place: the same splits
        shutil.copy(file, tmp_path)
    for split, names in split_names(tmp_path).items():
        assert set(names) <= set(found[split])


def test_compression_keeps_the_split(files: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "packed").mkdir()
    for i in range(30):
        instance = distribution("multiknapsack-tiny").instance("test", i)
        write(tmp_path / "plain" / f"{i}.mps", instance)
        write(tmp_path / "packed" / f"{i}.mps.gz", instance)
    assert split_names(tmp_path / "plain") == split_names(tmp_path / "packed")


@pytest.mark.parametrize("validation", ["valid", "validation"])
def test_subfolders_are_splits(files: Path, tmp_path: Path, validation: str) -> None:
    for split, number in (("train", "00"), (validation, "04"), ("test", "08")):
        (tmp_path / split).mkdir()
        shutil.copy(files / f"knapsack-{number}.mps", tmp_path / split)
    shutil.copy(files / "knapsack-12.mps", tmp_path)  # in no split
    assert split_names(tmp_path) == {
        "train": ["knapsack-00"],
        "validation": ["knapsack-04"],
        "test": ["knapsack-08"],
    }
    shutil.rmtree(tmp_path / "test")
    assert distribution(str(tmp_path)).count("test") == 0
    with pytest.raises(InputError, match="no test instance 0: the split holds 0"):
        distribution(str(tmp_path)).instance("test", 0)


def test_programs_and_descriptions(files: Path) -> None:
    d = distribution(str(files))
    assert (d.name, d.family, d.level, d.problem) == (str(files), "files", files.name, "mip")
    assert d.summary == ", ".join(f"{d.count(split)} {split}" for split in SPLITS)
    name = d.instance("train", 0).name
    expected = distribution("multiknapsack-tiny").program("train", int(name[-2:]))
    assert np.array_equal(d.program("train", 0).c, expected.c)


def test_folders_without_instances(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no file \*.mps, \*.mps.gz"):
        distribution(str(tmp_path))
    (tmp_path / "bad.mps").write_text("NAME bad\n")
    d = distribution(str(tmp_path))
    (split,) = (s for s in SPLITS if d.count(s))
    with pytest.raises(InputError, match=r"bad\.mps"):
        d.instance(split, 0)
