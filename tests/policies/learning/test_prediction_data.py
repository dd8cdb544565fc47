from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from co_gym.errors import InputError
from co_gym.io import write
from milp.distributions import distribution
from policies.learning.cli import main
from policies.learning.prediction_data import SolutionPools
from policies.prediction.format import Pool, write_manifest


@pytest.fixture
def pools(tmp_path: Path) -> Path:
    """Pools, which are no solutions, of a folder of files: two for training and one for validation."""
    for split, count in (("train", 2), ("validation", 1)):
        (tmp_path / "models" / split).mkdir(parents=True)
        (tmp_path / "pools" / split).mkdir(parents=True)
        for number in range(count):
            write(tmp_path / f"models/{split}/{number}.mps", distribution("auction-tiny").instance(split, number))
            program = distribution("auction-tiny").program(split, number)
            columns = np.flatnonzero(program.binary).astype(np.int32)
            Pool(
                columns=columns,
                objectives=np.zeros(2),
                values=np.random.default_rng(number).random((2, columns.size)) < 0.2,
                minimize=False,
                variables=program.num_variables,
            ).save(tmp_path / f"pools/{split}/{number:05d}.npz")
    write_manifest(tmp_path / "pools", str(tmp_path / "models"))
    return tmp_path / "pools"


def test_a_folder_of_files_trains_in_one_call(pools: Path, tmp_path: Path) -> None:
    run = ["--trainer.max_epochs=2", f"--trainer.default_root_dir={tmp_path}", "--data.instances=1"]
    small = ["--model.network.width=8"]
    assert main(["fit", "--config", "milp/coco", "--data.folders", f"[{pools}]", *run, *small]) == 0
    checkpoint = tmp_path / "lightning_logs/version_0/checkpoints/last.ckpt"
    assert torch.load(checkpoint, weights_only=True)["global_step"] == 4


def test_programs_are_those_of_the_manifest(pools: Path) -> None:
    data = SolutionPools([str(pools)])
    data.setup("fit")
    assert data.validation_names() == ["pools"]
    assert (len(data.training), len(data.validation[0])) == (1, 1)
    graph = data.validation[0][0].graph
    assert len(graph["variables"]) == distribution("auction-tiny").program("validation", 0).num_variables


def test_distributions_that_are_not_there(pools: Path) -> None:
    (pools / "distribution.json").unlink()
    with pytest.raises(InputError, match=r"pools/distribution\.json: expected the manifest"):
        SolutionPools([str(pools)]).setup("fit")
    write_manifest(pools, "set-covers")
    with pytest.raises(
        InputError, match=r"distribution\.json: field 'distribution': unknown distribution 'set-cov"
    ):
        SolutionPools([str(pools)]).setup("fit")


def test_a_folder_that_is_gone_is_named(pools: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "models").rename(tmp_path / "moved")
    with pytest.raises(InputError, match=r"distribution\.json: field 'distribution': .*models: expected a folder"):
        SolutionPools([str(pools)]).setup("fit")
    run = [f"--data.folders=[{pools}]", f"--trainer.default_root_dir={tmp_path}"]
    assert main(["fit", "--config", "milp/coco", *run]) == 2
    assert capsys.readouterr().err.count("distribution.json") == 1
