"""The errors that a user's input can cause; each ends in one message, never in a traceback on the command line."""

from __future__ import annotations

from pathlib import Path


class CoGymError(Exception):
    """Base of every error that co-gym raises on purpose."""


class InputError(CoGymError, ValueError):
    """Bad input: a malformed file, data of the wrong shape, NaN, or an unknown name.

    Args:
        message: What is wrong and what was expected.
        path: The file, if the input came from one.
        line: The 1-based line in that file, where it is known.
    """

    def __init__(self, message: str, *, path: str | Path | None = None, line: int | None = None) -> None:
        self.message = message
        self.path = None if path is None else str(path)
        self.line = line
        place = "" if path is None else f"{path}: " if line is None else f"{path}:{line}: "
        super().__init__(place + message)


class SolverError(CoGymError, RuntimeError):
    """A solver cannot handle an instance, or failed while solving it."""


def unknown_name(kind: str, name: str, known: list[str] | tuple[str, ...]) -> InputError:
    """An `InputError` for a name that is not registered, with the nearest known names."""
    import difflib

    near = difflib.get_close_matches(name, known, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return InputError(f"unknown {kind} '{name}': expected one of {', '.join(sorted(known))}{hint}")
