"""Encodings of a `quantum.programs.BinaryProgram` into Hamiltonians; they are registered by name."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from co_gym import registry
from co_gym.errors import unknown_name
from quantum.encodings.base import Encoded, Encoding
from quantum.encodings.resources import resources

__all__ = ["Encoded", "Encoding", "encoding", "resources"]


def encoding(name: str, **constants: Any) -> Encoding:
    """The registered encoding of a given name.

    Args:
        name: Its name.
        constants: Those of its constants that are not left at their defaults.

    Raises:
        InputError: If none is registered under it, it has no such constant, or a value is refused.
    """
    found: Any = registry.encoding(name)
    if not constants:
        return found
    for constant in constants:
        names = [field.name for field in fields(found)]
        if constant not in names:
            raise unknown_name(f"constant of the encoding '{name}'", constant, names)
    return replace(found, **constants)
