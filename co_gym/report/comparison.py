"""What a solver says of other methods that it ran beside itself, as a table on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from co_gym.report.numbers import show_gap, show_number
from co_gym.result import Result


def _share(value: float | None) -> str:
    return "–" if value is None else "0 %" if value == 0 else f"{100 * value:.3g} %"


def _count(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "objective": ("objective", show_number),
    "samples": ("samples", show_number),
    "feasible_fraction": ("feasible", _share),
    "best_of_50_gap": ("gap of best of 50", show_gap),
    "p_optimal": ("p(optimum)", _share),
    "over_uniform": ("over uniform", _count),
    "time_to_solution": ("samples to 99 %", _count),
}
"""By key of a row: its title, and how it looks."""


def rows_of(result: Result) -> list[Mapping[str, Any]]:
    """The solver's own figures and those of the methods beside it, from `details["comparison"]`; empty without."""
    beside = result.details.get("comparison")
    if not beside:
        return []
    own = dict(result.details) | {"method": result.method, "objective": result.objective}
    return [own | {"samples": result.details.get("shots")}, *beside]


def print_comparison(result: Result) -> None:
    """A row for each method on standard output, if there are any; and the solver's note, if it has one."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    rows = rows_of(result)
    if not rows:
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    table = Table(box=box.SIMPLE_HEAD, title=f"{result.instance.name}: beside other methods", pad_edge=False)
    table.add_column("method")
    for title, _ in COLUMNS.values():
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(str(row["method"]), *(show(row.get(key)) for key, (_, show) in COLUMNS.items()))
    console.print(table)
    if "note" in result.details:
        console.print(f"Note: {result.details['note']}.")
