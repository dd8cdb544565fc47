"""SCIP's parameters as gymnasium spaces: types and ranges as SCIP states them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from co_gym.errors import InputError, unknown_name

Range = tuple[float, float] | Sequence[Any] | None
"""Smallest and largest value, a list of values, or None for all that SCIP allows."""

ENTRY = re.compile(
    r"# \[type: (?P<kind>\w+), advanced: \w+, (?:range: (?P<range>[\[{].*[\]}]), )?default: .*\]\n(?P<name>\S+) ="
)
MOST_CHOICES = 10_000
"""Integer parameters with more values than this become a Box instead of a Discrete."""


@dataclass(frozen=True)
class Parameter:
    """A parameter as SCIP describes it.

    Attributes:
        kind: `bool`, `int`, `longint`, `real`, `char` or `string`.
        low: Smallest value of a number.
        high: Largest value of a number.
        choices: Values of a `char`.
    """

    kind: str
    low: float = 0.0
    high: float = 1.0
    choices: str = ""


@dataclass(frozen=True)
class Knob:
    """A parameter as an action.

    Attributes:
        space: Its space.
        value: From an element of the space to the parameter's value.
        share: From a number in [0, 1] to the parameter's value.
    """

    space: spaces.Space
    value: Callable[[Any], Any]
    share: Callable[[float], Any]


@cache
def parameters() -> dict[str, Parameter]:
    """All parameters of SCIP by name, out of the comments of the settings file that it writes."""
    from pyscipopt import Model

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.set"
        Model().writeParams(str(path), comments=True, onlychanged=False, verbose=False)
        text = path.read_text()
    return {match["name"]: _described(match["kind"], match["range"]) for match in ENTRY.finditer(text)}


def knob(name: str, wanted: Range) -> Knob:
    """A parameter as an action.

    Args:
        name: Name of the parameter.
        wanted: Values that the action may take.

    Raises:
        InputError: If there is no such parameter, or it does not take the values.
    """
    known = parameters()
    if name not in known:
        raise unknown_name("parameter of SCIP", name, list(known))
    parameter = known[name]
    if parameter.kind in ("int", "longint", "real") and (wanted is None or _is_pair(wanted)):
        low, high = (parameter.low, parameter.high) if wanted is None else (float(w) for w in wanted)
        if not parameter.low <= low <= high <= parameter.high:
            bounds = f"{parameter.low:g} to {parameter.high:g}"
            raise InputError(f"{name} from {low:g} to {high:g}: expected a range within {bounds}")
        return _real(low, high) if parameter.kind == "real" else _integer(int(low), int(high))
    if wanted is None:
        wanted = [False, True] if parameter.kind == "bool" else list(parameter.choices)
    if not wanted:
        raise InputError(f"{name} is a {parameter.kind}: expected a list of values")
    return _choice(list(wanted))


def _described(kind: str, text: str | None) -> Parameter:
    if kind in ("int", "longint", "real") and text is not None:
        low, high = (float(number) for number in text[1:-1].split(","))
        return Parameter(kind, low, high)
    return Parameter(kind, choices=text[1:-1] if kind == "char" and text is not None else "")


def _is_pair(wanted: Range) -> bool:
    return isinstance(wanted, tuple) and len(wanted) == 2


def _real(low: float, high: float) -> Knob:
    low, high = max(low, -1e20), min(high, 1e20)
    space = spaces.Box(low, high, (1,), np.float64)
    return Knob(space, lambda x: float(np.clip(x, low, high)[0]), lambda u: low + u * (high - low))


def _integer(low: int, high: int) -> Knob:
    def share(u: float) -> int:
        return min(low + int(u * (high - low + 1)), high)

    if high - low < MOST_CHOICES:
        return Knob(spaces.Discrete(high - low + 1, start=low), int, share)
    low, high = max(low, -(2**62)), min(high, 2**62)
    return Knob(spaces.Box(low, high, (1,), np.int64), lambda x: int(x[0]), share)


def _choice(values: list[Any]) -> Knob:
    def share(u: float) -> Any:
        return values[min(int(u * len(values)), len(values) - 1)]

    return Knob(spaces.Discrete(len(values)), lambda i: values[int(i)], share)
