"""Networks on cards of one network: made from it, written beside it, taken from a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from co_gym.errors import InputError
from policies.weights.cards import SUFFIX, Part, find, read_card
from policies.weights.checkpoint import load_weights, save_weights
from policies.weights.classes import construct, defaults
from policies.weights.known import NetworkCard
from policies.weights.plain import from_plain
from policies.weights.runs import config_of, part_of, read_checkpoint, read_config, section, weights_in

N = TypeVar("N", bound=nn.Module)
PREFIX = "network."


def build(part: Part, base: Callable[..., N], path: Path) -> N:
    """A network with random weights; does not touch torch's global generator.

    Args:
        part: Class path and arguments.
        base: What it must be.
        path: The file that names it.

    Raises:
        InputError: If it is not a known kind of network; names the file.
    """
    with torch.random.fork_rng(devices=[]):
        return construct(part, base, path, "network")


def load(name_or_path: str | Path, folder: str | Path, kind: type[NetworkCard], base: Callable[..., N]) -> N:
    """The network of a card, in evaluation mode.

    Args:
        name_or_path: Name of weights in the folder, or the path of either of their files.
        folder: The folder.
        kind: Of card.
        base: What the network must be.

    Raises:
        InputError: If card or weights are malformed or do not belong together; names file and field.
    """
    path = find(name_or_path, folder)
    card = read_card(path, kind)
    network = build(card.network, base, path)
    load_weights(network, card, path)
    return network.requires_grad_(False).eval()


def save(network: nn.Module, card: Any, base: Callable[..., nn.Module], folder: str | Path) -> Path:
    """Writes weights and card, and returns the path of the weights.

    Raises:
        InputError: If the card describes another network, or a weight is not finite.
    """
    kind: Any = base
    card = replace(card, network=defaults(card.network, kind))
    return save_weights(network, build(card.network, base, Path(folder) / f"{card.name}{SUFFIX}"), card, folder)


def training_of(checkpoint: Path, config: Path | None = None) -> str:
    """Class path of the training that a checkpoint is of, by the configuration beside it.

    Raises:
        InputError: If there is no configuration.
    """
    where = config_of(checkpoint) if config is None else config
    return str(section(read_config(where), "model", where).get("class_path"))


def trained(
    checkpoint: Path, settings: dict[str, Any], where: Path, base: Callable[..., N]
) -> tuple[N, Part, dict[str, Any]]:
    """The network in a Lightning checkpoint in evaluation mode, its part, and the checkpoint.

    Args:
        checkpoint: The `.ckpt`.
        settings: Configuration of the training.
        where: Its file.
        base: What the network must be.

    Raises:
        InputError: If a file is malformed or not as expected.
    """
    saved = read_checkpoint(checkpoint)
    given = part_of(section(settings, "model.init_args", where).get("network"))
    part = from_plain(Part, given, where, "model.init_args.network")
    network = build(part, base, where)
    try:
        network.load_state_dict(weights_in(saved, PREFIX, checkpoint))
    except RuntimeError as error:
        raise InputError(f"does not fit {where}: {error}", path=checkpoint) from error
    return network.requires_grad_(False).eval(), part, saved
