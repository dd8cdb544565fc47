"""What every reader shares: lines, numbers with their line, names, and the writing of numbers."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError

_BLOCK = 1 << 20
_HEAD = 1 << 12
_PLAIN = re.compile(r"[^0-9+\-.eE\s]")
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_COMMENT = re.compile(r"^[^\S\n]*#[^\n]*", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CONTROL_OR_BEYOND = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\U0010ffff]")
_LARGEST = 2**63 - 1
_EXACT = 2**53
_SHARED_SUFFIXES = (".dat", ".txt")


def shown(token: str) -> str:
    """A token of a file in quotes for a message: printable and short."""
    return ascii(token if len(token) <= 40 else token[:37] + "...")


def lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, stripped, each with its 1-based number."""
    start = 0
    for number in itertools.count(1):
        end = text.find("\n", start)
        stripped = text[start : end if end >= 0 else None].strip()
        if stripped:
            yield number, stripped
        if end < 0:
            return
        start = end + 1


def last_line(text: str) -> int:
    """Number of the last line that is not blank, at least 1."""
    return text.rstrip().count("\n") + 1


def number(token: str, what: str, path: Path, line: int) -> int | float:
    """An int if the token is written as one, else a float.

    Raises:
        InputError: If it is no number, not finite, or an integer beyond 63 bits.
    """
    if _INTEGER.fullmatch(token):
        if len(token) > 400 or abs(int(token)) > _LARGEST:
            raise InputError(f"{what}: number too large: {shown(token)}", path=path, line=line)
        return int(token)
    if not _REAL.fullmatch(token):
        raise InputError(f"{what}: expected a number, found {shown(token)}", path=path, line=line)
    value = float(token)
    if not math.isfinite(value):
        raise InputError(f"{what}: number too large: {shown(token)}", path=path, line=line)
    return value


def integer(token: str, what: str, path: Path, line: int) -> int:
    """An integer; `3800.0` counts as one.

    Raises:
        InputError: If it is none, or beyond what its notation holds exactly.
    """
    value = number(token, what, path, line)
    if isinstance(value, float) and (value != math.floor(value) or abs(value) >= _EXACT):
        raise InputError(f"{what}: expected an integer, found {shown(token)}", path=path, line=line)
    return int(value)


def require_printable(text: str, path: Path, *, ascii_only: bool = False) -> None:
    """Requires that a text holds no control characters and, with `ascii_only`, none beyond ASCII.

    Raises:
        InputError: At the first one.
    """
    found = (_CONTROL_OR_BEYOND if ascii_only else _CONTROL).search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        kind = "control" if _CONTROL.match(found[0]) else "non-ASCII"
        raise InputError(f"expected text, found the {kind} character {found[0]!a}", path=path, line=line)


@dataclass(frozen=True, eq=False)
class Scan:
    """All tokens of a text as numbers.

    Attributes:
        values: [k] int64 if all are written as integers, else float64; NaN for what is no number.
        first_line: Tokens on the first line that holds any (of a very long line, the first ones).
        bad: Position of the first token that is no finite number, if any.
    """

    values: NDArray
    first_line: int
    bad: int | None

    @property
    def numeric(self) -> bool:
        """Whether most tokens are numbers, so that the text is meant to be a list of numbers."""
        return bool(self.values.size) and int(np.isnan(self.values).sum()) * 2 <= self.values.size

    def at(self, position: int) -> int | None:
        """The integer at a position, None if there is none."""
        if not 0 <= position < self.values.size:
            return None
        value = self.values[position].item()
        return int(value) if math.isfinite(value) and value == math.floor(value) else None


@functools.lru_cache(maxsize=2)
def scan(text: str) -> Scan:
    """The numbers of a text; lines that start with `#` are comments. Never raises."""
    bare = _COMMENT.sub("", text) if "#" in text else text
    head = bare[:_HEAD].split()[:-1]
    wrong = [i for i, token in enumerate(head) if math.isnan(_lenient(token))]
    if 3 * len(wrong) > 2 * len(head):
        return Scan(np.full(1, np.nan), 0, wrong[0])
    parts: list[NDArray] = []
    bad: int | None = None
    position = 0
    for block in _blocks(bare):
        values, first_wrong = _block_values(block, lenient=bad is None)
        if first_wrong is not None and bad is None:
            bad = position + first_wrong
        position += values.size
        parts.append(values)
    values = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    if bad is None and values.dtype.kind == "f":
        bad = _first_rounded(bare, values)
    first = next((len(line[:_HEAD].split()) for _, line in lines(bare)), 0)
    return Scan(values, first, bad)


def _first_rounded(text: str, values: NDArray) -> int | None:
    """Position of the first token that is written as an integer but is too large for a float to hold."""
    if not values.size or np.abs(values).max() < _EXACT:
        return None
    large = set(np.flatnonzero(np.abs(values) >= _EXACT).tolist())
    tokens = enumerate(token for block in _blocks(text) for token in block.split())
    return next((i for i, token in tokens if i in large and _INTEGER.fullmatch(token)), None)


def _blocks(text: str) -> Iterator[str]:
    """The text in pieces of about a megabyte that end between two tokens."""
    start = 0
    while start < len(text):
        end = min(start + _BLOCK, len(text))
        while end < len(text) and not text[end].isspace():
            end += 1
        yield text[start:end]
        start = end


