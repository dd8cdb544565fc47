"""The shipped weights: which of them know an instance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from numpy.typing import NDArray

from co_gym.errors import InputError
from milp.descriptor import DESCRIPTOR
from milp.domain import Domain
from policies.branching.cards import BranchingCard
from policies.weights.cards import cards

FOLDER = Path(__file__).parent / "pretrained"
"""The weights that come with the package."""

SIZE, SPARSITY, SHARE = 1.7, 1.0, 0.25
"""How far a number may lie beyond the range seen in training: sizes by a factor of 5.5, densities by one of 2.7
(cuts and presolving change them), shares and cosines by a quarter."""
DOMAIN = Domain(DESCRIPTOR, (SIZE, SIZE, SPARSITY, SPARSITY, SPARSITY, *[SHARE] * (len(DESCRIPTOR) - 5)))


def shipped() -> Mapping[str, BranchingCard]:
    """The shipped cards by name."""
    return cards(FOLDER, BranchingCard)


def nearest(descriptor: NDArray) -> str:
    """Name of the shipped weights that know an instance best; of equals, those of the fewest distributions.

    Networks that look at the whole graph of each node are left out: on a CPU the others are faster.
    """
    able = {name: one for name, one in shipped().items() if not one.network.class_path.endswith(".GCNN")}
    if not able:
        raise InputError(f"there are no weights in {FOLDER}: name some, or train them")
    return min(able, key=lambda name: (DOMAIN.distance(able[name].trained, descriptor), len(able[name].trained)))
