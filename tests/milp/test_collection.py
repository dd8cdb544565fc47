from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from co_gym.errors import InputError
from milp.collection import Settings, collect, collect_instance
from milp.descriptor import DESCRIPTOR
from milp.observation import CandidateFeatures
from milp.shards import missing
from policies.branching.format import Shard

NAME = "multiknapsack-tiny"
FEW = Settings(samples=4, probability=0.5, seconds=60.0)


def folder_of(path: Path, split: str = "train") -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((path / split).iterdir())}


def test_a_shard(tmp_path: Path) -> None:
    result = collect_instance(NAME, "train", 0, FEW, tmp_path)
    assert (result.index, result.samples) == (0, 4)
    assert result.seconds > 0
    shard = Shard.load(tmp_path / "train" / "00000.npz")
    assert len(shard.depth) == 4
    assert shard.depth[0] == 0
    assert shard.features.shape == (len(shard.candidates), CandidateFeatures.size)
    assert shard.descriptor.shape == (len(DESCRIPTOR),)
    assert shard.feature_version == CandidateFeatures.version
    for sample in range(4):
        span = slice(*shard.candidate_offsets[sample : sample + 2])
        graph, columns = shard.graph(sample), shard.candidates[span]
        np.testing.assert_array_equal(shard.features[span, 72:91], graph.variables[columns])
        assert shard.scores[span].max() > 0
        fractions = graph.variables[columns, 9]
        assert ((fractions > 0) & (fractions < 1)).all()
    np.testing.assert_array_equal(shard.graph(0).variables, shard.root.variables)
    np.testing.assert_array_equal(shard.graph(0).indices, shard.root.indices)


def test_without_graphs(tmp_path: Path) -> None:
    settings = Settings(samples=2, probability=1.0, graphs=False)
    collect_instance(NAME, "train", 0, settings, tmp_path)
    assert not Shard.load(tmp_path / "train" / "00000.npz").has_graphs


def test_deterministic_and_the_same_in_parallel(tmp_path: Path) -> None:
    for name, jobs in (("a", 1), ("b", 2)):
        results = list(collect(NAME, "train", range(3), FEW, tmp_path / name, jobs))
        assert sorted(result.index for result in results) == [0, 1, 2]
    assert folder_of(tmp_path / "a") == folder_of(tmp_path / "b")
    collect_instance(NAME, "train", 1, FEW, tmp_path / "c")
    assert folder_of(tmp_path / "c")["00001.npz"] == folder_of(tmp_path / "a")["00001.npz"]


def test_resuming(tmp_path: Path) -> None:
    split = tmp_path / "train"
    split.mkdir()
    (split / "00000.npz").write_bytes(b"kept as it is")
    (split / "00002.none").touch()
    assert missing(tmp_path, "train", range(4)) == [1, 3]
    results = list(collect(NAME, "train", range(4), FEW, tmp_path))
    assert [result.index for result in results] == [1, 3]
    assert folder_of(tmp_path)["00000.npz"] == b"kept as it is"
    assert missing(tmp_path, "train", range(4)) == []
    assert missing(tmp_path, "validation", range(2)) == [0, 1]
    assert list(collect(NAME, "train", range(4), FEW, tmp_path)) == []


def test_solved_without_a_decision(tmp_path: Path) -> None:
    source = tmp_path / "files" / "train"
    source.mkdir(parents=True)
    (source / "easy.lp").write_text("Minimize\n obj: x + y\nSubject To\n c: x + y >= 1\nBinary\n x y\nEnd\n")
    result = collect_instance(str(tmp_path / "files"), "train", 0, FEW, tmp_path)
    assert result.samples == 0
    assert folder_of(tmp_path) == {"00000.none": b""}


def test_failures_are_raised_and_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("no features")

    monkeypatch.setattr(CandidateFeatures, "extract", refuse)
    with pytest.raises(ValueError, match="no features"):
        collect_instance(NAME, "train", 0, FEW, tmp_path)
    assert not (tmp_path / "train").exists()


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"probability": 0.0}, {"probability": 1.5}, {"seconds": 0.0}])
def test_wrong_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="expected at least 1, more than 0 and at most 1, more than 0"):
        Settings(**wrong)  # type: ignore[arg-type]
