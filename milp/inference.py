"""From weights on disk to a scorer, without torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import numpy as safetensors

from co_gym.errors import InputError
from milp.networks import Shapes
from milp.pretrained_weights import FOLDER
from milp.scorers import GCNNScorer, HybridScorer, NetworkScorer
from policies.branching.cards import BranchingCard
from policies.weights.cards import WEIGHTS, find, read_card
from policies.weights.known import NetworkCard
from policies.weights.plain import from_plain
from policies.weights.tensors import read_tensors

MOST = 4096
"""Largest width and number of features, and of layers, on a card."""

SCORERS: dict[str, type[GCNNScorer] | type[HybridScorer]] = {
    "policies.branching.gcnn.GCNN": GCNNScorer,
    "policies.branching.hybrid.Hybrid": HybridScorer,
}
"""What scores in place of a network."""


def load_scorer(name_or_path: str | Path, folder: str | Path | None = None) -> NetworkScorer:
    """The scorer of a card and its weights.

    Args:
        name_or_path: Name of weights that come with the package, or the path of `.json` or `.safetensors`.
        folder: Where to look for names instead.

    Raises:
        InputError: If the card or the weights are malformed or do not belong together; names file and field.
    """
    path, card = find_card(name_or_path, FOLDER if folder is None else folder, BranchingCard, SCORERS)
    kind = SCORERS[card.network.class_path]
    return kind(card, read_arrays(card, kind.sizes, path))


N = TypeVar("N", bound=NetworkCard)


def find_card(
    name_or_path: str | Path, folder: str | Path, kind: type[N], known: Collection[str]
) -> tuple[Path, N]:
    """The file of a card, and the card.

    Args:
        name_or_path: Name of weights in the folder, or the path of either of their two files.
        folder: Where names are.
        kind: What kind of card it is.
        known: Class paths of networks that it may have.

    Raises:
        InputError: If there is none, it is malformed, or its network is another; names file and field.
    """
    path = find(name_or_path, folder)
    card = read_card(path, kind)
    found = card.network.class_path
    if found not in known:
        raise InputError(f"field 'network.class_path' is '{found}': expected {' or '.join(known)}", path=path)
    return path, card


def read_arrays(card: NetworkCard, kind: Any, path: Path) -> dict[str, NDArray]:
    """The weights of a card in float32, if they are what its network has.

    Args:
        card: The card.
        kind: Dataclass of the network's arguments, with `shapes`.
        path: File of the card.

    Raises:
        InputError: If they are not; names file and field.
    """
    sizes = from_plain(kind, card.network.init_args, path, "network.init_args")
    for name, value in vars(sizes).items():
        if type(value) is int and not 1 <= value <= MOST:
            raise InputError(f"field 'network.init_args.{name}' is {value}: expected 1 to {MOST}", path=path)
    weights = read_tensors(path.with_suffix(WEIGHTS), card, path, safetensors.load)
    return _checked(weights, sizes.shapes(), path.with_suffix(WEIGHTS))


def _checked(weights: Mapping[str, NDArray], shapes: Shapes, path: Path) -> dict[str, NDArray]:
    """The weights in float32, if they are what they should be."""
    for kind, names in (
        ("missing", shapes.keys() - weights.keys()),
        ("unexpected", weights.keys() - shapes.keys()),
    ):
        if names:
            raise InputError(f"{kind} weights: {', '.join(sorted(names)[:5])}", path=path)
    for name, shape in shapes.items():
        array = weights[name]
        if array.shape != shape or array.dtype.kind != "f":
            raise InputError(
                f"'{name}' is {array.dtype} {list(array.shape)}: expected floats {list(shape)}", path=path
            )
        if not np.isfinite(array).all():
            raise InputError(f"'{name}' holds a number that is not finite", path=path)
    return {name: np.asarray(weights[name], dtype=np.float32, order="C") for name in shapes}
