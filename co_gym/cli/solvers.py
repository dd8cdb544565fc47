"""`co-gym solvers`."""

from __future__ import annotations


def solvers(problem: str | None = None) -> int:
    """List the registered solvers, problems and file formats.

    Args:
        problem: Only the solvers that take this problem.
    """
    from rich.console import Console
    from rich.table import Table

    from co_gym import registry

    found = registry.solvers_for(registry.problem(problem).name) if problem else registry.solvers()
    table = Table("method", "role", "problems", "what it is", title="Solvers")
    for solver in sorted(found, key=lambda s: (sorted(s.problems or ["~"]), s.role, s.name)):
        table.add_row(solver.name, solver.role, ", ".join(sorted(solver.problems or ["any"])), solver.summary)
    console = Console()
    console.print(table)
    if problem is None:
        names = Table("problem", "sense", "distributions", "formulations", title="Problems")
        for name, one in registry.problems().items():
            names.add_row(name, one.sense, ", ".join(one.distributions), ", ".join(one.forms))
        files = Table("format", "problems", "suffixes", "what it is", title="File formats")
        for name, kind in registry.formats().items():
            files.add_row(name, ", ".join(sorted(kind.problems)), " ".join(kind.suffixes), kind.summary)
        console.print(names, files)
    return 0
