"""Weights that branch, on disk and from a training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from co_gym.errors import InputError
from policies.branching.cards import BranchingBudget, BranchingCard
from policies.branching.network import BranchingNetwork
from policies.branching.samples import Samples
from policies.weights import networks
from policies.weights.known import known
from policies.weights.runs import config_of, minutes_of, read_config, section

TRAINING = "policies.learning.branching.BranchingImitation"


def load(name_or_path: str | Path, folder: str | Path) -> BranchingNetwork:
    """The network of a card, in evaluation mode; see `policies.weights.networks.load`."""
    return networks.load(name_or_path, folder, BranchingCard, BranchingNetwork)


def save(network: BranchingNetwork, card: BranchingCard, folder: str | Path) -> Path:
    """Writes weights and card; see `policies.weights.networks.save`."""
    return networks.save(network, card, BranchingNetwork, folder)


def from_lightning(
    checkpoint: Path,
    *,
    name: str,
    config: Path | None = None,
    minutes: float | None = None,
    collecting_minutes: float = 0.0,
    threads: int = 1,
    machine: str = "unknown",
) -> tuple[BranchingNetwork, BranchingCard]:
    """The network in a Lightning checkpoint, and its card without results.

    Args:
        checkpoint: The `.ckpt`.
        name: Name of the weights.
        config: The configuration; by default the one beside the run.
        minutes: Minutes of wall-clock time that the training took; None: as the checkpoint says.
        collecting_minutes: Minutes of one core that collecting the samples took.
        threads: Threads of the training.
        machine: What it ran on.

    Raises:
        InputError: If a file is missing, malformed or not as expected, the samples' included.
    """
    where = config_of(checkpoint) if config is None else config
    settings = read_config(where)
    network, part, saved = networks.trained(checkpoint, settings, where, BranchingNetwork)
    data = section(settings, "data.init_args", where)
    samples = [Samples(Path(folder) / "train", graphs=False) for folder in data.get("folders") or []]
    trained = [
        known(Path(folder).name, one.count, np.stack([shard.descriptor for shard in one.shards]))
        for folder, one in zip(data["folders"], samples, strict=True)
    ]
    budget = BranchingBudget(
        instances=sum(one.instances for one in trained),
        samples=sum(one.samples for one in trained),
        seen=int(saved.get("instances", 0)),
        minutes=minutes_of(saved) if minutes is None else minutes,
        collecting_minutes=collecting_minutes,
        threads=threads,
        machine=machine,
    )
    card = BranchingCard(
        name=name,
        network=part,
        trained=tuple(trained),
        seed=int(data.get("seed") or 0),
        budget=budget,
        feature_version=_one_version(samples, where),
    )
    return network, card


def _one_version(samples: Sequence[Samples], path: Path) -> int:
    versions = sorted({one.shards[0].feature_version for one in samples})
    if len(versions) != 1:
        raise InputError(
            f"field 'data.init_args.folders': features of versions {versions}: expected one", path=path
        )
    return versions[0]
