"""A progress bar for work that is done instance by instance."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def count_up(title: str, total: int, counts: Iterable[int], unit: str, minutes: float | None) -> str:
    """Shows progress while `counts` come in, one for each instance.

    Args:
        title: What is worked on.
        total: How many instances there are.
        counts: What each of them brought.
        unit: Of the counts.
        minutes: Stop after about so long; None: do all.

    Returns:
        What came of it, in words.
    """
    begin, found = time.monotonic(), 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[found]} " + unit)) as progress:
        task = progress.add_task(title, total=total, found=0)
        for count in counts:
            found += count
            progress.update(task, advance=1, found=found)
            if minutes is not None and time.monotonic() - begin > 60 * minutes:
                break
    return f"{found} new {unit} in {(time.monotonic() - begin) / 60:.1f} minutes"
