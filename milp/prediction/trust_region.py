"""The trust region around a predicted assignment (Han et al. 2023): how many variables, and how far from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.9
DEVIATIONS = 2.0


@dataclass(frozen=True, eq=False)
class TrustRegion:
    """At most `delta` of the chosen variables differ from their predicted values.

    Attributes:
        zeros: [k0] int64, positions of variables that are predicted to be 0.
        ones: [k1] int64, positions of variables that are predicted to be 1.
        delta: Of how many the value may differ.
    """

    zeros: NDArray
    ones: NDArray
    delta: int

    def __len__(self) -> int:
        return int(self.zeros.size + self.ones.size)


def trust_region(
    marginals: NDArray, *, k0: int | None = None, k1: int | None = None, delta: int | None = None
) -> TrustRegion:
    """The region of the variables that are predicted most surely.

    Args:
        marginals: [n] float64, probabilities of being 1; 0.5 is never chosen.
        k0: Most variables taken to be 0; None: all below 1 - `CONFIDENCE`.
        k1: Most variables taken to be 1; None: all above `CONFIDENCE`.
        delta: How many may differ; None: as many as differ if the probabilities are right, with `DEVIATIONS`
            standard deviations to spare.
    """
    zeros = _surest(marginals, np.flatnonzero(marginals < 0.5), k0)
    ones = _surest(1.0 - marginals, np.flatnonzero(marginals > 0.5), k1)
    if delta is None:
        errors = np.concatenate([marginals[zeros], 1.0 - marginals[ones]])
        delta = math.ceil(errors.sum() + DEVIATIONS * math.sqrt((errors * (1.0 - errors)).sum()))
    return TrustRegion(zeros, ones, delta)


def _surest(errors: NDArray, candidates: NDArray, size: int | None) -> NDArray:
    """The candidates of least error: so many, or all that are below 1 - `CONFIDENCE`."""
    order = candidates[np.argsort(errors[candidates], kind="stable")]
    return order[errors[order] < 1.0 - CONFIDENCE] if size is None else order[:size]
