"""The tensors of a file, as belong to a card; for torch or NumPy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError

from co_gym.errors import InputError
from policies.weights.cards import BaseCard

T = TypeVar("T")


def read_tensors(
    path: Path, card: BaseCard, card_path: Path, parse: Callable[[bytes], dict[str, T]]
) -> dict[str, T]:
    """The tensors by name.

    Args:
        path: The weights.
        card: Their card.
        card_path: Its file, for messages.
        parse: From the file's content to tensors: `safetensors.torch.load` or `safetensors.numpy.load`.

    Raises:
        InputError: If the file cannot be read or is not what the card belongs to.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    try:
        tensors = parse(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise InputError(f"expected weights in the format safetensors: {error}", path=path) from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != card.sha256:
        raise InputError(f"field 'sha256' is '{card.sha256}', {path.name} has {digest}", path=card_path)
    return tensors
