"""`co-gym doctor`."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

DISTRIBUTION = "co-gym-suite"


def doctor() -> int:
    """Show versions, the SCIP build and the machine, and say what is missing or broken."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    problems: list[str] = []
    table = Table("what", "found", title="co-gym doctor", show_header=False)
    for what, found in [*_machine(), *_packages(problems), *_scip(problems), *_registered(problems)]:
        table.add_row(what, found)
    problems += _shadowed()
    console = Console()
    console.print(table)
    for problem in problems:
        console.print(f"[red]problem:[/] {escape(problem)}", highlight=False)
    if not problems:
        console.print("no problems found")
    return 1 if problems else 0


def _machine() -> list[tuple[str, str]]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    return [
        ("python", f"{platform.python_version()} ({platform.python_implementation()})"),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("processor", _processor()),
        ("cores", str(os.cpu_count())),
        ("memory", f"{pages / 2**30:.1f} GiB" if pages else "unknown"),
    ]


def _processor() -> str:
    """The processor's model, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"


def _packages(problems: list[str]) -> list[tuple[str, str]]:
    rows = []
    for name, extra in _requirements():
        try:
            rows.append((name, version(name)))
        except PackageNotFoundError:
            rows.append((name, "missing" if extra is None else f"not installed (extra '{extra}')"))
            if extra is None:
                problems.append(f"{name} is missing: pip install {DISTRIBUTION}")
    return rows


def _requirements() -> list[tuple[str, str | None]]:
    """Names of the required packages, and of those of the user-facing extras."""
    import re

    rows = []
    for line in requires(DISTRIBUTION) or []:
        name = re.match(r"[A-Za-z0-9_.-]+", line)
        extra = re.search(r"extra == ['\"](\w+)['\"]", line)
        if name and (extra is None or extra[1] in ("ibm", "dask", "bench")):
            rows.append((name[0], extra[1] if extra else None))
    return sorted(rows, key=lambda row: (row[1] is not None, row[0]))


def _scip(problems: list[str]) -> list[tuple[str, str]]:
    try:
        from pyscipopt import Model

        model = Model()
    except Exception as error:
        problems.append(f"SCIP cannot be used: {error}")
        return [("SCIP", "broken")]
    library = find_spec("pyscipopt")
    folder = Path(library.origin).parent.parent / "pyscipopt.libs" if library and library.origin else Path()
    bundled = sorted(folder.glob("libscip*")) if folder.is_dir() else []
    build = f"{model.version()}.{model.getTechVersion()}"
    return [("SCIP", f"{build}, {'library of the wheel' if bundled else 'library of the system'}")]


def _registered(problems: list[str]) -> list[tuple[str, str]]:
    import warnings

    from co_gym import registry

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = [
            ("problems", ", ".join(registry.problems())),
            ("formats", ", ".join(registry.formats())),
            ("solvers", ", ".join(sorted({s.name for s in registry.solvers()}))),
        ]
    problems += [str(w.message) for w in caught]
    return rows


def _shadowed() -> list[str]:
    """Packages of the suite that a user's own module of the same name hides."""
    import co_gym

    home = Path(co_gym.__file__).parent.parent
    found = {name: find_spec(name) for name in ("policies", "milp", "quantum")}
    return [
        f"the package '{name}' is taken from {spec.origin if spec else 'nowhere'}, not from {home}: "
        "another module of that name comes first on the path"
        for name, spec in found.items()
        if spec is None or spec.origin is None or Path(spec.origin).parent.parent != home
    ]
