"""How numbers look in tables."""

from __future__ import annotations

import math

from co_gym.exact import Number


def show_number(value: Number | None) -> str:
    """An int in full, a float to ten significant digits, a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return str(value)
    if math.isfinite(value) and value == round(value):
        return f"{value:.0f}"
    return f"{value:.10g}"


def show_gap(gap: float | None) -> str:
    """A relative gap in percent; a dash for None."""
    if gap is None:
        return "–"
    if gap < 1e-9:
        return "0 %"
    return "> 1000 %" if gap > 10 else f"{100 * gap:.2g} %"


def show_seconds(seconds: float) -> str:
    """Seconds with the digits that matter."""
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
