from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from co_gym.errors import InputError, SolverError
from milp.distributions import distribution
from milp.prediction.weights import load_predictor
from policies.prediction.cards import PredictionCard
from policies.prediction.synthetic import write_pools, write_predictor
from policies.weights.cards import read_card

NAME = "set-cover-tiny"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "scripts"))
    return importlib.import_module("compare_losses")


@pytest.fixture
def trained(script: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was trained; the precision is the seed, and ten more with competition."""
    names: list[str] = []

    def train(training: str, variant: Any, seed: int, options: list[str], folder: Path) -> None:
        name = variant.name(seed)
        write_predictor(folder, {NAME: distribution(NAME).program("train", 0)}, name, width=4, rounds=1)
        path = folder / f"{name}.json"
        card = json.loads(path.read_text())
        card["results"] = {NAME: {"auc": 90.0, "precision": seed + 10.0 * variant.competitive, "calibration": 1.0}}
        path.write_text(json.dumps(card))
        names.append(name)

    monkeypatch.setattr(script, "train", train)
    return names


def test_each_variant_is_trained_once_with_each_seed(
    script: Any, trained: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "weights")
    script.main("some", seeds=[1], output=folder)
    assert len(set(trained)) == len(trained) == 4
    script.main("some", seeds=[1, 3], output=folder)
    assert len(set(trained)) == len(trained) == 8
    script.main("some", losses=["contrastive", "negatives"], seeds=[1, 3], output=folder, report=True)
    assert len(trained) == 8
    table = capsys.readouterr().out.splitlines()[-2:]  # nothing was trained with negatives
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in table]
    assert cells[0][:6] == ["contrastive", "no", "0.001", "2", "90.00 ± 0.00", "2.00 ± 1.41"]
    assert cells[1][:6] == ["contrastive", "yes", "0.001", "2", "90.00 ± 0.00", "12.00 ± 1.41"]


def test_an_unknown_loss(script: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown loss 'mean'.*cross-entropy, contrastive"):
        script.main("some", losses=["mean"], output=str(tmp_path))


def test_a_training_that_fails_is_named(script: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    variant = script.Variant("contrastive", True, 0.01)
    with pytest.raises(SolverError, match=r"contrastive-competitive-0\.01-2 failed"):
        script.train("milp/coco_set_cover", variant, 2, [f"--data.init_args.folders=[{tmp_path}]"], tmp_path)
    assert str(tmp_path) in capfd.readouterr().err


@pytest.mark.slow
def test_a_training_leaves_weights_that_predict(script: Any, tmp_path: Path) -> None:
    write_pools(tmp_path / "pools", NAME)
    variant = script.Variant("negatives", True, 0.002)
    options = [f"--data.init_args.folders=[{tmp_path / 'pools'}]", "--trainer.max_epochs=1"]
    script.train("milp/coco_set_cover", variant, 5, options, tmp_path / "weights")
    path = tmp_path / "weights" / f"{variant.name(5)}.json"
    card = read_card(path, PredictionCard)
    assert (card.loss, card.seed, card.network.init_args["competitive"]) == ("negatives", 5, True)
    program = distribution(NAME).program("train", 0)
    marginals = load_predictor(path).marginals(program)
    assert ((marginals > 0) & (marginals < 1)).all()
