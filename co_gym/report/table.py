"""Results as a table on the terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from co_gym.report.numbers import show_gap, show_number, show_seconds
from co_gym.result import Result

COLUMNS = (
    "instance",
    "problem",
    "method",
    "status",
    "objective",
    "bound",
    "gap",
    "best known",
    "checked",
    "time",
)
STYLES = {"optimal": "bold green", "feasible": "green", "rejected": "bold red"}


def cells(result: Result) -> list[str]:
    """One row, in the order of `COLUMNS`."""
    return [
        result.instance.name,
        result.instance.problem,
        result.method,
        result.status,
        show_number(result.objective),
        show_number(result.bound),
        show_gap(result.gap),
        show_number(result.instance.reference),
        "–" if result.check is None else "yes" if result.check.ok else "NO",
        show_seconds(result.runtime),
    ]


def print_results(results: Sequence[Result]) -> None:
    """A row per result on standard output."""
    from rich.console import Console
    from rich.table import Table

    if not results:
        return
    table = Table()
    for column in COLUMNS:
        table.add_column(column, justify="right" if column in ("objective", "bound", "gap", "time") else "left")
    for result in results:
        row = cells(result)
        row[3] = f"[{STYLES.get(result.status, 'yellow')}]{row[3]}[/]"
        table.add_row(*row)
    console = Console()
    console.print(table, width=None if console.is_terminal else 140)


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(columns), " | ".join("---" for _ in columns), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)
