"""Updates of Lagrange multipliers, by name."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from co_gym.errors import unknown_name
from quantum.multipliers.augmented import Augmented
from quantum.multipliers.base import Ascent, Dual, Inner, Rule, Step, maximize
from quantum.multipliers.bundle import Bundle
from quantum.multipliers.cutting_plane import CuttingPlane
from quantum.multipliers.region import Region
from quantum.multipliers.subgradient import DualAscent, Polyak

__all__ = [
    "RULES", "Ascent", "Augmented", "Bundle", "CuttingPlane", "Dual", "DualAscent", "Inner", "Polyak", "Region",
    "Rule", "Step", "maximize", "rule",
]  # fmt: skip

RULES: dict[str, type] = {one.name: one for one in (DualAscent, Polyak, CuttingPlane, Bundle, Augmented)}
"""Rules by name."""


def rule(name: str, **constants: Any) -> Rule:
    """The rule of a given name.

    Args:
        name: A key of `RULES`.
        constants: Attributes of the rule that differ from its defaults.

    Raises:
        InputError: If there is no such rule or constant, or a value is out of range.
    """
    if name not in RULES:
        raise unknown_name("rule of multipliers", name, list(RULES))
    known = [field.name for field in fields(RULES[name])]
    if unknown := [constant for constant in constants if constant not in known]:
        raise unknown_name(f"constant of rule {name}", unknown[0], known)
    made: Rule = RULES[name](**constants)
    return made
