from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from co_gym import registry
from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from policies.learning.cli import main
from policies.learning.prediction_data import ShuffledPools, SolutionPools
from policies.prediction.format import Pool, write_manifest
from policies.prediction.samples import batch_of, instances_of, sample_of, samples_in

NAME = "set-cover-tiny"


def program_of(number: int, split: str = "train", name: str = NAME) -> MixedIntegerProgram:
    distribution = registry.distribution("milp", name)
    return registry.problem(distribution.problem).formulate(distribution.instance(split, number)).program


def pool_of(program: MixedIntegerProgram, solutions: int = 3) -> Pool:
    """Columns that cover much for their cost: no solutions, but a function of the features."""
    score = program.c / np.maximum(program.A.getnnz(axis=0), 1)
    order = score.argsort(kind="stable")
    values = np.zeros((solutions, program.num_variables), dtype=bool)
    for number in range(solutions):
        values[number, order[number : 20 + number]] = True
    objectives = (values @ program.c)[:1] * (1 + 0.01 * np.arange(solutions))
    columns = np.arange(program.num_variables, dtype=np.int32)
    return Pool(
        columns=columns, objectives=objectives, values=values, minimize=True, variables=program.num_variables
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for split, count in (("train", 6), ("validation", 3)):
        (tmp_path / NAME / split).mkdir(parents=True)
        for number in range(count):
            pool_of(program_of(number, split), 2 + number % 2).save(tmp_path / NAME / split / f"{number:05d}.npz")
    write_manifest(tmp_path / NAME, NAME)
    return tmp_path / NAME


def test_a_batch_holds_its_instances(folder: Path) -> None:
    samples = samples_in(folder / "train", program_of)
    assert len(samples) == 6
    batch = batch_of(samples[:3])
    programs = [program_of(number) for number in range(3)]
    n = programs[0].num_variables
    assert batch["counts"].tolist() == [n, n, n]
    assert batch["solutions"].tolist() == [2, 3, 2]
    assert len(batch["indices"]) == sum(program.A.nnz for program in programs)
    found = list(instances_of(batch, torch.arange(3.0 * n), 0.5))
    for number, (logits, values, weights) in enumerate(found):
        pool = pool_of(programs[number], 2 + number % 2)
        assert logits.tolist() == list(range(number * n, (number + 1) * n))
        np.testing.assert_array_equal(values, pool.values)
        np.testing.assert_allclose(weights, pool.weights(0.5))


def test_only_binary_columns_have_logits() -> None:
    program = program_of(0, name="facility-tiny")
    binary = np.flatnonzero(program.integer).astype(np.int32)[:7]
    pool = Pool(
        columns=binary, objectives=np.array([5.0]), values=np.ones((1, 7), dtype=bool), minimize=True,
        variables=program.num_variables,
    )  # fmt: skip
    sample = sample_of(program, pool)
    batch = batch_of([sample, sample])
    (_, (second, _, _)) = instances_of(batch, torch.arange(2.0 * program.num_variables), 1.0)
    assert second.tolist() == (binary + program.num_variables).tolist()
    continuous = replace(pool, columns=np.flatnonzero(~program.integer)[:7].astype(np.int32))
    with pytest.raises(InputError, match="binary variables"):
        sample_of(program, continuous)


def test_pools_of_other_programs_are_refused(folder: Path) -> None:
    program = program_of(0)
    pool = pool_of(program)
    with pytest.raises(InputError, match="201 variables"):
        sample_of(program, replace(pool, variables=program.num_variables + 1))
    with pytest.raises(InputError, match="to maximize"):
        sample_of(program, replace(pool, minimize=False, objectives=-pool.objectives))
    replace(pool, variables=999).save(folder / "train/00004.npz")
    with pytest.raises(InputError, match=r"00004\.npz"):
        samples_in(folder / "train", program_of)
    (folder / "train/00004.npz").rename(folder / "train/first.npz")
    with pytest.raises(InputError, match="number of an instance"):
        samples_in(folder / "train", program_of)


def test_each_pass_sees_every_instance_once(folder: Path) -> None:
    samples = samples_in(folder / "train", program_of)
    for place, sample in enumerate(samples):
        sample.behind[:] = place
    batches = ShuffledPools(samples, 4, seed=3)
    assert len(batches) == 2
    seen = []
    for key in [(0, 0), (0, 1), (1, 0)]:
        parts = batches[key]["behind"].split(batches[key]["solutions"].tolist())  # type: ignore[no-untyped-call]
        seen += [int(part[0]) for part in parts]
    assert sorted(seen[:6]) == sorted(seen[6:]) == list(range(6))
    assert seen[:6] != seen[6:]
    again = ShuffledPools(samples, 4, seed=3)[1, 0]
    assert all(torch.equal(value, again[name]) for name, value in batches[1, 0].items())


def test_arguments_are_checked(tmp_path: Path) -> None:
    for folders, instances, seed in (([], 4, 0), (["a"], 0, 0), (["a"], 4, -1)):
        with pytest.raises(InputError, match="expected at least"):
            SolutionPools(folders, instances, seed)
    with pytest.raises(InputError, match=r"nonsense/distribution\.json: expected the manifest"):
        SolutionPools([str(tmp_path / "nonsense")]).setup("fit")


@pytest.mark.parametrize("loss", ["cross-entropy", "contrastive", "negatives"])
def test_training_learns_what_the_pools_prefer(folder: Path, tmp_path: Path, loss: str) -> None:
    config = {
        "seed_everything": 1,
        "trainer": {"max_epochs": 12, "accelerator": "cpu", "default_root_dir": str(tmp_path)},
        "model": {
            "class_path": "policies.learning.prediction.SolutionPrediction",
            "init_args": {
                "network": {
                    "class_path": "policies.prediction.network.Predictor",
                    "init_args": {"width": 16, "competitive": loss == "contrastive"},
                },
                "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.01}},
                "loss": loss,
            },
        },
        "data": {
            "class_path": "policies.learning.prediction_data.SolutionPools",
            "init_args": {"folders": [str(folder)], "instances": 2},
        },
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    assert main(["fit", "--config", str(path)]) == 0
    run = tmp_path / "lightning_logs/version_0"
    rows = [row for row in csv.DictReader((run / "metrics.csv").open()) if row["val/auc"]]
    figures = {name: float(value) for name, value in rows[-1].items() if name.startswith("val/")}
    assert figures["val/auc"] > (80 if loss == "negatives" else 90)
    assert figures["val/precision"] > 40  # a tenth at random
    assert figures["val/gap"] == pytest.approx(100 - figures["val/precision"], abs=1e-3)
    assert 0 <= figures["val/calibration"] < 10
    assert float(rows[-1]["val/loss"]) < float(rows[0]["val/loss"])
    state = torch.load(run / "checkpoints/best.ckpt", weights_only=True)["state_dict"]
    assert float(state["network.scale"]) > 0
    assert float(state["network.shift"]) != 0
