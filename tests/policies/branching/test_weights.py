import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from co_gym.errors import InputError
from policies.branching.cards import BranchingBudget, BranchingCard
from policies.branching.network import BranchingNetwork
from policies.branching.synthetic import write_folder
from policies.branching.weights import TRAINING, load, save
from policies.weights.cards import Part, read_card
from policies.weights.networks import build, training_of

SIZES = {"features": 9, "width": 8, "root_width": 4}
HYBRID = Part(class_path="policies.branching.hybrid.Hybrid", init_args=SIZES)
GCNN = Part(class_path="policies.branching.gcnn.GCNN", init_args={"width": 8})
SCRIPT = Path(__file__).parents[3] / "scripts" / "export.py"


def card(part, name="one"):
    budget = BranchingBudget(instances=2, samples=8, minutes=1.0, threads=1, machine="a test")
    return BranchingCard(name=name, network=part, trained=(), seed=0, budget=budget, feature_version=1)


def written(part, folder):
    return save(build(part, BranchingNetwork, folder), card(part), folder)


@pytest.mark.parametrize("part", [HYBRID, GCNN], ids=["hybrid", "gcnn"])
def test_what_is_saved_is_loaded(part, tmp_path):
    network = build(part, BranchingNetwork, tmp_path)
    path = save(network, card(part), tmp_path)
    found = load("one", tmp_path)
    assert not found.training
    assert all(torch.equal(value, found.state_dict()[key]) for key, value in network.state_dict().items())
    kept = read_card(path.with_suffix(".json"), BranchingCard)
    assert kept.sha256
    if part is HYBRID:
        assert kept.network.init_args["layers"] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(seed="x"), "field 'seed' is 'x'"),
        (lambda c: c["network"].update(class_path="os.system"), "'network.class_path' is 'os.system'"),
        (
            lambda c: c["network"].update(class_path="policies.encoders.attention.AttentionEncoder"),
            "expected a BranchingNetwork",
        ),
        (lambda c: c["network"]["init_args"].update(width=9), "has shape"),
        (lambda c: c["network"]["init_args"].update(width=0), "expected at least 1"),
        (lambda c: c.update(sha256="0"), "field 'sha256'"),
        (lambda c: c.pop("feature_version"), "field 'feature_version' is missing"),
        (lambda c: c.update(problem="tsp"), "unknown field 'problem'"),
    ],
)
def test_cards_that_are_refused(tmp_path, change, message):
    path = written(HYBRID, tmp_path).with_suffix(".json")
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match=message):
        load(path, tmp_path)


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    network = build(HYBRID, BranchingNetwork, tmp_path)
    with torch.no_grad():
        network.score.weight[0, 0] = torch.nan
    with pytest.raises(InputError, match=r"'score\.weight' holds a number that is not finite"):
        save(network, card(HYBRID), tmp_path)
    with pytest.raises(InputError, match="has shape"):
        save(build(GCNN, BranchingNetwork, tmp_path), card(replace(GCNN, init_args={"width": 4})), tmp_path)


def test_the_script(tmp_path, monkeypatch, capsys):
    write_folder(tmp_path / "easy", 3, 2)
    network = {"class_path": HYBRID.class_path, "init_args": HYBRID.init_args}
    config = {
        "model": {
            "class_path": "policies.learning.branching.BranchingImitation",
            "init_args": {"network": network},
        },
        "data": {"class_path": "any", "init_args": {"folders": [str(tmp_path / "easy")], "seed": 7}},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    made = build(HYBRID, BranchingNetwork, tmp_path)
    state = {f"network.{key}": value for key, value in made.state_dict().items()}
    torch.save({"state_dict": state, "instances": 640}, tmp_path / "best.ckpt")
    assert training_of(tmp_path / "best.ckpt") == TRAINING
    words = [tmp_path / "best.ckpt", "--name", "tiny", "--minutes", 3, "--output", tmp_path / "out"]
    words += ["--held-out", tmp_path / "easy/validation", "--collecting-minutes", 5]
    monkeypatch.setattr(sys, "argv", ["export.py", *map(str, words)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    found = read_card(tmp_path / "out/tiny.json", BranchingCard)
    assert (found.budget.instances, found.budget.samples, found.budget.seen, found.seed) == (3, 12, 640, 7)
    assert found.results["easy"].keys() == {"acc1", "acc5", "acc10", "ratio"}
    assert found.results["easy"]["acc10"] == 100
    assert (found.trained[0].name, found.trained[0].mean[0]) == ("easy", 13.0)
    assert "easy acc1" in capsys.readouterr().out
    load(tmp_path / "out/tiny.json", tmp_path)
