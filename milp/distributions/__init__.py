"""Instance distributions of mixed-integer programs: fixed, seeded splits of published families, or folders."""

from __future__ import annotations

from milp.distributions.base import SPLITS, Distribution
from milp.distributions.catalogue import distribution, names

__all__ = ["SPLITS", "Distribution", "distribution", "names"]
