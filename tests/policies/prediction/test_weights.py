from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from co_gym.errors import InputError
from milp.distributions import distribution
from policies.prediction.cards import PredictionCard
from policies.prediction.features import DESCRIPTOR, describe, graph_of
from policies.prediction.network import Predictor
from policies.prediction.synthetic import batch, write_pools, write_predictor
from policies.prediction.weights import TRAINING, from_lightning, load
from policies.weights.cards import read_card

NAME = "set-cover-tiny"
SCRIPT = Path(__file__).parents[3] / "scripts" / "export.py"


def a_run(folder: Path) -> Path:
    """Pools, and what a training on them leaves behind."""
    pools = folder / "pools"
    write_pools(pools, NAME, training=3)
    network = {"class_path": "policies.prediction.network.Predictor", "init_args": {"width": 8}}
    config = {
        "model": {"class_path": TRAINING, "init_args": {"network": network, "loss": "contrastive"}},
        "data": {"class_path": "any", "init_args": {"folders": [str(pools)], "seed": 7}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    made = Predictor(width=8)
    made.fit([batch(distribution(NAME).program("train", 0))])
    state = {f"network.{key}": value for key, value in made.state_dict().items()}
    torch.save({"state_dict": state, "instances": 60, "seconds": 90.0}, folder / "last.ckpt")
    return folder / "last.ckpt"


def test_the_card_of_a_training(tmp_path: Path) -> None:
    network, card = from_lightning(a_run(tmp_path), name="mine", threads=2, machine="here")
    budget = card.budget
    assert (budget.instances, budget.solutions, budget.seen, budget.minutes) == (3, 6, 60, 1.5)
    assert (budget.labelling_minutes, card.loss, card.seed) == (1.0, "contrastive", 7)
    [known] = card.trained
    assert (known.name, known.instances, len(known.mean)) == ("pools", 3, len(DESCRIPTOR))
    assert card.results["pools"].keys() == {"auc", "precision", "calibration"}
    assert 0 <= card.results["pools"]["auc"] <= 100
    assert not network.training


def test_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    words = [a_run(tmp_path), "--name", "mine", "--output", tmp_path / "out", "--hooks", "predict-and-search"]
    monkeypatch.setattr(sys, "argv", ["export.py", *map(str, words)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert read_card(tmp_path / "out/mine.json", PredictionCard).hooks == ("predict-and-search",)
    assert "pools auc" in capsys.readouterr().out
    given = batch(distribution(NAME).program("test", 0))
    expected, _ = from_lightning(tmp_path / "last.ckpt", name="mine")
    assert torch.equal(load("mine", tmp_path / "out")(given), expected(given))


def test_a_checkpoint_of_another_size_is_refused(tmp_path: Path) -> None:
    checkpoint = a_run(tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text().replace("width: 8", "width: 9"))
    with pytest.raises(InputError, match="does not fit"):
        from_lightning(checkpoint, name="mine")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    program = distribution(NAME).program("train", 0)
    network = write_predictor(tmp_path, {NAME: program}, width=8, competitive=True)
    assert torch.equal(load("random", tmp_path)(batch(program)), network(batch(program)))


def test_the_descriptor_does_not_depend_on_the_order() -> None:
    program, rng = distribution("item-placement-tiny").program("train", 0), np.random.default_rng(0)
    columns, rows = rng.permutation(program.num_variables), rng.permutation(program.num_rows)
    other = replace(
        program, c=program.c[columns], A=program.A[rows][:, columns], lower=program.lower[columns],
        upper=program.upper[columns], integer=program.integer[columns], row_lower=program.row_lower[rows],
        row_upper=program.row_upper[rows], variable_names=None, row_names=None,
    )  # fmt: skip
    np.testing.assert_allclose(describe(graph_of(other)), describe(graph_of(program)), rtol=1e-5)
