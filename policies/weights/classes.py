"""From a class path in a file to an object, without trusting the file."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from co_gym.errors import InputError
from policies.weights.cards import Part
from policies.weights.plain import conforms

T = TypeVar("T")
GROUP = "policies.packages"
"""Entry points of this group name packages whose classes may stand on cards, beside `policies`."""
_PATH = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+")


@functools.cache
def packages() -> frozenset[str]:
    """Packages whose classes may stand on cards."""
    return frozenset({"policies"}) | {entry.module for entry in entry_points(group=GROUP)}


def construct(part: Part, base: Callable[..., T], path: Path, where: str) -> T:
    """An object of the class that a card names.

    Nothing is imported unless it lies in one of `packages()`, nothing is called that is no subclass of `base`, and
    all arguments are plain values of the types that its constructor declares.

    Args:
        part: Class path and arguments.
        base: What it must be.
        path: The card, for messages.
        where: The field that holds the part.

    Raises:
        InputError: If the class or an argument is not as it must be.
    """
    found = _find(part.class_path, base, path, f"{where}.class_path")
    arguments = _checked(found, part.init_args, path, f"{where}.init_args")
    try:
        made: T = found(**arguments)
        return made
    except (InputError, TypeError, ValueError, RuntimeError, ZeroDivisionError, MemoryError) as error:
        raise InputError(f"field '{where}': {part.class_path} cannot be made: {error}", path=path) from error


def defaults(part: Part, base: type) -> Part:
    """The same part with the defaults of the arguments left out, so that later defaults do not matter."""
    found = _find(part.class_path, base, Path(part.class_path), "class_path")
    values = {name: parameter.default for name, parameter in _parameters(found).items()}
    plain = {name: value for name, value in values.items() if conforms(value, Any)}
    return Part(class_path=part.class_path, init_args={**plain, **part.init_args})


def _find(class_path: str, base: Any, path: Path, where: str) -> Any:
    expected = f"expected a {base.__name__} in {' or '.join(sorted(packages()))}"
    module, _, name = class_path.rpartition(".")
    inside = any(module == one or module.startswith(f"{one}.") for one in packages())
    if not _PATH.fullmatch(class_path) or not inside:
        raise InputError(f"field '{where}' is '{class_path}': {expected}", path=path)
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"field '{where}' is '{class_path}': {expected}: {error}", path=path) from error
    if not (isinstance(found, type) and issubclass(found, base)) or inspect.isabstract(found):
        raise InputError(f"field '{where}' is '{class_path}': {expected}, not {found!r}", path=path)
    return found


def _parameters(found: type) -> dict[str, inspect.Parameter]:
    if found.__init__ is object.__init__:  # type: ignore[misc]
        return {}
    parameters = list(inspect.signature(found).parameters.values())
    return {p.name: p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY)}


def _checked(found: type, given: dict[str, Any], path: Path, where: str) -> dict[str, Any]:
    known = _parameters(found)
    hints = get_type_hints(found.__init__) if known else {}  # type: ignore[misc]
    for name, value in given.items():
        if name not in known:
            expected = ", ".join(known) or "none"
            raise InputError(f"unknown field '{where}.{name}': {found.__name__} takes {expected}", path=path)
        if not conforms(value, hints.get(name)):
            raise InputError(f"field '{where}.{name}' is {value!r}: expected {hints.get(name)}", path=path)
    for name, parameter in known.items():
        if name not in given and parameter.default is parameter.empty:
            raise InputError(f"field '{where}.{name}' is missing", path=path)
    return given
