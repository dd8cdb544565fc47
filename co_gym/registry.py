"""What is registered: problems, solvers, formats, commands, distributions, encodings, ansätze.

co-gym registers its own parts in the same way (see `pyproject.toml`), so a part from another package is on the
same footing: one line in an entry-point group.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from co_gym.errors import InputError, unknown_name
from co_gym.solvers.base import preference_of

if TYPE_CHECKING:
    from co_gym.io.base import Format
    from co_gym.problems.base import Problem
    from co_gym.solvers.base import Solver
    from co_gym.splits import Distribution

GROUPS = {
    "problems": "co_gym.problems",
    "solvers": "co_gym.solvers",
    "formats": "co_gym.formats",
    "commands": "co_gym.commands",
    "distributions": "co_gym.distributions",
    "encodings": "co_gym.encodings",
    "ansatze": "co_gym.ansatze",
}


@functools.cache
def entries(kind: str) -> dict[str, EntryPoint]:
    """Entry points of one kind (a key of `GROUPS`) by name, not loaded; co-gym's own come first."""
    found = entry_points(group=GROUPS[kind])
    ours = ("co_gym.", "milp.", "policies.", "quantum.")
    return {e.name: e for e in sorted(found, key=lambda e: (not e.value.startswith(ours), e.name))}


@functools.cache
def _load(kind: str, name: str) -> Any:
    """The registered object; classes are instantiated once."""
    loaded = entries(kind)[name].load()
    return loaded() if isinstance(loaded, type) else loaded


def _load_all(kind: str) -> dict[str, Any]:
    """Everything of one kind; a part of another package that fails to load is left out with a warning."""
    loaded = {}
    for name, entry in entries(kind).items():
        try:
            loaded[name] = _load(kind, name)
        except Exception as error:
            warnings.warn(f"{kind} entry '{name}' ({entry.value}) cannot be loaded: {error!r}", stacklevel=2)
    return loaded


def _named(kind: str, name: str, called: str) -> Any:
    """The registered object of one kind and name; no other is loaded.

    Raises:
        InputError: If none is registered under it, or it cannot be loaded; `called` is what it is called there.
    """
    known = entries(kind)
    if name not in known:
        raise unknown_name(called, name, list(known))
    try:
        return _load(kind, name)
    except Exception as error:
        raise InputError(f"{called} '{name}' ({known[name].value}) cannot be loaded: {error!r}") from error


def problem(name: str) -> Problem:
    """The problem of a given name.

    Raises:
        InputError: If none is registered under it, or it cannot be loaded.
    """
    found: Problem = _named("problems", name, "problem")
    return found


def problems() -> dict[str, Problem]:
    """Every registered problem by name."""
    return _load_all("problems")


def formats() -> dict[str, Format]:
    """Every registered file format by name."""
    return _load_all("formats")


def solvers() -> list[Solver]:
    """Every registered solver."""
    return list(_load_all("solvers").values())


def commands() -> dict[str, Callable[..., int | None]]:
    """Every registered subcommand of `co-gym` by name: functions whose parameters become options."""
    return _load_all("commands")


def encodings() -> dict[str, Any]:
    """Every registered encoding of programs into Hamiltonians by name."""
    return _load_all("encodings")


def encoding(name: str) -> Any:
    """The encoding of programs into Hamiltonians of a given name; see `quantum.encodings`.

    Raises:
        InputError: If none is registered under it, or it cannot be loaded.
    """
    return _named("encodings", name, "encoding")


def ansatz(name: str) -> Any:
    """The family of circuits of a given name; see `quantum.ansatze`.

    Raises:
        InputError: If none is registered under it, or it cannot be loaded.
    """
    return _named("ansatze", name, "ansatz")


def distribution(package: str, name: str) -> Distribution:
    """The distribution of a given name among those that a package offers.

    Raises:
        InputError: If the package offers none, or none of that name.
    """
    find: Callable[[str], Distribution] = _named("distributions", package, "package of distributions")
    return find(name)


def solvers_for(problem_name: str) -> list[Solver]:
    """The solvers that take instances of a problem: those made for it alone first, then by preference."""
    able = [s for s in solvers() if s.problems is None or problem_name in s.problems]
    return sorted(able, key=lambda s: (s.problems is None, -preference_of(s)))


def solver(method: str, problem_name: str) -> Solver:
    """The solver that `method` means for a problem: by name first, then by role.

    Solvers of different problems may share a name (`greedy`, `scip`); the problem picks among them.

    Raises:
        InputError: If no registered solver of that name or role takes the problem.
    """
    able = solvers_for(problem_name)
    for candidate in able:
        if candidate.name == method:
            return candidate
    for candidate in able:
        if candidate.role == method:
            return candidate
    if method in {name for s in solvers() for name in (s.name, s.role)}:
        names = sorted({s.name for s in able})
        raise InputError(f"method '{method}' does not solve {problem_name}: expected one of {', '.join(names)}")
    raise unknown_name("method", method, sorted({s.name for s in able} | {s.role for s in able}))
