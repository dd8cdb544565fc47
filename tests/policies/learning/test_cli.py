from pathlib import Path

import pytest
import torch
import yaml

from policies.learning.cli import CONFIGS, main, shipped, with_shipped


def test_a_training_leaves_logs_and_checkpoints(train, metrics, capsys):
    run = train("run")
    assert {"metrics.csv", "config.yaml", "checkpoints"} <= {path.name for path in run.iterdir()}
    assert list(run.glob("events.out.tfevents*"))
    assert {path.name for path in (run / "checkpoints").iterdir()} == {"last.ckpt", "best.ckpt"}
    rows = metrics(run)
    assert max(row.get("train/instances", 0) for row in rows) == 2 * 3 * 4
    assert all("val/gap" in row and "train/reward" in row for row in merged(rows).values())
    shown = capsys.readouterr()
    assert "epoch 1" in shown.out
    assert "instances 24" in shown.out
    assert "inst/s" in shown.out
    assert "gap " in shown.out
    assert "Tip" not in shown.out + shown.err
    assert shown.err == ""


def merged(rows):
    found = {}
    for row in rows:
        found.setdefault(row["epoch"], {}).update(row)
    return found


def test_the_same_seed_gives_the_same_weights(train, weights):
    first, again, other = (weights(train(*run)) for run in (("a",), ("b",), ("c", "--seed_everything", "4")))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


def test_the_best_checkpoint_is_the_one_with_the_smallest_gap(train, metrics):
    run = train("run", "--trainer.max_epochs=4")
    gaps = {int(row["epoch"]): row["val/gap"] for row in metrics(run) if "val/gap" in row}
    best = torch.load(run / "checkpoints/best.ckpt", weights_only=True)["epoch"]
    assert gaps[best] == min(gaps.values())
    assert torch.load(run / "checkpoints/last.ckpt", weights_only=True)["epoch"] == 3


@pytest.mark.parametrize("command", ["validate", "test"])
def test_checkpoints_are_validated(train, config, metrics, command, tmp_path, capsys, monkeypatch):
    run = train("run")
    gap = [row["val/gap"] for row in metrics(run) if "val/gap" in row][-1]
    capsys.readouterr()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert main([command, "--config", str(config), "--ckpt_path", str(run / "checkpoints/last.ckpt")]) == 0
    assert f"{gap:.4f}" in capsys.readouterr().out.replace(" ", "")
    assert sorted(tmp_path.iterdir()) == before


def test_a_training_without_validation_keeps_the_last_checkpoint_only(train):
    run = train("run", "--data.validation=null")
    assert {path.name for path in (run / "checkpoints").iterdir()} == {"last.ckpt"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--trainer.nonsense", "3"], ["nonsense"]),
        (["--trainer.max_epochs", "many"], ["max_epochs", "many"]),
        (["--config", "nowhere.yaml"], ["nowhere.yaml"]),
        (["--model.class_path", "policies.learning.reinforce.Nothing"], ["Nothing"]),
        (["--model.init_args.leeder", "2"], ["leeder"]),
        (["--model.init_args.leader", "0.5"], ["leader", "0.5", "at least 1"]),
        (["--model.init_args.optimizer.init_args.lr=-1"], ["optimizer", "learning rate"]),
        (["--data.sources", "[{size: 0}]"], ["size"]),
        (["--data.sources", "[{size: 6, distribution: nonsense}]"], ["nonsense", "uniform"]),
        (["--data.validation", "tsp21"], ["tsp21", "tsp20"]),
        (["--data.problem", "tps"], ["tps", "tsp"]),
        (["--data.batch_size", "0"], ["batch_size"]),
        (["--ckpt_path", "nowhere.ckpt"], ["nowhere.ckpt"]),
        (["--trainer.devices", "0"], ["devices"]),
    ],
)
def test_mistakes_end_in_one_message(config, tmp_path, options, words, capsys):
    args = ["fit", "--config", str(config), "--trainer.default_root_dir", str(tmp_path), *options]
    try:
        code = main(args)
    except SystemExit as exit:
        code = exit.code
    shown = capsys.readouterr()
    assert code == 2
    assert all(word in shown.err for word in words), shown.err
    assert "Traceback" not in shown.err


def test_files_that_are_no_checkpoints_are_refused(config, tmp_path, capsys):
    path = tmp_path / "broken.ckpt"
    path.write_text("nothing of the kind")
    options = ["--config", str(config), "--trainer.default_root_dir", str(tmp_path)]
    assert main(["fit", *options, "--ckpt_path", str(path)]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_checkpoints_of_other_networks_are_refused(train, config, capsys):
    run = train("run")
    options = ["--config", str(config), "--ckpt_path", str(run / "checkpoints/last.ckpt")]
    assert main(["validate", *options, "--model.policy.encoder.init_args.width", "32"]) == 2
    assert "size mismatch" in capsys.readouterr().err


def test_shipped_configurations_are_found_by_name(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert shipped("tsp/pomo_20") == str(CONFIGS / "tsp/pomo_20.yaml")
    assert shipped("tsp/nothing") == "tsp/nothing"
    Path("tsp").mkdir()
    Path("tsp/pomo_20").write_text("")
    assert shipped("tsp/pomo_20") == "tsp/pomo_20"
    assert with_shipped(["fit", "--config", "tsp/am_20.yaml", "--x"])[2] == str(CONFIGS / "tsp/am_20.yaml")
    assert with_shipped(["--config=tsp/am_20"]) == [f"--config={CONFIGS / 'tsp/am_20.yaml'}"]


def test_the_kept_configuration_can_be_trained(train, config, tmp_path, weights):
    run = train("run")
    kept = yaml.safe_load((run / "config.yaml").read_text())
    assert kept["data"]["init_args"]["batch_size"] == 4
    root = tmp_path / "again"
    assert main(["fit", "--config", str(run / "config.yaml"), "--trainer.default_root_dir", str(root)]) == 0
    again = weights(root / "lightning_logs/version_0")
    assert all(torch.equal(value, again[key]) for key, value in weights(run).items())
