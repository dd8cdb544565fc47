"""HiGHS without its banner."""

from __future__ import annotations

from typing import Any


def quiet_highs() -> Any:
    """A HiGHS model that prints nothing and uses one thread.

    `highspy.Highs()` prints a banner to standard output while it is being made; the class below it does not. A
    number of threads is not set: HiGHS refuses one that differs from that of its first run in the process.
    """
    from highspy._core import _Highs

    highs = _Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("parallel", "off")
    return highs
