"""Cards: what there is to know of a set of weights, without loading them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar, overload

from co_gym.errors import InputError, unknown_name
from policies.weights.plain import from_plain

FOLDER = Path(__file__).parents[1] / "pretrained"
"""The weights that come with the package."""
SUFFIX, WEIGHTS = ".json", ".safetensors"
C = TypeVar("C", bound="BaseCard")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A class and what it is made with.

    Attributes:
        class_path: `package.module.Class`.
        init_args: Its arguments, plain values.
    """

    class_path: str
    init_args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The parts of a `ConstructivePolicy`."""

    task: Part
    encoder: Part
    decoder: Part


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A kind of instances that a policy was trained on.

    Attributes:
        size: Cities, items or nodes.
        constraints: Number of capacities or the like, as the task counts them; 0 without.
        distribution: Name of a distribution of the problem.
        options: Its options.
    """

    size: int
    constraints: int = 0
    distribution: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def distance(self, size: int, constraints: int = 0) -> float:
        """How far an instance is from these: the log-ratio of the sizes plus that of the constraint counts."""
        ratios = ((size, self.size), (constraints, self.constraints))
        return sum(abs(math.log(max(a, 1) / max(b, 1))) for a, b in ratios)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a training cost.

    Attributes:
        instances: Instances seen.
        minutes: Minutes of wall-clock time.
        threads: Threads used.
        machine: What it ran on.
    """

    instances: int
    minutes: float
    threads: int
    machine: str


@dataclass(frozen=True, kw_only=True)
class BaseCard:
    """What is known of any set of weights; `<name>.json` beside `<name>.safetensors`.

    Attributes:
        name: Name of the weights.
        seed: Seed of the training.
        budget: What the training cost.
        results: Measured figures, by test set and then by name.
        version: Version of the package that wrote the weights.
        sha256: Of the weights' file.
    """

    name: str
    seed: int
    budget: Budget
    results: dict[str, dict[str, float]] = field(default_factory=dict)
    version: str = ""
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Card(BaseCard):
    """Everything known of the weights of a constructive policy; results are mean gaps in percent by decoding.

    Attributes:
        problem: Name of the problem.
        policy: Class paths and arguments of task, encoder and decoder.
        trained: What the policy was trained on.
    """

    problem: str
    policy: Configuration
    trained: tuple[Trained, ...]

    def distance(self, size: int, constraints: int = 0) -> float:
        """Distance of an instance to the nearest kind that was trained on; infinite if none is known."""
        return min((kind.distance(size, constraints) for kind in self.trained), default=math.inf)


@overload
def read_card(path: str | Path) -> Card: ...


@overload
def read_card(path: str | Path, kind: type[C]) -> C: ...


def read_card(path: str | Path, kind: type[BaseCard] = Card) -> BaseCard:
    """The card in a file.

    Args:
        path: The file.
        kind: What kind of card it is.

    Raises:
        InputError: If it cannot be read or is malformed; names the file and the field.
    """
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"expected a card in JSON: {error}", path=path) from error
    card = from_plain(kind, data, path)
    if card.name != path.stem:
        raise InputError(f"field 'name' is '{card.name}': expected '{path.stem}', as the file", path=path)
    return card


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def write_card(card: BaseCard, folder: str | Path) -> Path:
    """Writes `<name>.json` into a folder and returns its path."""
    path = Path(folder) / f"{card.name}{SUFFIX}"
    path.write_text(json.dumps(asdict(card), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return path


@overload
def cards(folder: str | Path | None = None) -> Mapping[str, Card]: ...


@overload
def cards(folder: str | Path, kind: type[C]) -> Mapping[str, C]: ...


def cards(folder: str | Path | None = None, kind: type[BaseCard] = Card) -> Mapping[str, BaseCard]:
    """The cards in a folder by name, those of policies by default; empty if there is no such folder.

    Args:
        folder: The folder.
        kind: What kind of cards they are.

    Raises:
        InputError: If one is malformed.
    """
    paths = sorted(Path(FOLDER if folder is None else folder).glob(f"*{SUFFIX}"))
    return {path.stem: read_card(path, kind) for path in paths}


def find(name_or_path: str | Path, folder: str | Path | None = None) -> Path:
    """The file of the card of weights given by name, or by the path of either of their two files.

    Raises:
        InputError: If there are none.
    """
    folder, path = Path(FOLDER if folder is None else folder), Path(name_or_path)
    if path.suffix in (SUFFIX, WEIGHTS):
        return path.with_suffix(SUFFIX)
    known = [one.stem for one in sorted(folder.glob(f"*{SUFFIX}"))]
    if str(name_or_path) not in known:
        raise unknown_name("weights", str(name_or_path), known)
    return folder / f"{name_or_path}{SUFFIX}"
