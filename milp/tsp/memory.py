"""Memory used by a solve."""

from __future__ import annotations

import resource
import sys


class MemoryMeter:
    """Growth of the process's peak resident memory since the meter was made.

    Args:
        limit: Largest growth in MB, or None.
    """

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self._start = _peak()

    def used(self) -> float:
        """Growth so far in MB."""
        return _peak() - self._start

    def exceeded(self) -> bool:
        """Whether the growth is above the limit."""
        return self.limit is not None and self.used() > self.limit

    def left(self) -> float | None:
        """MB left, or None without a limit."""
        return None if self.limit is None else max(self.limit - self.used(), 0.0)


def _peak() -> float:
    """Peak resident memory of the process in MB (kilobytes on Linux, bytes on macOS)."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
