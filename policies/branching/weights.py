"""Weights that branch, on disk and from a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from co_gym.errors import InputError
from policies.branching.cards import BranchingBudget, BranchingCard
from policies.branching.network import BranchingNetwork
from policies.branching.samples import Samples
from policies.weights.cards import SUFFIX, Part, find, read_card
from policies.weights.checkpoint import load_weights, save_weights
from policies.weights.classes import construct, defaults
from policies.weights.known import known
from policies.weights.plain import from_plain
from policies.weights.runs import config_of, part_of, read_checkpoint, read_config, section, weights_in

PREFIX = "network."
TRAINING = "policies.learning.branching.BranchingImitation"


def build(part: Part, path: Path) -> BranchingNetwork:
    """A network with random weights; does not touch torch's global generator.

    Raises:
        InputError: If it is not a known kind of network; names the file.
    """
    base: Any = BranchingNetwork
    with torch.random.fork_rng(devices=[]):
        made: BranchingNetwork = construct(part, base, path, "network")
        return made


def load(name_or_path: str | Path, folder: str | Path) -> BranchingNetwork:
    """The network of a card, in evaluation mode.

    Args:
        name_or_path: Name of weights in the folder, or the path of either of their files.
        folder: The folder.

    Raises:
        InputError: If card or weights are malformed or do not belong together; names file and field.
    """
    path = find(name_or_path, folder)
    card = read_card(path, BranchingCard)
    network = build(card.network, path)
    load_weights(network, card, path)
    return network.requires_grad_(False).eval()


def save(network: BranchingNetwork, card: BranchingCard, folder: str | Path) -> Path:
    """Writes weights and card, and returns the path of the weights.

    Raises:
        InputError: If the card describes another network, or a weight is not finite.
    """
    base: Any = BranchingNetwork
    card = replace(card, network=defaults(card.network, base))
    return save_weights(network, build(card.network, Path(folder) / f"{card.name}{SUFFIX}"), card, folder)


def is_branching(checkpoint: Path, config: Path | None = None) -> bool:
    """Whether a checkpoint is of a training to branch, by the configuration beside it.

    Raises:
        InputError: If there is no configuration.
    """
    where = config_of(checkpoint) if config is None else config
    return section(read_config(where), "model", where).get("class_path") == TRAINING


def from_lightning(
    checkpoint: Path,
    *,
    name: str,
    config: Path | None = None,
    minutes: float = 0.0,
    collecting_minutes: float = 0.0,
    threads: int = 1,
    machine: str = "unknown",
) -> tuple[BranchingNetwork, BranchingCard]:
    """The network in a Lightning checkpoint, and its card without results.

    Args:
        checkpoint: The `.ckpt`.
        name: Name of the weights.
        config: The configuration; by default the one beside the run.
        minutes: Minutes of wall-clock time that the training took.
        collecting_minutes: Minutes of one core that collecting the samples took.
        threads: Threads of the training.
        machine: What it ran on.

    Raises:
        InputError: If a file is missing, malformed or not as expected, the samples' included.
    """
    where = config_of(checkpoint) if config is None else config
    settings, saved = read_config(where), read_checkpoint(checkpoint)
    given = part_of(section(settings, "model.init_args", where).get("network"))
    part = from_plain(Part, given, where, "model.init_args.network")
    network = build(part, where)
    try:
        network.load_state_dict(weights_in(saved, PREFIX, checkpoint))
    except RuntimeError as error:
        raise InputError(f"does not fit {where}: {error}", path=checkpoint) from error
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
        minutes=minutes,
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
    return network.requires_grad_(False).eval(), card


def _one_version(samples: Sequence[Samples], path: Path) -> int:
    versions = sorted({one.shards[0].feature_version for one in samples})
    if len(versions) != 1:
        raise InputError(
            f"field 'data.init_args.folders': features of versions {versions}: expected one", path=path
        )
    return versions[0]
