"""How benchmarks take times."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any


def milliseconds(call: Callable[[], Any], repeats: int) -> float:
    """Of this thread on the processor, the median of so many calls after one that does not count."""
    times = []
    for _ in range(repeats + 1):
        begin = time.thread_time()
        call()
        times.append(time.thread_time() - begin)
    return 1e3 * statistics.median(times[1:])
