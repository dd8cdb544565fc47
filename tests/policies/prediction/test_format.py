from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from co_gym.errors import InputError
from policies.arrays import read_arrays, write_arrays
from policies.prediction.format import Pool, pools, read_manifest, write_manifest

RNG = np.random.default_rng(0)
POOL = Pool(
    columns=np.array([0, 2, 3, 5, 6, 7, 8, 9, 11], dtype=np.int32),
    objectives=np.array([10.0, 10.0, 12.5]),
    values=RNG.random((3, 9)) < 0.5,
    minimize=True,
    variables=12,
    seconds=2.5,
)


def test_round_trip(tmp_path: Path) -> None:
    POOL.save(tmp_path / "a.npz")
    found = Pool.load(tmp_path / "a.npz")
    for name in ("columns", "objectives", "values"):
        np.testing.assert_array_equal(getattr(found, name), getattr(POOL, name))
    assert (found.minimize, found.variables, len(found), found.seconds) == (True, 12, 3, 2.5)
    assert pools(tmp_path) == [tmp_path / "a.npz"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_seconds_may_be_unknown(tmp_path: Path) -> None:
    POOL.save(tmp_path / "a.npz")
    arrays = read_arrays(tmp_path / "a.npz", "a pool", without={"seconds"})
    write_arrays(tmp_path / "b.npz", arrays)
    assert Pool.load(tmp_path / "b.npz").seconds == 0.0


def test_a_manifest_says_whose_pools_a_folder_holds(tmp_path: Path) -> None:
    folder = tmp_path / "pools/mine"
    write_manifest(folder, "set-cover-tiny")
    before = (folder / "distribution.json").stat()
    write_manifest(folder, "set-cover-tiny")
    assert (folder / "distribution.json").stat() == before
    assert read_manifest(folder) == "set-cover-tiny"
    with pytest.raises(InputError, match="field 'distribution' is 'set-cover-tiny': expected 'auction-tiny'"):
        write_manifest(folder, "auction-tiny")
    assert read_manifest(folder) == "set-cover-tiny"
    assert [path.name for path in folder.iterdir()] == ["distribution.json"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"distribution": 3}', '{"distribution": "set-cov', b"\xff"])
def test_wrong_manifests(tmp_path: Path, content: str | bytes) -> None:
    (tmp_path / "distribution.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    for act in (lambda: read_manifest(tmp_path), lambda: write_manifest(tmp_path, "set-cover-tiny")):
        with pytest.raises(
            InputError, match=r"distribution\.json: (field 'distribution': )?expected the (man|name)"
        ):
            act()


def test_weights() -> None:
    weights = POOL.weights(0.25)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] == weights[1]
    assert weights[2] / weights[0] == pytest.approx(np.exp(-1.0))
    mirrored = replace(POOL, objectives=-POOL.objectives, minimize=False)
    np.testing.assert_allclose(mirrored.weights(0.25), weights)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objectives": np.array([10.0, 9.0, 12.0])}, "array 'objectives': expected the best first"),
        ({"objectives": np.array([10.0, np.nan, 12.0])}, "array 'objectives' holds a number that is not finite"),
        ({"columns": np.arange(9, dtype=np.int32)[::-1]}, "array 'columns': expected increasing"),
        ({"variables": 11}, "array 'columns' holds 11: expected less than 11"),
        ({"values": POOL.values[:2]}, r"array 'packed' has shape \[2, 2\]: expected \[3"),
        ({"columns": np.arange(12, dtype=np.int32), "values": POOL.values[:, :3]}, "array 'packed' has 1 bytes"),
        ({"seconds": -1.0}, "array 'seconds' holds -1: expected at least 0"),
        ({"objectives": np.zeros(0), "values": POOL.values[:0]}, "at least one solution"),
    ],
)
def test_wrong_arrays(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(POOL, **changes).save(tmp_path / "a.npz")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_wrong_files(tmp_path: Path) -> None:
    POOL.save(tmp_path / "a.npz")
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"a\.npz: expected a pool of solutions"):
        Pool.load(tmp_path / "a.npz")
    write_arrays(tmp_path / "b.npz", {"columns": POOL.columns})
    with pytest.raises(InputError, match="array 'minimize' is missing"):
        Pool.load(tmp_path / "b.npz")
    with pytest.raises(InputError, match="expected a folder with pools of solutions"):
        pools(tmp_path / "none")
