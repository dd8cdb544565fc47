"""Families of circuits, by name."""

from __future__ import annotations

from co_gym import registry
from quantum.ansatze.base import Ansatz

__all__ = ["Ansatz", "ansatz"]


def ansatz(name: str) -> Ansatz:
    """The ansatz of a given name, of those registered in `co_gym.ansatze`.

    Raises:
        InputError: If there is none, or it cannot be loaded.
    """
    found: Ansatz = registry.ansatz(name)
    return found
