"""The shipped weights: which of them know an instance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from milp.descriptor import DESCRIPTOR
from policies.branching.cards import BranchingCard, Known
from policies.weights.cards import SUFFIX, read_card

FOLDER = Path(__file__).parent / "pretrained"
"""The weights that come with the package."""

SIZE, SPARSITY, SHARE = 1.7, 1.0, 0.25
"""How far a number may lie beyond the range seen in training: sizes by a factor of 5.5, densities by one of 2.7
(cuts and presolving change them), shares and cosines by a quarter."""
TOLERANCE = np.array([SIZE, SIZE, SPARSITY, SPARSITY, SPARSITY, *[SHARE] * (len(DESCRIPTOR) - 5)])


def cards() -> dict[str, BranchingCard]:
    """The shipped cards by name."""
    return {path.stem: read_card(path, BranchingCard) for path in sorted(FOLDER.glob(f"*{SUFFIX}"))}


def beyond(known: Known, descriptor: NDArray) -> NDArray:
    """How far each number lies beyond what was seen, in units of what is tolerated; 0 within the range."""
    least, greatest = np.asarray(known.least), np.asarray(known.greatest)
    if least.shape != descriptor.shape:
        raise InputError(f"a card describes instances by {least.size} numbers: expected {descriptor.size}")
    return np.maximum(np.maximum(least - descriptor, descriptor - greatest), 0.0) / TOLERANCE


def distance(trained: Sequence[Known], descriptor: NDArray) -> float:
    """How far an instance lies outside of what weights were trained on: 0 is within, above 1 is not tolerated."""
    return min(float(beyond(known, descriptor).max()) for known in trained)


def reason_outside(trained: Sequence[Known], descriptor: NDArray) -> str | None:
    """Why an instance lies outside of what weights were trained on; None if that is tolerated.

    Of the nearest distribution, the number that is farthest off.
    """
    off, nearest_known = min(((beyond(known, descriptor), known) for known in trained), key=lambda p: p[0].max())
    worst = int(off.argmax())
    if off[worst] <= 1.0:
        return None
    seen = f"{nearest_known.least[worst]:.3g} to {nearest_known.greatest[worst]:.3g} in {nearest_known.name}"
    return f"{DESCRIPTOR[worst]} is {descriptor[worst]:.3g}: trained on {seen}"


def nearest(descriptor: NDArray) -> str:
    """Name of the shipped weights that know an instance best; of equals, those of the fewest distributions.

    Networks that look at the whole graph of each node are left out: on a CPU the others are faster.
    """
    able = {name: one for name, one in cards().items() if not one.network.class_path.endswith(".GCNN")}
    if not able:
        raise InputError(f"there are no weights in {FOLDER}: name some, or train them")
    return min(able, key=lambda name: (distance(able[name].trained, descriptor), len(able[name].trained)))
