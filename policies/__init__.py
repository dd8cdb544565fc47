"""Neural policies for the problems of `co_gym`: networks, their training and their weights.

Importing the package is cheap: torch loads with the first policy.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policies.policy import ConstructivePolicy
    from policies.weights.cards import Card

__all__ = ["card", "load", "names"]


def names() -> list[str]:
    """Names of the weights that come with the package."""
    from policies.weights.cards import cards

    return list(cards())


def card(name_or_path: str | Path) -> Card:
    """What there is to know of weights, by name or by path.

    Raises:
        InputError: If there are none, or their card is malformed.
    """
    from policies.weights.cards import find, read_card

    return read_card(find(name_or_path))


def load(name_or_path: str | Path) -> ConstructivePolicy:
    """A trained policy in evaluation mode, by the name of its weights or by the path of their file.

    Raises:
        InputError: If there are none, or card or weights are malformed.
    """
    from policies.weights.checkpoint import load as load_weights

    return load_weights(name_or_path)
