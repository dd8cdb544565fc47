"""Plain values, as JSON holds them, against declared types."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from co_gym.errors import InputError

T = TypeVar("T")
SCALARS = {int: (int,), float: (int, float), str: (str,), bool: (bool,), type(None): (type(None),)}


def conforms(value: object, hint: Any) -> bool:
    """Whether a plain value is of a declared type.

    Numbers, strings, booleans, None, literals, unions, lists and string-keyed dicts of these are known, and `Any`
    for what is made of them. A type that is not plain (a class, a callable) admits nothing, so that no value can
    name code to run. An int is a float, a bool is no number, and floats are finite.
    """
    if hint is Any:
        return _is_plain(value)
    if dataclasses.is_dataclass(hint):
        return isinstance(value, dict)
    if hint in SCALARS:
        right = isinstance(value, SCALARS[hint]) and isinstance(value, bool) == (hint is bool)
        return right and not (isinstance(value, float) and not math.isfinite(value))
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return any(value == one and type(value) is type(one) for one in args)
    if origin in (Union, types.UnionType):
        return any(conforms(value, one) for one in args)
    if origin in (dict, Mapping):
        return isinstance(value, dict) and all(
            isinstance(k, str) and conforms(v, args[1]) for k, v in value.items()
        )
    if origin in (list, tuple, Sequence):
        return isinstance(value, list) and all(conforms(one, args[0]) for one in value)
    return False


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    if isinstance(value, list):
        return all(_is_plain(one) for one in value)
    return any(conforms(value, hint) for hint in SCALARS)


def from_plain(made: type[T], data: object, path: Path, where: str = "") -> T:
    """A dataclass from a JSON object; dataclasses and tuples of dataclasses among its fields are made likewise.

    Args:
        made: The dataclass; fields without a default are required.
        data: The JSON object.
        path: The file it comes from, for messages.
        where: Name of the field that holds the object; empty for the whole file.

    Raises:
        InputError: If a field is missing, unknown or of the wrong type; names the file and the field.
    """
    if not isinstance(data, dict):
        raise InputError(f"{where or 'the file'} is {type(data).__name__}: expected an object", path=path)
    hints, prefix = get_type_hints(made), f"{where}." if where else ""
    fields = {field.name: field for field in dataclasses.fields(made)}  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            raise InputError(f"unknown field '{prefix}{key}': expected {', '.join(fields)}", path=path)
    missing = dataclasses.MISSING
    for name, field in fields.items():
        if name not in data and field.default is missing and field.default_factory is missing:
            raise InputError(f"field '{prefix}{name}' is missing", path=path)
    values = {key: _field(hints[key], value, path, prefix + key) for key, value in data.items()}
    return made(**values)


def _field(hint: Any, value: object, path: Path, where: str) -> Any:
    if not conforms(value, hint):
        shown = getattr(hint, "__name__", str(hint)) if get_origin(hint) is None else str(hint)
        raise InputError(f"field '{where}' is {_short(value)}: expected {shown}", path=path)
    if dataclasses.is_dataclass(hint):
        return from_plain(hint, value, path, where)  # type: ignore[arg-type]
    if get_origin(hint) is tuple:
        assert isinstance(value, list)
        inner = get_args(hint)[0]
        return tuple(_field(inner, one, path, f"{where}[{index}]") for index, one in enumerate(value))
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
