"""What particular solvers take beside the common options."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from co_gym.errors import InputError, unknown_name

if TYPE_CHECKING:
    from co_gym.solvers.base import Solver


@dataclass(frozen=True)
class Setting:
    """A setting of a solver, which becomes an option of `co-gym solve`.

    Attributes:
        doc: What it does, and its default.
        kind: Type of its value: str, int, float or bool.
        choices: What a text may be, empty for any.
        minimum: Least value of a number, if any.
    """

    doc: str
    kind: type = str
    choices: tuple[str, ...] = ()
    minimum: float | None = None

    @property
    def full_doc(self) -> str:
        """What it does, and what it may be."""
        return f"{self.doc}: {', '.join(f'`{one}`' for one in self.choices)}" if self.choices else self.doc

    def value(self, name: str, given: Any) -> Any:
        """A value that was given, in its type.

        Raises:
            InputError: If it has another type or is out of range.
        """
        right = isinstance(given, self.kind) and (self.kind is bool or not isinstance(given, bool))
        if self.kind is float and isinstance(given, int) and not isinstance(given, bool):
            right = True
        if not right:
            raise InputError(f"{name} is {given!r}: expected {self.kind.__name__}")
        if self.choices and given not in self.choices:
            raise unknown_name(name, given, self.choices)
        if given != given:  # NaN
            raise InputError(f"{name} is NaN: expected a number")
        if self.minimum is not None and not given >= self.minimum:
            raise InputError(f"{name} is {given}: expected at least {self.minimum:g}")
        return self.kind(given)


def settings_of(solver: Solver) -> Mapping[str, Setting]:
    """The settings that a solver takes beside the common options."""
    return getattr(solver, "settings", {})


def checked(solver: Solver, given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings for a solver, each in its type.

    Raises:
        InputError: If it has no such setting, or a value is wrong.
    """
    known = settings_of(solver)
    for name in given.keys() - known.keys():
        raise InputError(f"method '{solver.name}' has no setting '{name}'")
    return {name: known[name].value(name, value) for name, value in given.items()}


def parse_method(text: str) -> tuple[str, dict[str, Any]]:
    """A method's name and settings from `name key=value key=value`; values are JSON if they can be, else text.

    Raises:
        InputError: If there is no name, or something else than key=value behind it.
    """
    name, *words = text.split() or [""]
    if not name or "=" in name:
        raise InputError(f"method '{text}' has no name: expected name key=value ...")
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not (equals and key and value):
            raise InputError(f"method '{text}' has '{word}': expected key=value")
        if key in found:
            raise InputError(f"method '{text}' has two values of '{key}'")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return name, found