def _block_values(block: str, lenient: bool) -> tuple[NDArray, int | None]:
    """Numbers of a block, and the position of the first token that is none.

    Looking at each token of a damaged block takes long; without `lenient` they are only counted.
    """
    tokens = block.split()
    if not _PLAIN.search(block):
        try:
            if "." not in block and "e" not in block and "E" not in block:
                return np.array(list(map(int, tokens)), dtype=np.int64), None
            values = np.array(list(map(float, tokens)), dtype=np.float64)
            if np.isfinite(values).all():
                return values, None
        except (ValueError, OverflowError):
            pass
    if not lenient:
        return np.zeros(len(tokens)), None
    slow = np.array([_lenient(token) for token in tokens], dtype=np.float64)
    wrong = np.flatnonzero(np.isnan(slow))
    return slow, int(wrong[0]) if wrong.size else None


def _lenient(token: str) -> float:
    try:
        return float(number(token, "", Path(), 0))
    except InputError:
        return math.nan


class Numbers:
    """The numbers of a free-form file, read front to back; line breaks mean nothing.

    Args:
        text: The file or a section of it; lines that start with `#` are comments.
        path: Its name, for messages.
        offset: Lines of the file before `text`.

    Raises:
        InputError: At the first token that is no number.
    """

    def __init__(self, text: str, path: Path, offset: int = 0) -> None:
        self.text, self.path, self.offset = text, path, offset
        found = scan(text)
        self.values = found.values
        self.position = 0
        if found.bad is not None:
            token, line = self._token(found.bad)
            number(token, "data", path, line)
            raise InputError(f"data: number too large to be exact: {shown(token)}", path=path, line=line)

    @property
    def left(self) -> int:
        """How many numbers are still to be read."""
        return int(self.values.size) - self.position

    def take(self, count: int, what: str, minimum: float | None = None) -> NDArray:
        """The next `count` numbers, each at least `minimum`.

        Raises:
            InputError: If fewer are left, or one is below the minimum.
        """
        if count > self.left:
            raise InputError(
                f"expected {count} {what}, found {self.left} before the end of the file",
                path=self.path,
                line=self.offset + last_line(self.text),
            )
        self.position += count
        taken = self.values[self.position - count : self.position]
        if minimum is not None and count and taken.min() < minimum:
            first = int(np.argmax(taken < minimum))
            raise self.error(f"{what}: {taken[first]} is below {minimum:g}", back=count - first)
        return taken

    def integer(self, what: str, minimum: int = 1) -> int:
        """The next number, which must be an integer of at least `minimum`.

        Raises:
            InputError: If it is not, or the file has ended.
        """
        value = self.take(1, what)[0].item()
        if value != math.floor(value) or value < minimum:
            raise self.error(f"{what} is {value}: expected an integer of at least {minimum}")
        return int(value)

    def end(self, what: str) -> None:
        """Requires that every number has been read.

        Raises:
            InputError: If some are left.
        """
        if self.left:
            token, line = self._token(self.position)
            raise InputError(
                f"expected the end after {what}, found {self.left} more numbers from {shown(token)} on",
                path=self.path,
                line=line,
            )

    def error(self, message: str, back: int = 1) -> InputError:
        """An error at the line of a number that was read, `back` numbers ago."""
        return InputError(message, path=self.path, line=self._token(self.position - back)[1])

    def _token(self, position: int) -> tuple[str, int]:
        for line, content in lines(self.text):
            if content.startswith("#"):
                continue
            for block in _blocks(content):
                tokens = block.split()
                if position < len(tokens):
                    return tokens[position], self.offset + line
                position -= len(tokens)
        return "", self.offset + last_line(self.text)


def fit(expected: int | None, found: int, suffix: str, suffixes: tuple[str, ...]) -> float:
    """Confidence of a format that expects a number of tokens: 1 for an exact fit and a usual suffix.

    A near miss keeps some confidence, so that a damaged file reaches the reader whose message fits best; a
    suffix that only this format uses says more than a file that happens to have another format's size.

    Args:
        expected: Tokens that the sizes in the file ask for, None if there are no sizes.
        found: Tokens in the file.
        suffix: The file's.
        suffixes: The format's.
    """
    usual = suffix in suffixes
    if expected == found:
        return 1.0 if usual else 0.9
    near = 0.0 if not expected or expected < 0 else min(expected, found) / max(expected, found)
    if usual and suffix not in _SHARED_SUFFIXES:
        return 0.92 + 0.05 * near
    return 0.1 + 0.3 * near + (0.2 if usual else 0.0)


def numeric_confidence(
    text: str, suffix: str, suffixes: tuple[str, ...], sizes: Callable[[Scan], list[int | None]]
) -> float:
    """Confidence of a free-form format of numbers alone.

    Args:
        text: The file.
        suffix: The file's.
        suffixes: The format's.
        sizes: How many tokens each layout of the format asks for, given what the file says of its sizes.
    """
    found = scan(text)
    if not found.numeric:
        return 0.05 if suffix in suffixes and suffix not in _SHARED_SUFFIXES else 0.0
    return max(fit(size, found.values.size, suffix, suffixes) for size in sizes(found))


def stem(path: Path) -> str:
    """Name of a file without its last suffix, and without `.gz`."""
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    return Path(name).stem


def digits(value: int | float) -> str:
    """A number as text that reads back equal: integers without a point, floats in full."""
    whole = isinstance(value, int) or (value.is_integer() and abs(value) < _EXACT)
    return str(int(value)) if whole else repr(value)


def rows(values: NDArray, width: int = 0) -> str:
    """Numbers separated by blanks, `width` on a line (a matrix: its rows by default), with a final newline."""
    flat = [digits(v) for v in values.ravel().tolist()]
    per_line = width or (values.shape[1] if values.ndim == 2 else 20)
    cut = range(0, len(flat), max(1, per_line))
    return "".join(" ".join(flat[i : i + per_line]) + "\n" for i in cut)
