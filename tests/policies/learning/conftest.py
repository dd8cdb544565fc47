"""Trainings that take a moment: 6 cities, width 16, one layer."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from policies.decoders.pointer import PointerDecoder
from policies.encoders.attention import AttentionEncoder
from policies.learning.cli import main
from policies.policy import ConstructivePolicy
from policies.tasks.tsp import TSPTask

Train = Callable[..., Path]


def tiny_config() -> dict[str, Any]:
    """A training of 2 epochs with 3 batches of 4 instances."""
    encoder = {"width": 16, "heads": 2, "layers": 1, "feedforward": 16}
    policy = {
        "task": "policies.tasks.tsp.TSPTask",
        "encoder": {"class_path": "policies.encoders.attention.AttentionEncoder", "init_args": encoder},
        "decoder": {"class_path": "policies.decoders.pointer.PointerDecoder", "init_args": {"heads": 2}},
    }
    model = {
        "policy": {"class_path": "policies.policy.ConstructivePolicy", "init_args": policy},
        "optimizer": {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.01}},
        "scheduler": {
            "class_path": "policies.learning.schedules.FlatThenCosine",
            "init_args": {"steps": 12, "warmup": 2},
        },
        "seed": 5,
    }
    data = {
        "problem": "tsp",
        "sources": [{"size": 6}],
        "batch_size": 4,
        "batches": 3,
        "validation": "tsp20",
        "validation_count": 2,
        "seed": 7,
    }
    return {
        "seed_everything": 3,
        "trainer": {"max_epochs": 2, "accelerator": "cpu", "num_sanity_val_steps": 0},
        "model": {"class_path": "policies.learning.reinforce.Reinforce", "init_args": model},
        "data": {"class_path": "policies.learning.data.GeneratedData", "init_args": data},
    }


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration as a file."""
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(tiny_config()))
    return path


@pytest.fixture
def train(config: Path, tmp_path: Path) -> Train:
    """Trains with options in a new folder, which must succeed; returns the folder of the run."""

    def run(name: str, *options: str) -> Path:
        folder = tmp_path / name
        assert main(["fit", "--config", str(config), "--trainer.default_root_dir", str(folder), *options]) == 0
        return folder / "lightning_logs" / "version_0"

    return run


def metrics(run: Path) -> list[dict[str, float]]:
    """The rows of a run's log."""
    with (run / "metrics.csv").open(newline="") as stream:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(stream)]


def weights(run: Path) -> dict[str, torch.Tensor]:
    """The weights of a run's last checkpoint."""
    state: dict[str, torch.Tensor] = torch.load(run / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    return state


@pytest.fixture(name="metrics")
def _metrics() -> Callable[[Path], list[dict[str, float]]]:
    return metrics


@pytest.fixture(name="weights")
def _weights() -> Callable[[Path], dict[str, torch.Tensor]]:
    return weights


@pytest.fixture
def policy() -> ConstructivePolicy:
    """A tiny policy for tours."""
    torch.manual_seed(0)
    return ConstructivePolicy(
        TSPTask(), AttentionEncoder(width=16, heads=2, layers=1, feedforward=16), PointerDecoder(heads=2)
    )
