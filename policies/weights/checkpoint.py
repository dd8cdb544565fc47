"""Weights on disk: `<name>.safetensors` and a card that says what they are, `<name>.json`."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import torch as safetensors
from torch import Tensor, nn

import co_gym
from co_gym.errors import InputError
from policies.decoders.base import Decoder
from policies.encoders.base import Encoder
from policies.policy import ConstructivePolicy
from policies.tasks.base import Task
from policies.weights.cards import SUFFIX, WEIGHTS, BaseCard, Card, Configuration, find, read_card, write_card
from policies.weights.classes import construct, defaults
from policies.weights.tensors import read_tensors

PARTS: dict[str, Any] = {"task": Task, "encoder": Encoder, "decoder": Decoder}
DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def build(configuration: Configuration, path: Path | None = None) -> ConstructivePolicy:
    """A policy with random weights; does not touch torch's global generator.

    Args:
        configuration: Its parts.
        path: The card, for messages.

    Raises:
        InputError: If a part is not a known kind of task, encoder or decoder.
    """
    path = Path("policy") if path is None else path
    with torch.random.fork_rng(devices=[]):
        parts = {
            name: construct(getattr(configuration, name), base, path, f"policy.{name}")
            for name, base in PARTS.items()
        }
        try:
            return ConstructivePolicy(**parts)
        except (TypeError, ValueError, RuntimeError, ZeroDivisionError, MemoryError) as error:
            raise InputError(f"field 'policy': its parts do not fit together: {error}", path=path) from error


def load(
    name_or_path: str | Path, *, folder: str | Path | None = None, device: torch.device | str = "cpu"
) -> ConstructivePolicy:
    """The policy of a card and its weights, in evaluation mode and float32.

    Nothing is unpickled, and only tasks, encoders and decoders of `policies.weights.classes.packages` are made.

    Args:
        name_or_path: Name of weights that come with the package, or the path of `.json` or `.safetensors`.
        folder: Where to look for names instead.
        device: Where the weights go.

    Raises:
        InputError: If the card or the weights are malformed or do not belong together; names file and field.
    """
    path = find(name_or_path, folder)
    card = read_card(path)
    policy = build(card.policy, path)
    if policy.environment.problem != card.problem:
        message = f"field 'problem' is '{card.problem}': its task is for {policy.environment.problem}"
        raise InputError(message, path=path)
    load_weights(policy, card, path)
    return policy.requires_grad_(False).eval().to(device)


def save(
    policy: ConstructivePolicy, card: Card, folder: str | Path, *, dtype: torch.dtype = torch.float32
) -> Path:
    """Writes weights and card; the card's class paths and arguments must describe the policy.

    Args:
        policy: Whose weights.
        card: What else there is to know; its `version` and `sha256` are filled in, its arguments completed.
        folder: Made if it does not exist.
        dtype: Of the floats in the file: float32, or half of the size in float16 or bfloat16.

    Returns:
        The path of the weights.

    Raises:
        InputError: If the card describes another policy, or a weight is not finite in this dtype.
    """
    parts = {name: defaults(getattr(card.policy, name), base) for name, base in PARTS.items()}
    card = replace(card, policy=Configuration(**parts))
    described = build(card.policy, Path(folder) / f"{card.name}{SUFFIX}")
    return save_weights(policy, described, card, folder, dtype)


def load_weights(network: nn.Module, card: BaseCard, path: Path) -> None:
    """Gives a network the weights of a card.

    Args:
        network: What the card describes.
        card: The card.
        path: Its file.

    Raises:
        InputError: If the weights are malformed or not those of the card.
    """
    tensors = _read_weights(path.with_suffix(WEIGHTS), card, path)
    _require_fit(network.state_dict(), tensors, path.with_suffix(WEIGHTS))
    network.load_state_dict(tensors)


def save_weights(
    network: nn.Module,
    described: nn.Module,
    card: BaseCard,
    folder: str | Path,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Writes the weights of a network and their card, and returns the path of the weights.

    Args:
        network: Whose weights.
        described: What the card describes.
        card: The card; its `version` and `sha256` are filled in.
        folder: Made if it does not exist.
        dtype: Of the floats in the file.

    Raises:
        InputError: If the card describes another network, or a weight is not finite in this dtype.
    """
    if dtype not in DTYPES:
        raise InputError(f"dtype is {dtype}: expected {', '.join(map(str, DTYPES))}")
    path = Path(folder) / f"{card.name}{WEIGHTS}"
    tensors = {
        key: value.detach().cpu().to(dtype if value.is_floating_point() else value.dtype).contiguous().clone()
        for key, value in network.state_dict().items()
    }
    _require_fit(described.state_dict(), tensors, path)
    Path(folder).mkdir(parents=True, exist_ok=True)
    data = safetensors.save(tensors)
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    write_card(replace(card, version=co_gym.__version__, sha256=digest), folder)
    return path


def _read_weights(path: Path, card: BaseCard, card_path: Path) -> dict[str, Tensor]:
    return read_tensors(path, card, card_path, safetensors.load)


def _require_fit(expected: dict[str, Any], tensors: dict[str, Tensor], path: Path) -> None:
    """Checks names, shapes, kinds and values of weights against those of a policy."""
    have, want = tensors.keys(), expected.keys()
    for kind, names in (("missing", want - have), ("unexpected", have - want)):
        if names:
            raise InputError(f"{kind} weights: {', '.join(sorted(names)[:5])}", path=path)
    for key, tensor in tensors.items():
        right = cast(Tensor, expected[key])
        if tensor.shape != right.shape:
            raise InputError(f"'{key}' has shape {list(tensor.shape)}: expected {list(right.shape)}", path=path)
        if tensor.is_floating_point() != right.is_floating_point():
            raise InputError(f"'{key}' has dtype {tensor.dtype}: expected {right.dtype}", path=path)
        if not bool(torch.isfinite(tensor).all()):
            raise InputError(f"'{key}' holds a number that is not finite", path=path)
