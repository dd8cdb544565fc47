"""Every generated distribution by name.

The levels `easy`, `medium` and `hard` of set cover, auction, independent set and facility location are those of
Gasse et al. (2019). `medium` of item placement and workload apportionment are the competition's sizes, `hard` of
vertex cover and `easy` of the generalized independent set those of Distributional MIPLIB's generators (Huang et
al. 2024), and the sizes of the multidimensional knapsack but `tiny` are Chu and Beasley's. All other levels are
our own choice; SCIP solves `tiny` ones within a second or so, mostly by branching.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from co_gym.errors import InputError, unknown_name
from co_gym.formulation import MixedIntegerProgram
from milp.distributions.auction import auction
from milp.distributions.base import Distribution, Generated
from milp.distributions.facility import facility
from milp.distributions.folder import Folder
from milp.distributions.independent_set import (
    generalized_independent_set,
    independent_set,
    independent_set_erdos_renyi,
    vertex_cover,
)
from milp.distributions.packing import item_placement, multiknapsack
from milp.distributions.set_cover import set_cover
from milp.distributions.workload import workload


@dataclass(frozen=True)
class Family:
    """A generator with its parameters at each level.

    Attributes:
        generate: Makes a program from a random generator and parameters.
        source: Where the family is described.
        levels: Parameters by level.
    """

    generate: Callable[..., MixedIntegerProgram]
    source: str
    levels: Mapping[str, Mapping[str, Any]]


FAMILIES = {
    "set-cover": Family(
        set_cover,
        "Balas and Ho 1980, Gasse et al. 2019",
        {
            "tiny": {"rows": 100, "columns": 200, "density": 0.1},
            "easy": {"rows": 500, "columns": 1000, "density": 0.05},
            "medium": {"rows": 1000, "columns": 1000, "density": 0.05},
            "hard": {"rows": 2000, "columns": 1000, "density": 0.05},
            "large": {"rows": 2000, "columns": 4000, "density": 0.02},
        },
    ),
    "auction": Family(
        auction,
        "Leyton-Brown et al. 2000, Gasse et al. 2019",
        {
            "tiny": {"items": 100, "bids": 150},
            "easy": {"items": 100, "bids": 500},
            "medium": {"items": 200, "bids": 1000},
            "hard": {"items": 300, "bids": 1500},
        },
    ),
    "independent-set": Family(
        independent_set,
        "Bergman et al. 2016, Gasse et al. 2019",
        {
            "tiny": {"nodes": 80, "affinity": 8},
            "easy": {"nodes": 500, "affinity": 4},
            "medium": {"nodes": 1000, "affinity": 4},
            "hard": {"nodes": 1500, "affinity": 4},
            "large": {"nodes": 1500, "affinity": 5},
        },
    ),
    "independent-set-er": Family(
        independent_set_erdos_renyi,
        "Erdős and Rényi 1959, Bergman et al. 2016",
        {
            "tiny": {"nodes": 60, "probability": 0.2},
            "easy": {"nodes": 100, "probability": 0.1},
            "medium": {"nodes": 150, "probability": 0.1},
            "hard": {"nodes": 250, "probability": 0.1},
        },
    ),
    "facility": Family(
        facility,
        "Cornuéjols et al. 1991, Gasse et al. 2019",
        {
            "tiny": {"customers": 30, "facilities": 20, "ratio": 3.0},
            "easy": {"customers": 100, "facilities": 100},
            "medium": {"customers": 200, "facilities": 100},
            "hard": {"customers": 400, "facilities": 100},
        },
    ),
    "generalized-independent-set": Family(
        generalized_independent_set,
        "Hochbaum and Pathria 1997, Huang et al. 2024",
        {
            "tiny": {"nodes": 40, "probability": 0.5},
            "easy": {"nodes": 75, "probability": 0.5},
            "medium": {"nodes": 100, "probability": 0.6},
            "hard": {"nodes": 150, "probability": 0.6},
        },
    ),
    "vertex-cover": Family(
        vertex_cover,
        "Song et al. 2020, Huang et al. 2024",
        {
            "tiny": {"nodes": 80, "affinity": 10},
            "easy": {"nodes": 150, "affinity": 10},
            "medium": {"nodes": 500, "affinity": 10},
            "hard": {"nodes": 2000, "affinity": 70},
        },
    ),
    "multiknapsack": Family(
        multiknapsack,
        "Chu and Beasley 1998",
        {
            "tiny": {"items": 25, "constraints": 5},
            "easy": {"items": 100, "constraints": 5},
            "medium": {"items": 100, "constraints": 10},
            "hard": {"items": 250, "constraints": 10},
            "large": {"items": 500, "constraints": 30},
        },
    ),
    "item-placement": Family(
        item_placement,
        "Gasse et al. 2022 (ML4CO)",
        {
            "tiny": {"small": 8, "large": 2, "bins": 3},
            "easy": {"small": 50, "large": 2, "bins": 5},
            "medium": {"small": 100, "large": 5, "bins": 10},
            "hard": {"small": 200, "large": 10, "bins": 20},
        },
    ),
    "workload": Family(
        workload,
        "Gasse et al. 2022 (ML4CO)",
        {
            "tiny": {"light": 4, "heavy": 1, "workers": 12, "allowed": 1.0, "scale": 0.15},
            "easy": {"light": 25, "heavy": 5, "workers": 250, "allowed": 0.2},
            "medium": {"light": 50, "heavy": 10, "workers": 500, "allowed": 0.1},
            "hard": {"light": 100, "heavy": 20, "workers": 1000, "allowed": 0.05},
        },
    ),
}


def names() -> list[str]:
    """Names of the generated distributions, by family and then by level."""
    return [f"{family}-{level}" for family, entry in FAMILIES.items() for level in entry.levels]


def distribution(name: str) -> Distribution:
    """The distribution of a given name.

    Args:
        name: A name of the catalogue, or the path of a folder of MPS and LP files.

    Raises:
        InputError: If there is none, or the folder holds no such file.
    """
    family, _, level = name.rpartition("-")
    if family in FAMILIES and level in FAMILIES[family].levels:
        entry = FAMILIES[family]
        parameters = entry.levels[level]
        sizes = ", ".join(f"{key} {value}" for key, value in parameters.items())
        generate = functools.partial(entry.generate, **parameters)
        return Generated(name, family, level, f"{sizes} ({entry.source})", entry.source, generate)
    if Path(name).is_dir():
        return Folder(Path(name))
    if "/" in name or "\\" in name:
        raise InputError("expected a folder of MPS and LP files", path=name)
    raise unknown_name("distribution", name, names())
