"""What a distribution over bit strings is worth: feasibility, probability of the optimum, the best of samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.99
"""Of having seen the optimum, in the time to solution."""
DRAWS = 50
"""Samples of which the best is taken."""


@dataclass(frozen=True)
class Quality:
    """Figures of a distribution; the gaps are relative to the optimum.

    Attributes:
        feasible_fraction: Probability of a feasible sample.
        mean_gap: Expected gap of a feasible sample; None where there is none.
        best_of_50_gap: Expected gap of the best feasible one of 50 samples; a sample that is not feasible counts
            as the value `worst`.
        p_optimal: Probability of an optimum; None if the optimum is not known.
        over_uniform: Ratio of that to its probability in uniform sampling.
        time_to_solution: Samples until an optimum is seen with a probability of 99 %; None if never.
    """

    feasible_fraction: float
    mean_gap: float | None = None
    best_of_50_gap: float | None = None
    p_optimal: float | None = None
    over_uniform: float | None = None
    time_to_solution: float | None = None


def quality(
    objectives: NDArray,
    feasible: NDArray,
    probabilities: NDArray,
    *,
    optimum: float | None = None,
    worst: float | None = None,
    uniform: float | None = None,
) -> Quality:
    """Figures of a distribution.

    Args:
        objectives: [K] float64, to be minimized.
        feasible: [K] bool.
        probabilities: [K] float64, exact ones or shares of samples.
        optimum: Of the instance, to be minimized; None if it is not known.
        worst: What a sample that is not feasible counts as; by default the highest of `objectives`.
        uniform: Probability of an optimum in uniform sampling.
    """
    total = float(probabilities[feasible].sum())
    if optimum is None:
        return Quality(total)
    scale = max(abs(optimum), 1e-9)
    gaps = np.where(feasible, objectives, objectives.max() if worst is None else worst)
    gaps = np.maximum(gaps - optimum, 0.0) / scale
    hit = feasible & (gaps <= 1e-9)
    p_optimal = float(probabilities[hit].sum())
    return Quality(
        feasible_fraction=total,
        mean_gap=float(gaps[feasible] @ probabilities[feasible]) / total if total > 0 else None,
        best_of_50_gap=best_of(gaps, probabilities, DRAWS),
        p_optimal=p_optimal,
        over_uniform=p_optimal / uniform if uniform else None,
        time_to_solution=time_to_solution(p_optimal),
    )


def best_of(values: NDArray, probabilities: NDArray, draws: int) -> float:
    """Expected least value [K] of so many independent draws."""
    order = np.argsort(values, kind="stable")
    beyond = np.clip(1.0 - np.concatenate([[0.0], np.cumsum(probabilities[order])]), 0.0, 1.0)
    beyond[-1] = 0.0
    return float(values[order] @ (beyond[:-1] ** draws - beyond[1:] ** draws))


def time_to_solution(probability: float, confidence: float = CONFIDENCE) -> float | None:
    """Samples until something of this probability is seen, with confidence; None if it never is."""
    if probability <= 0.0:
        return None
    return 1.0 if probability >= confidence else math.log(1.0 - confidence) / math.log1p(-probability)
