import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import yaml

from policies.learning import data
from policies.learning.base import PolicyTraining
from policies.learning.cli import main
from policies.learning.schedules import FlatThenCosine


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize(
    "method",
    [
        ["--model.init_args.baseline=policies.learning.baselines.RolloutBaseline"],
        pytest.param(["--model.class_path=policies.learning.ppo.PPO"], marks=pytest.mark.slow),
        pytest.param(
            ["--model.class_path=policies.learning.self_improvement.SelfImprovement"], marks=pytest.mark.slow
        ),
    ],
)
def test_a_resumed_training_is_the_uninterrupted_one(train, metrics, weights, method):
    whole = train("whole", *method, "--trainer.max_epochs=3")
    train("half", *method, "--trainer.max_epochs=1")
    last = str(whole.parents[2] / "half/lightning_logs/version_0/checkpoints/last.ckpt")
    resumed = train("resumed", *method, "--trainer.max_epochs=3", "--ckpt_path", last)
    assert same(weights(whole), weights(resumed))
    assert [row for row in metrics(whole) if row["epoch"] >= 1] == metrics(resumed)


def test_a_training_resumed_within_an_epoch_is_the_uninterrupted_one(train, config, weights):
    settings = yaml.safe_load(config.read_text())
    middle = {"filename": "middle", "every_n_train_steps": 4, "save_top_k": -1}
    callback = {"class_path": "lightning.pytorch.callbacks.ModelCheckpoint", "init_args": middle}
    config.write_text(yaml.safe_dump(settings | {"trainer": settings["trainer"] | {"callbacks": [callback]}}))
    whole = train("whole")
    path = whole / "checkpoints/middle.ckpt"
    assert torch.load(path, weights_only=True)["global_step"] == 4  # one of three batches of the second epoch
    assert same(weights(whole), weights(train("resumed", "--ckpt_path", str(path))))


def test_workers_change_nothing(train, weights):
    assert same(
        weights(train("alone", "--data.validation=null")),
        weights(train("two", "--data.validation=null", "--data.workers=1")),
    )


def poisoned(monkeypatch, epoch, value):
    """Batch 1 of an epoch holds a coordinate that is no number."""
    drawn = data.GeneratedBatches.__getitem__

    def draw(self, key):
        batch = drawn(self, key)
        if key == (epoch, 1):
            batch["coordinates"][0, 2, 0] = value
        return batch

    monkeypatch.setattr(data.GeneratedBatches, "__getitem__", draw)


def diverges(config, tmp_path, capsys):
    code = main(["fit", "--config", str(config), "--trainer.default_root_dir", str(tmp_path)])
    shown = capsys.readouterr().err
    assert code == 1
    assert shown.count("\n") == 1
    assert "training diverged in epoch 1, step 4" in shown
    last = torch.load(tmp_path / "lightning_logs/version_0/checkpoints/last.ckpt", weights_only=True)
    assert last["epoch"] == 0
    assert all(value.isfinite().all() for value in last["state_dict"].values())
    return shown


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_what_is_no_number_ends_the_training(config, tmp_path, capsys, monkeypatch, value):
    poisoned(monkeypatch, 1, value)
    diverges(config, tmp_path, capsys)


def test_gradients_that_are_no_numbers_end_the_training(config, tmp_path, capsys, monkeypatch):
    backward = PolicyTraining.on_after_backward

    def spoilt(self):
        backward(self)
        if (self.current_epoch, self.global_step) == (1, 4):
            next(p for p in self.parameters() if p.grad is not None).grad[0] = torch.inf

    monkeypatch.setattr(PolicyTraining, "on_after_backward", spoilt)
    assert "gradient" in diverges(config, tmp_path, capsys)


def test_a_loss_that_is_no_number_ends_the_training(config, tmp_path, capsys, monkeypatch):
    check = PolicyTraining.check

    def spoilt(self, loss):
        return check(self, loss * torch.nan if (self.current_epoch, self.global_step) == (1, 4) else loss)

    monkeypatch.setattr(PolicyTraining, "check", spoilt)
    assert "loss" in diverges(config, tmp_path, capsys)


def test_the_schedule_is_flat_then_falls():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=2.0)
    schedule = FlatThenCosine(optimizer, steps=100, warmup=4, flat=0.5, final=0.1)
    rates = []
    for _ in range(120):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[:5] == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0])
    assert rates[5:50] == pytest.approx([2.0] * 45)
    assert rates[75] == pytest.approx(2.0 * 0.55)
    assert rates[100:] == pytest.approx([0.2] * 20)
    assert all(a >= b for a, b in pairwise(rates[5:]))


SCRIPT = Path(__file__).parents[3] / "scripts/train.py"


@pytest.mark.slow
def test_two_processes_train_together(train, config, tmp_path, weights, metrics):
    """Each sees instances of its own, and the gradients are means, so that the weights are those of neither."""
    options = ["--trainer.default_root_dir", "two", "--trainer.devices=2", "--trainer.strategy=ddp"]
    command = [sys.executable, str(SCRIPT), "fit", "--config", str(config), *options]
    env = {key: value for key, value in os.environ.items() if not key.startswith("PL_")} | {"OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, env=env)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("epoch 1") == 1
    assert run.stderr == ""
    folder = tmp_path / "two/lightning_logs/version_0"
    assert max(row.get("train/instances", 0) for row in metrics(folder)) == 2 * 2 * 3 * 4
    assert all(value.isfinite().all() for value in weights(folder).values())
    assert not same(weights(folder), weights(train("one")))


def test_bfloat16_is_for_the_encoder_alone(train, metrics):
    rewards = [rewards_of(train(p, f"--trainer.precision={p}"), metrics) for p in ("32-true", "bf16-mixed")]
    assert rewards[1] == pytest.approx(rewards[0], rel=0.2)
    assert rewards[1] != rewards[0]


@pytest.mark.slow
def test_the_encoder_may_be_compiled(train, metrics, weights):
    compiled, plain = (
        train(c, f"--model.init_args.compile_encoder={c}", "--trainer.max_epochs=1") for c in ("true", "false")
    )
    assert weights(compiled).keys() == weights(plain).keys()
    assert rewards_of(compiled, metrics) == pytest.approx(rewards_of(plain, metrics), rel=0.1)


def rewards_of(run, metrics):
    return [row["train/reward"] for row in metrics(run) if "train/reward" in row]
