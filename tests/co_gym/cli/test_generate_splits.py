from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from co_gym import registry
from co_gym.io import read

Main = Callable[..., Any]


@pytest.mark.parametrize("suffix", ["mps", "lp"])
def test_instances_of_a_split(co_gym_main: Main, tmp_path: Path, suffix: str) -> None:
    ran = co_gym_main(
        "generate", "milp/set-cover-tiny", "--split", "train", "--count", 2, "--start", 7, "--format", suffix,
        "--output", tmp_path / "new",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    files = [Path(line) for line in ran.out.splitlines()]
    assert [file.name for file in files] == [f"set-cover-tiny-train-000{i}.{suffix}" for i in (7, 8)]
    source = registry.distribution("milp", "set-cover-tiny")
    for number, file in zip((7, 8), files, strict=True):
        (found,) = read(file)
        expected = source.instance("train", number)
        for key in ("objective", "indices", "values", "lower", "upper", "integer", "row_lower"):
            assert np.array_equal(found[key], expected[key]), key


def test_defaults_and_folders(co_gym_main: Main, tmp_path: Path) -> None:
    ran = co_gym_main("generate", "milp/auction-tiny", "--output", tmp_path / "test")
    assert ran.out.splitlines() == [str(tmp_path / "test" / "auction-tiny-test-0000.mps")]
    ran = co_gym_main("generate", f"milp/{tmp_path}", "--format", "lp", "--output", tmp_path / "again")
    assert ran.code == 0, ran.err
    assert (tmp_path / "again" / "auction-tiny-test-0000.lp").exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["milp/set-cover-tini"], "did you mean set-cover-tiny"),
        (["mlp/set-cover-tiny"], "unknown package of distributions 'mlp'"),
        (["milp/no/such"], "no/such: expected a folder"),
        (["milp/set-cover-tiny", "--split", "tset"], "unknown split 'tset'"),
        (["milp/set-cover-tiny", "--start", 99, "--count", 2], "no test instance 100: the split holds 100"),
        (["milp/set-cover-tiny", "--start", 500], "no test instance 500"),
        (["milp/set-cover-tiny", "--start", "-1"], "no test instance -1"),
        (["milp/set-cover-tiny", "--count", 0], "count is 0"),
        (["milp/set-cover-tiny", "--seed", 3], "expected --split, --start and --count only"),
        (["milp/set-cover-tiny", "--size", 9], "expected --split, --start and --count only"),
        (["milp/set-cover-tiny", "--format", "kp"], "unknown format of mip 'kp'"),
        (["tsp", "--start", 3], "--split and --start go with a distribution"),
        (["tsp", "--split", "test"], "--split and --start go with a distribution"),
    ],
)
def test_refuses(co_gym_main: Main, tmp_path: Path, args: list[object], message: str) -> None:
    ran = co_gym_main("generate", *args, "--output", tmp_path / "new")
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "new").exists()
