"""Pools of good solutions on disk. NumPy only, so that solvers write them.

A folder holds the pools of one distribution: a file (.npz) for each instance, in subfolders by split, and a
manifest (`distribution.json`) that says which distribution it is.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError
from policies.arrays import Declared, checked, files_in, read_arrays, require_below, require_names, write_arrays

DECLARED = {
    "columns": Declared(np.int32, ("b",), 0),
    "objectives": Declared(np.float64, ("s",)),
    "packed": Declared(np.uint8, ("s", "w")),
    "minimize": Declared(np.int64, (), 0),
    "variables": Declared(np.int64, (), 1),
    "seconds": Declared(np.float64, (), 0),
}
OPTIONAL = {"seconds": np.array(0.0)}
"""What arrays are that a file may lack."""

MANIFEST = "distribution.json"
"""Name of the manifest; its field `distribution` is a name of the catalogue, or the absolute path of a folder."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Good solutions of one instance, restricted to its binary variables; the first is the best known.

    Attributes:
        columns: int32 [b]; the binary variables among those of the program.
        objectives: float64 [s]; the solutions' objectives, best first.
        values: bool [s, b]; their binary variables.
        minimize: Whether lower objectives are better.
        variables: How many variables the program has.
        seconds: Wall-clock seconds that making the pool took on one core; 0 if unknown, as in files without it.
    """

    columns: NDArray[np.int32]
    objectives: NDArray[np.float64]
    values: NDArray[np.bool_]
    minimize: bool
    variables: int
    seconds: float = 0.0

    def __len__(self) -> int:
        return int(self.objectives.size)

    @property
    def behind(self) -> NDArray[np.float64]:
        """[s]; what the solutions lack to the best, relative to it."""
        lacking: NDArray[np.float64] = np.abs(self.objectives - self.objectives[0])
        return lacking / max(abs(float(self.objectives[0])), 1e-9)

    def weights(self, temperature: float) -> NDArray[np.float64]:
        """[s] softmax of how good the solutions are, relative to the best (Han et al. 2023); sums to 1.

        Args:
            temperature: In units of the best objective's size: a solution that is worse by this share weighs 1/e
                of the best one.
        """
        weights = np.exp(-self.behind / temperature)
        found: NDArray[np.float64] = weights / weights.sum()
        return found

    def save(self, path: str | Path) -> None:
        """Writes the file at once or not at all, eight values a byte.

        Raises:
            InputError: If an array is not as it must be.
        """
        arrays: dict[str, NDArray] = {
            "columns": self.columns,
            "objectives": self.objectives,
            "packed": np.packbits(self.values, axis=1),
            "minimize": np.array(int(self.minimize)),
            "variables": np.array(self.variables),
            "seconds": np.array(float(self.seconds)),
        }
        write_arrays(Path(path), _checked(arrays, Path(path)))

    @classmethod
    def load(cls, path: str | Path) -> Pool:
        """Reads and checks a file.

        Raises:
            InputError: If it cannot be read, or an array is not as it must be; names file and array.
        """
        found = _checked(read_arrays(Path(path), "a pool of solutions"), Path(path))
        return cls(
            columns=found["columns"],
            objectives=found["objectives"],
            values=np.unpackbits(found["packed"], axis=1, count=found["columns"].size).astype(bool),
            minimize=bool(found["minimize"]),
            variables=int(found["variables"]),
            seconds=float(found["seconds"]),
        )


def pools(folder: str | Path) -> list[Path]:
    """The files in a folder, in order.

    Raises:
        InputError: If there are none.
    """
    return files_in(folder, "pools of solutions")


def read_manifest(folder: str | Path) -> str:
    """The distribution whose pools a folder holds.

    Raises:
        InputError: If the manifest is missing or malformed.
    """
    path = Path(folder) / MANIFEST
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"expected the manifest that collecting pools writes (JSON): {error}", path=path
        ) from error
    name = found.get("distribution") if isinstance(found, dict) else None
    if not isinstance(name, str):
        raise InputError("field 'distribution': expected the name of a distribution or a folder's path", path=path)
    return name


def write_manifest(folder: str | Path, distribution: str) -> None:
    """Says whose pools a folder holds, at once or not at all; the folder is made, and what is said already stays.

    Raises:
        InputError: If it holds pools of another distribution, or its manifest is malformed.
    """
    path = Path(folder) / MANIFEST
    if path.exists():
        if (known := read_manifest(folder)) != distribution:
            what = f"field 'distribution' is {known!r}: expected {distribution!r}"
            raise InputError(f"{what}; pools of another distribution belong into a folder of their own", path=path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(json.dumps({"distribution": distribution}) + "\n", encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _checked(given: dict[str, NDArray], path: Path) -> dict[str, NDArray]:
    require_names(given, DECLARED.keys() - OPTIONAL.keys(), set(DECLARED), path)
    given = OPTIONAL | given
    sizes: dict[str, int] = {}
    found = {name: checked(name, given[name], declared, sizes, path) for name, declared in DECLARED.items()}
    if not sizes["s"] or not sizes["b"]:
        raise InputError("expected at least one solution and one binary variable", path=path)
    if sizes["w"] != -(-sizes["b"] // 8):
        raise InputError(f"array 'packed' has {sizes['w']} bytes a row: expected {-(-sizes['b'] // 8)}", path=path)
    require_below("columns", found["columns"], int(found["variables"]), path)
    if (np.diff(found["columns"]) <= 0).any():
        raise InputError("array 'columns': expected increasing numbers", path=path)
    require_below("minimize", found["minimize"], 2, path)
    behind = np.diff(found["objectives"]) * (1 if found["minimize"] else -1)
    if (behind < 0).any():
        raise InputError("array 'objectives': expected the best first", path=path)
    return found
