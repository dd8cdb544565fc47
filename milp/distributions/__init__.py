"""Instance distributions of mixed-integer programs: fixed, seeded splits of published families, or folders."""

from __future__ import annotations

from co_gym.splits import SPLITS
from milp.distributions.base import Distribution
from milp.distributions.catalogue import distribution, names

__all__ = ["SPLITS", "Distribution", "distribution", "names"]
