"""A folder of instance files, with best known values from an `optima.csv` beside them."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from co_gym.errors import InputError
from co_gym.exact import Number
from co_gym.instance import Instance

TABLE = "optima.csv"
NOT_INSTANCES = {".csv", ".md", ".tour", ".sol", ".json", ".txt.md"}


def read_folder(folder: str | Path) -> list[Instance]:
    """Every instance of the files in a folder, in the order of their names.

    A table `optima.csv` with columns `instance` and `optimum` (names with or without suffix) fills in the
    references that the files do not hold themselves.

    Args:
        folder: The folder; folders in it are not entered.

    Raises:
        InputError: If it is no folder, or a file in it is malformed.
    """
    from co_gym.io import read

    folder = Path(folder)
    if not folder.is_dir():
        raise InputError("expected a folder of instance files", path=folder)
    known = _optima(folder / TABLE)
    instances = []
    for path in sorted(p for p in folder.iterdir() if p.is_file() and p.suffix not in NOT_INSTANCES):
        optimum = known.get(path.name, known.get(path.stem))
        for instance in read(path):
            instances.append(instance if optimum is None else replace(instance, reference=optimum))
    return instances


def _optima(path: Path) -> dict[str, Number]:
    if not path.exists():
        return {}
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    try:
        values = {row["instance"]: float(row["optimum"]) for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("expected columns 'instance' and 'optimum' with numbers", path=path) from error
    return {name: int(value) if value.is_integer() else value for name, value in values.items()}
