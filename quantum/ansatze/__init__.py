"""Families of circuits, by name."""

from __future__ import annotations

from co_gym import registry
from co_gym.errors import unknown_name
from quantum.ansatze.base import Ansatz

__all__ = ["Ansatz", "ansatz"]


def ansatz(name: str) -> Ansatz:
    """The ansatz of a given name, of those registered in `co_gym.ansatze`.

    Raises:
        InputError: If there is none.
    """
    known = registry.ansatze()
    if name not in known:
        raise unknown_name("ansatz", name, list(known))
    found: Ansatz = known[name]
    return found
