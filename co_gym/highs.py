"""HiGHS without its banner."""

from __future__ import annotations

from typing import Any


def quiet_highs() -> Any:
    """A HiGHS model that prints nothing and uses one thread.

    `highspy.Highs()` prints a banner to standard output while it is being made; the class below it does not.
    """
    from highspy._core import _Highs

    highs = _Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    return highs
