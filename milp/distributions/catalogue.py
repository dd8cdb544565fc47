"""Every generated distribution by name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from co_gym.errors import unknown_name
from co_gym.formulation import MixedIntegerProgram
from milp.distributions.auction import auction
from milp.distributions.base import Distribution, Generated
from milp.distributions.facility import facility
from milp.distributions.independent_set import independent_set
from milp.distributions.set_cover import set_cover

_Family = tuple[Callable[..., MixedIntegerProgram], str, dict[str, dict[str, Any]]]

FAMILIES: dict[str, _Family] = {
    "set-cover": (
        set_cover,
        "Balas and Ho 1980, Gasse et al. 2019",
        {
            "tiny": {"rows": 40, "columns": 60, "density": 0.1},
            "easy": {"rows": 500, "columns": 1000, "density": 0.05},
            "medium": {"rows": 1000, "columns": 1000, "density": 0.05},
            "hard": {"rows": 2000, "columns": 1000, "density": 0.05},
            "large": {"rows": 2000, "columns": 4000, "density": 0.02},
        },
    ),
    "auction": (
        auction,
        "Leyton-Brown et al. 2000, Gasse et al. 2019",
        {
            "tiny": {"items": 20, "bids": 60},
            "easy": {"items": 100, "bids": 500},
            "medium": {"items": 200, "bids": 1000},
            "hard": {"items": 300, "bids": 1500},
        },
    ),
    "independent-set": (
        independent_set,
        "Bergman et al. 2016, Gasse et al. 2019",
        {
            "tiny": {"nodes": 60, "affinity": 4},
            "easy": {"nodes": 500, "affinity": 4},
            "medium": {"nodes": 1000, "affinity": 4},
            "hard": {"nodes": 1500, "affinity": 4},
            "large": {"nodes": 1500, "affinity": 5},
        },
    ),
    "facility": (
        facility,
        "Cornuéjols et al. 1991, Gasse et al. 2019",
        {
            "tiny": {"customers": 10, "facilities": 8},
            "easy": {"customers": 100, "facilities": 100},
            "medium": {"customers": 200, "facilities": 100},
            "hard": {"customers": 400, "facilities": 100},
        },
    ),
}


def names() -> list[str]:
    """Names of the generated distributions, by family and then by level."""
    return [f"{family}-{level}" for family, (_, _, levels) in FAMILIES.items() for level in levels]


def distribution(name: str) -> Distribution:
    """The distribution of a given name.

    Raises:
        InputError: If there is none.
    """
    family, _, level = name.rpartition("-")
    if family not in FAMILIES or level not in FAMILIES[family][2]:
        raise unknown_name("distribution", name, names())
    generator, source, levels = FAMILIES[family]
    sizes = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in levels[level].items())
    return Generated(name, family, level, f"{sizes} ({source})", functools.partial(generator, **levels[level]))
