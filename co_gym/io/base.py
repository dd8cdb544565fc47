"""What a file format is."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from co_gym.errors import InputError
from co_gym.instance import Instance


class Format(Protocol):
    """Reads, and perhaps writes, one kind of file. Registered by one line in `co_gym.formats`.

    Attributes:
        name: Name for `--format`.
        problems: Names of the problems whose instances it holds.
        suffixes: Usual endings of the file's name, with the dot, in lower case; the first is the one to write.
        summary: One line: what it is and where it is described.
    """

    name: str
    problems: frozenset[str]
    suffixes: tuple[str, ...]
    summary: str

    def confidence(self, text: str, suffix: str) -> float:
        """How surely a file is of this format, 0 to 1. Never raises.

        Args:
            text: The whole content, decoded as Latin-1, with `\\n` line ends.
            suffix: Ending of the name in lower case, without `.gz`.
        """

    def parse(self, text: str, path: Path) -> list[Instance]:
        """The instances in the text of a file.

        Raises:
            InputError: If it is malformed; names the file, the line and what was expected.
        """

    def format(self, instances: list[Instance]) -> str:
        """The text of a file that holds `instances`.

        Raises:
            InputError: If the format cannot hold them, or only one at a time.
        """


def only(instances: list[Instance], problems: frozenset[str], format_name: str) -> Instance:
    """The single instance for a format that holds one.

    Raises:
        InputError: If there is not exactly one, or it is of another problem.
    """
    if len(instances) != 1:
        raise InputError(f"a {format_name} file holds one instance: expected 1, got {len(instances)}")
    if instances[0].problem not in problems:
        expected = " or ".join(sorted(problems))
        raise InputError(f"a {format_name} file holds {expected}: got an instance of {instances[0].problem}")
    return instances[0]
