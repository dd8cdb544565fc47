"""Files: instances are read with `read` and written with `write`; see `co_gym.io.solutions` for solutions."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from co_gym.errors import InputError, unknown_name

if TYPE_CHECKING:
    from co_gym.instance import Instance
    from co_gym.io.base import Format

__all__ = ["LIMIT", "load_text", "read", "write"]

LIMIT = 256 * 2**20
"""Largest file that is read, in bytes, after decompression."""


def read(path: str | Path, *, format: str | None = None) -> list[Instance]:
    """The instances in a file, one or several; `.gz` files are decompressed.

    Args:
        path: The file.
        format: Name of a registered format; recognised from content and suffix by default.

    Raises:
        InputError: If the file cannot be read, is of no known format, or is malformed; names file and line.
    """
    from co_gym.io.text import scan

    path = Path(path)
    text = load_text(path)
    try:
        return _format_of(text, path, format).parse(text, path)
    except InputError as error:
        if error.path is not None:
            raise
        raise InputError(error.message, path=path, line=error.line) from error
    finally:
        scan.cache_clear()


def write(path: str | Path, instances: Instance | Sequence[Instance], *, format: str | None = None) -> None:
    """Writes instances to a file, compressed if its name ends in `.gz`.

    Args:
        path: The file; overwritten.
        instances: One instance, or several where the format holds several.
        format: Name of a registered format; chosen by suffix and problem by default.

    Raises:
        InputError: If no format fits, the format cannot hold the instances, or the file cannot be written.
    """
    from co_gym.instance import Instance as InstanceType

    path = Path(path)
    many = [instances] if isinstance(instances, InstanceType) else list(instances)
    try:
        text = _writer_of(many, path, format).format(many)
    except InputError as error:
        raise InputError(error.message, path=path) from error
    save_text(path, text)


def load_text(path: Path) -> str:
    """The content of a file, decompressed if `.gz`, decoded as Latin-1, with `\\n` line ends.

    Raises:
        InputError: If it is missing, not a file, unreadable, empty, or larger than `LIMIT`.
    """
    try:
        if not path.exists():
            raise InputError("no such file", path=path)
        if not path.is_file():
            raise InputError("expected a file, found a directory or device", path=path)
        with gzip.open(path) if path.suffix.lower() == ".gz" else open(path, "rb") as stream:
            content = stream.read(LIMIT + 1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot be read: {error}", path=path) from error
    if len(content) > LIMIT:
        raise InputError(f"larger than {LIMIT // 2**20} MB, the most that is read", path=path)
    if not content.strip():
        raise InputError("the file is empty", path=path)
    text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def save_text(path: Path, text: str) -> None:
    """Writes a text as Latin-1, compressed if the name ends in `.gz`; the same text gives the same bytes.

    Raises:
        InputError: If the file cannot be written.
    """
    content = text.encode("latin-1", errors="replace")
    if path.suffix.lower() == ".gz":
        content = gzip.compress(content, mtime=0)
    try:
        path.write_bytes(content)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be written: {error}", path=path) from error


def _suffix(path: Path) -> str:
    inner = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return inner.suffix.lower()


def _named(name: str) -> Format:
    from co_gym import registry

    known = registry.formats()
    if name not in known:
        raise unknown_name("format", name, list(known))
    return known[name]


def _format_of(text: str, path: Path, name: str | None) -> Format:
    from co_gym import registry

    if name is not None:
        return _named(name)
    known = registry.formats()
    scores = {label: known[label].confidence(text, _suffix(path)) for label in known}
    best = max(scores, key=lambda label: scores[label])
    if scores[best] <= 0:
        listed = ", ".join(f"{label} ({', '.join(f.suffixes)})" for label, f in sorted(known.items()))
        raise InputError(f"of no known format: expected one of {listed}", path=path)
    return known[best]


def _writer_of(instances: list[Instance], path: Path, name: str | None) -> Format:
    from co_gym import registry

    if not instances:
        raise InputError("no instance to write")
    if name is not None:
        return _named(name)
    problem = instances[0].problem
    able = {label: f for label, f in registry.formats().items() if problem in f.problems}
    for candidate in able.values():
        if _suffix(path) in candidate.suffixes:
            return candidate
    listed = ", ".join(f"{s} ({label})" for label, f in able.items() for s in f.suffixes) or "none"
    raise InputError(f"no format for {problem} has the suffix '{_suffix(path)}': expected one of {listed}")
