"""Files (.npz) of arrays of declared type and shape, checked whatever they come from. NumPy only."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError


@dataclass(frozen=True)
class Declared:
    """What an array must be.

    Attributes:
        dtype: Its type.
        shape: Its dimensions: a number, a letter that means the same in all arrays of a file, or a letter + 1.
        least: Smallest value; None: any.
    """

    dtype: Any
    shape: tuple[int | str, ...]
    least: float | None = None


def checked(name: str, value: object, declared: Declared, dimensions: dict[str, int], path: Path) -> NDArray:
    """An array as it was declared.

    Args:
        name: Of the array, for messages.
        value: The array; of any float type for floats, any integer type for integers.
        declared: What it must be.
        dimensions: The letters known so far; completed.
        path: The file, for messages.

    Raises:
        InputError: If it is of another kind or shape, or holds a number that is not finite or too small.
    """
    array, kinds = np.asarray(value), "f" if np.dtype(declared.dtype).kind == "f" else "iu"
    if array.dtype.kind not in kinds:
        raise InputError(f"array '{name}' is {array.dtype}: expected {np.dtype(declared.dtype)}", path=path)
    if not _fits(array.shape, declared.shape, dimensions):
        shown = ", ".join(_shown(one, dimensions) for one in declared.shape)
        raise InputError(f"array '{name}' has shape {list(array.shape)}: expected [{shown}]", path=path)
    with np.errstate(over="ignore"):
        found = np.asarray(array, dtype=declared.dtype, order="C")
    if not np.isfinite(found).all():
        raise InputError(f"array '{name}' holds a number that is not finite", path=path)
    if declared.least is not None and found.size and found.min() < declared.least:
        raise InputError(f"array '{name}' holds {found.min():g}: expected at least {declared.least:g}", path=path)
    return found


def require_offsets(name: str, offsets: NDArray, total: int, path: Path, *, least: int = 0) -> None:
    """Checks that offsets begin at 0, end at `total` and grow by at least `least` each.

    Raises:
        InputError: If not.
    """
    if not offsets.size or offsets[0] != 0 or offsets[-1] != total or (np.diff(offsets) < least).any():
        raise InputError(
            f"array '{name}': expected offsets from 0 to {total} that grow by at least {least}", path=path
        )


def require_below(name: str, indices: NDArray, bound: int, path: Path) -> None:
    """Checks that indices, which are not negative, are below a bound.

    Raises:
        InputError: If not.
    """
    if indices.size and indices.max() >= bound:
        raise InputError(f"array '{name}' holds {indices.max()}: expected less than {bound}", path=path)


def require_names(given: Mapping[str, Any], required: set[str], known: set[str], path: Path) -> None:
    """Checks which arrays there are.

    Raises:
        InputError: If one is missing or unknown.
    """
    for kind, names in (("missing", required - given.keys()), ("unknown", given.keys() - known)):
        if names:
            raise InputError(f"array '{min(names)}' is {kind}", path=path)


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Writes a file at once or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            np.savez_compressed(stream, **arrays)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_arrays(path: Path, what: str, *, without: Container[str] = ()) -> dict[str, NDArray]:
    """The arrays of a file, without those named; nothing is unpickled.

    Raises:
        InputError: If it cannot be read; `what` tells what was expected.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {k: file[k] for k in file.files if k not in without}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"expected {what} (.npz): {error}", path=path) from error


def files_in(folder: str | Path, what: str) -> list[Path]:
    """The files of arrays in a folder, in order.

    Raises:
        InputError: If there are none; `what` tells what was expected.
    """
    found = sorted(Path(folder).glob("*.npz"))
    if not found:
        raise InputError(f"expected a folder with {what} (.npz)", path=folder)
    return found


def _fits(shape: tuple[int, ...], wanted: tuple[int | str, ...], dimensions: dict[str, int]) -> bool:
    if len(shape) != len(wanted):
        return False
    for size, want in zip(shape, wanted, strict=True):
        if isinstance(want, str):
            letter, _, more = want.partition("+")
            size, want = size - int(more or 0), dimensions.setdefault(letter, size - int(more or 0))
        if size != want or size < 0:
            return False
    return True


def _shown(want: int | str, dimensions: dict[str, int]) -> str:
    letter, _, more = str(want).partition("+")
    return str(dimensions[letter] + int(more or 0)) if letter in dimensions else str(want)
