"""Imitation of strong branching, on synthetic samples."""

import numpy as np
import pytest
import torch
import yaml

from co_gym.errors import InputError
from policies.branching.losses import PADDING, agreement, cross_entropy, lambda_rank, targets
from policies.branching.samples import Samples
from policies.branching.synthetic import random_shard, write_folder
from policies.learning.branching_data import BranchingSamples, MixedSamples
from policies.learning.cli import main

NETWORKS = {
    "hybrid": {
        "class_path": "policies.branching.hybrid.Hybrid",
        "init_args": {"features": 9, "width": 16, "root_width": 8},
    },
    "gcnn": {"class_path": "policies.branching.gcnn.GCNN", "init_args": {"width": 16}},
}


@pytest.fixture
def fit(tmp_path):
    """Trains a network on the samples of 30 instances; returns the folder of the run."""
    write_folder(tmp_path / "easy", 30, 12)

    def run(name, network="hybrid", *options):
        config = {
            "seed_everything": 1,
            "trainer": {"max_epochs": 3, "accelerator": "cpu", "gradient_clip_val": 1.0},
            "model": {
                "class_path": "policies.learning.branching.BranchingImitation",
                "init_args": {
                    "network": NETWORKS[network],
                    "optimizer": {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.01}},
                },
            },
            "data": {
                "class_path": "policies.learning.branching_data.BranchingSamples",
                "init_args": {"folders": [str(tmp_path / "easy")], "batches": 40, "seed": 2},
            },
        }
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(config))
        folder = tmp_path / name
        args = ["fit", "--config", str(path), "--trainer.default_root_dir", str(folder), *options]
        assert main(args) == 0
        return folder / "lightning_logs/version_0"

    return run


def last(metrics, run, name):
    return [row[name] for row in metrics(run) if name in row][-1]


@pytest.mark.parametrize(
    ("network", "options", "wanted", "gap"),
    [
        ("hybrid", [], 70, 15),
        ("hybrid", ["--model.init_args.network.init_args.root=false"], 60, 20),
        ("hybrid", ["--model.init_args.loss=rank"], 65, 15),
        ("gcnn", ["--trainer.max_epochs=4"], 38, 35),
    ],
)
def test_it_learns_which_candidate_is_best(fit, metrics, network, options, wanted, gap):
    """Choosing at random is right in a quarter of the samples."""
    run = fit("run", network, *options)
    right = [last(metrics, run, f"val/acc{k}") for k in (1, 5, 10)]
    assert wanted <= right[0] <= right[1] <= right[2] <= 100
    assert last(metrics, run, "val/gap") < gap
    assert last(metrics, run, "train/instances") >= 3 * 40 * 8
    assert torch.load(run / "checkpoints/best.ckpt", weights_only=True)["global_step"] >= 40


def test_a_resumed_training_is_the_uninterrupted_one(fit, weights):
    whole = fit("whole")
    fit("half", "hybrid", "--trainer.max_epochs=1")
    checkpoint = whole.parents[2] / "half/lightning_logs/version_0/checkpoints/last.ckpt"
    resumed = weights(fit("resumed", "hybrid", "--ckpt_path", str(checkpoint)))
    assert all(torch.equal(value, resumed[key]) for key, value in weights(whole).items())


def test_several_distributions_are_told_apart(fit, metrics, tmp_path):
    write_folder(tmp_path / "other", 3, 2, seed=5, n=20, m=5)
    folders = f"--data.folders=[{tmp_path / 'easy'},{tmp_path / 'other'}]"
    run = fit("run", "hybrid", folders, "--trainer.max_epochs=1")
    for key in ("gap", "acc1", "loss"):
        parts = [last(metrics, run, f"val/{key}/{name}") for name in ("easy", "other")]
        assert last(metrics, run, f"val/{key}") == pytest.approx(sum(parts) / 2, rel=1e-5)


