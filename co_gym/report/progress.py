"""One live line that shows how a solve goes."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table

from co_gym.report.numbers import show_gap, show_number
from co_gym.result import relative_gap
from co_gym.solvers.base import Event


class ProgressLine:
    """Incumbent, bound and gap on standard error while a solve runs; silent where that is no terminal.

    Args:
        name: Name of the instance.
        time_limit: Seconds, shown beside the time that has passed.
    """

    def __init__(self, name: str, time_limit: float) -> None:
        self.name, self.time_limit = name, time_limit
        self._event = Event(0.0, None, None)
        self._start = time.perf_counter()
        self._spinner = Spinner("dots")
        console = Console(stderr=True)
        self._live = (
            Live(self, console=console, refresh_per_second=8, transient=True) if console.is_terminal else None
        )

    def update(self, event: Event) -> None:
        """Shows a new incumbent or bound at the next refresh."""
        self._event = event

    def __rich__(self) -> Table:
        e = self._event
        gap = None if e.objective is None or e.bound is None else relative_gap(e.objective, e.bound)
        line = Table.grid(padding=(0, 2))
        line.add_row(
            self._spinner,
            f"[bold]{escape(self.name)}[/]",
            f"{time.perf_counter() - self._start:.1f} / {self.time_limit:g} s",
            f"incumbent {show_number(e.objective)}",
            f"bound {show_number(e.bound)}",
            f"gap {show_gap(gap)}",
        )
        return line

    def __enter__(self) -> ProgressLine:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
