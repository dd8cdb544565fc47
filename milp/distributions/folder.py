"""A folder of MPS and LP files as a distribution."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from co_gym.errors import InputError
from co_gym.formulation import MixedIntegerProgram
from co_gym.instance import Instance
from co_gym.io import read
from co_gym.problems.mip import MIP
from co_gym.splits import SPLITS
from milp.distributions.base import check_index, known_split

SUFFIXES = (".mps", ".mps.gz", ".lp", ".lp.gz")
FOLDERS = {"train": ("train",), "validation": ("validation", "valid"), "test": ("test",)}
TENTHS = ("train",) * 8 + ("validation", "test")


@dataclass(frozen=True)
class Folder:
    """The files of a folder, in the order of their names.

    Subfolders `train`, `validation` (or `valid`) and `test` are the splits. Without any of them a file's split
    follows from a hash of its name, the same wherever the folder is: 80 % train, 10 % validation, 10 % test.

    Attributes:
        path: The folder.

    Raises:
        InputError: If it holds no MPS or LP file.
    """

    path: Path

    def __post_init__(self) -> None:
        if not any(self._files.values()):
            raise InputError(f"the folder holds no file *{', *'.join(SUFFIXES)}", path=self.path)

    @property
    def name(self) -> str:
        """Path of the folder."""
        return str(self.path)

    @property
    def family(self) -> str:
        """`files`."""
        return "files"

    @property
    def level(self) -> str:
        """Name of the folder."""
        return self.path.resolve().name

    @property
    def summary(self) -> str:
        """How many files there are in each split."""
        return ", ".join(f"{self.count(split)} {split}" for split in SPLITS)

    @property
    def problem(self) -> str:
        """`mip`."""
        return MIP.name

    @functools.cached_property
    def _files(self) -> dict[str, list[Path]]:
        found = {split: program_files(self.path / name for name in FOLDERS[split]) for split in SPLITS}
        if any((self.path / name).is_dir() for folders in FOLDERS.values() for name in folders):
            return found
        for file in program_files([self.path]):
            found[_split_of(file)].append(file)
        return found

    def count(self, split: str) -> int:
        """How many files a split holds."""
        return len(self._files[known_split(split)])

    def program(self, split: str, index: int) -> MixedIntegerProgram:
        """File `index` of a split as a program."""
        check_index(self, split, index)
        return read_program(self._files[split][index])

    def instance(self, split: str, index: int) -> Instance:
        """File `index` of a split as an instance of problem `mip`, named after the file."""
        check_index(self, split, index)
        found = read(self._files[split][index])
        return found[0]


def program_files(folders: Iterable[Path]) -> list[Path]:
    """The MPS and LP files of some folders, sorted; folders within them are not entered."""
    files = (file for folder in folders if folder.is_dir() for file in folder.iterdir())
    return sorted(file for file in files if file.name.lower().endswith(SUFFIXES) and file.is_file())


def read_program(path: Path) -> MixedIntegerProgram:
    """The program of an MPS or LP file.

    Raises:
        InputError: If the file is malformed or of another kind.
    """
    instance = read(path)[0]
    if instance.problem != MIP.name:
        raise InputError(f"holds a problem of the kind {instance.problem}: expected an MPS or LP file", path=path)
    return MIP().program(instance)


def _split_of(file: Path) -> str:
    """The split of a file by its name, the same whether it is compressed or not."""
    name = file.name[: -len(".gz")] if file.name.lower().endswith(".gz") else file.name
    return TENTHS[int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % len(TENTHS)]