def test_folders_contribute_equally(tmp_path):
    write_folder(tmp_path / "many", 9, 1)
    write_folder(tmp_path / "few", 2, 1, seed=1, n=20)
    samples = [Samples(tmp_path / name / "train", graphs=False) for name in ("many", "few")]
    assert [(len(one), one.count) for one in samples] == [(9, 36), (2, 8)]
    batches = MixedSamples(samples, instances=4, most=2, length=None, seed=0)
    assert len(batches) == 6
    for index in range(6):
        batch = batches[0, index]
        assert len(batch["variables"]) == 2 * 12 + 2 * 20
        assert len(batch["counts"]) == 8
    drawn = [batches.streams[0][number] for number in range(18)]
    assert sorted(s for i, chosen in drawn for s in [(i, one) for one in chosen]) == [
        (i, s) for i in range(9) for s in range(4)
    ]
    assert drawn != [batches.streams[0][number] for number in range(18, 36)]
    again = MixedSamples(samples, instances=4, most=2, length=None, seed=0)
    assert all(torch.equal(value, again[3, 2][key]) for key, value in batches[3, 2].items())


def test_samples_that_are_refused(fit, tmp_path, capsys):
    with pytest.raises(InputError, match="instances 0"):
        BranchingSamples(["x"], instances=0)
    write_folder(tmp_path / "rooted", 2, 1, graphs=False)
    with pytest.raises(InputError, match=r"0000\.npz: holds no graphs"):
        Samples(tmp_path / "rooted/train", graphs=True)
    random_shard(f=8).save(tmp_path / "rooted/train/0002.npz")
    with pytest.raises(InputError, match=r"0002\.npz: 'features': 8, expected 9"):
        Samples(tmp_path / "rooted/train", graphs=False)
    with pytest.raises(AssertionError):
        fit("run", "hybrid", f"--data.folders=[{tmp_path / 'nothing'}]")
    assert "nothing/validation: expected a folder with samples" in capsys.readouterr().err
    with pytest.raises(AssertionError):
        fit("run", "hybrid", "--model.init_args.network.init_args.features=8")
    shown = capsys.readouterr().err
    assert "the samples have 9 features: the network takes 8" in shown
    assert "Traceback" not in shown


def test_diverging_ends_in_one_message(fit, capsys):
    with pytest.raises(AssertionError):
        fit("run", "hybrid", "--model.init_args.optimizer.init_args.lr=1e30")
    assert "training diverged in epoch 0" in capsys.readouterr().err


SCORES = torch.tensor([[2.0, 1.0, 2.0, -1.0], [0.0, 0.0, -1.0, -1.0]])


def test_what_is_to_be_chosen():
    assert targets(SCORES, 0.1, 0.0).tolist() == [[0.5, 0.0, 0.5, 0.0], [0.5, 0.5, 0.0, 0.0]]
    soft = targets(SCORES, 0.5, 1.0)
    assert soft[0].tolist() == pytest.approx(
        [1 / (2 + np.exp(-1)), np.exp(-1) / (2 + np.exp(-1)), float(soft[0, 0]), 0.0]
    )
    assert torch.allclose(targets(SCORES, 0.5, 0.25), 0.75 * targets(SCORES, 0.5, 0.0) + 0.25 * soft)


@pytest.mark.parametrize("loss", [lambda p, s: cross_entropy(p, s, 0.1, 0.5), lambda_rank])
def test_losses_prefer_the_right_order(loss):
    right = torch.tensor([[3.0, -1.0, 3.0, PADDING], [0.0, 0.0, PADDING, PADDING]], requires_grad=True)
    wrong = torch.tensor([[-1.0, 3.0, 0.0, PADDING], [0.0, 0.0, PADDING, PADDING]])
    assert 0 <= loss(right, SCORES) < loss(wrong, SCORES)
    (gradient,) = torch.autograd.grad(loss(right, SCORES), right)
    assert gradient.isfinite().all()
    assert not gradient[SCORES < 0].any()


def test_agreement_with_strong_branching():
    predicted = torch.tensor([[0.0, 5.0, 1.0, PADDING], [1.0, 0.0, PADDING, PADDING]])
    found = agreement(predicted, SCORES)
    assert found["acc1"].tolist() == [0.0, 1.0]
    assert found["acc5"].tolist() == found["acc10"].tolist() == [1.0, 1.0]
    assert found["ratio"].tolist() == [0.5, 1.0]
