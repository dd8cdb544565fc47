"""Results as a table on the terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from co_gym.report.numbers import show_gap, show_number, show_seconds
from co_gym.result import Result

NUMBERS = ("objective", "bound", "gap", "best known")
COLUMNS = ("instance", "problem", "method", "status", *NUMBERS, "verified", "time")
STYLES = {"optimal": "bold green", "feasible": "green", "rejected": "bold red"}


def cells(result: Result) -> dict[str, str]:
    """One row by column."""
    verified = "–" if result.check is None else "yes" if result.check.ok else "NO"
    values = [
        result.instance.name,
        result.instance.problem,
        result.method,
        result.status,
        show_number(result.objective),
        show_number(result.bound),
        show_gap(result.gap),
        show_number(result.instance.reference),
        verified,
        show_seconds(result.runtime),
    ]
    return dict(zip(COLUMNS, values, strict=True))


def print_results(results: Sequence[Result]) -> None:
    """A row per result on standard output; in full width where that is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not results:
        return
    rows = [cells(result) for result in results]
    shown = [c for c in COLUMNS if any(row[c] != "–" for row in rows)]
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for column in shown:
        right = column in (*NUMBERS, "time")
        table.add_column(column, justify="right" if right else "left", no_wrap=right)
    for row, result in zip(rows, results, strict=True):
        row = {column: escape(text) for column, text in row.items()}
        row["status"] = f"[{STYLES.get(result.status, 'yellow')}]{row['status']}[/]"
        table.add_row(*(row[column] for column in shown))
    console.print(table)


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(columns), " | ".join("---" for _ in columns), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)
