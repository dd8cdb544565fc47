"""Maximizing a dual function: what an oracle says of it, what a rule does with that, and the loop of the two."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import InputError, SolverError
from quantum.multipliers.region import Region

STATIONARY = 1e-12
"""Slopes of this norm, in natural units, are 0 but for rounding."""


@dataclass(frozen=True, eq=False)
class Inner:
    """What an oracle found at some multipliers.

    Attributes:
        value: Of the Lagrangian at its minimizer, or an estimate of it.
        slopes: [m] float64, `lagrangian.subgradient` at the minimizer, or its mean over samples.
        exact: Whether `value` is the minimum: only then it is a bound.
    """

    value: float
    slopes: NDArray
    exact: bool


@dataclass(frozen=True, eq=False)
class Step:
    """One call of an oracle.

    Attributes:
        multipliers: [m] float64, where.
        inner: What it found.
        norm: Of the slopes in natural units, without what leads out of the region.
    """

    multipliers: NDArray
    inner: Inner
    norm: float

    def as_json(self) -> dict[str, Any]:
        """Numbers and lists."""
        record = asdict(self) | asdict(self.inner)
        del record["inner"]
        return record | {"multipliers": self.multipliers.tolist(), "slopes": self.inner.slopes.tolist()}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Step:
        """Back from `as_json`."""
        inner = Inner(record["value"], np.array(record["slopes"], dtype=np.float64), record["exact"])
        return cls(np.array(record["multipliers"], dtype=np.float64), inner, record["norm"])


@dataclass(frozen=True, eq=False)
class Dual:
    """The best multipliers that were found.

    Attributes:
        multipliers: [m] float64, those of the best value.
        value: The best value; if it was estimated, chance favoured it.
        bound: The best exact value, which no feasible solution is below; None if no value was exact.
        history: Every call of the oracle.
    """

    multipliers: NDArray
    value: float
    bound: float | None
    history: list[Step]


class Ascent(Protocol):
    """A rule at work. The same answers of an oracle lead to the same multipliers.

    Attributes:
        penalty: Weight of the quadratic term that the oracle is to add; 0 for the Lagrangian as it is.
    """

    penalty: float

    def next(self, inner: Inner) -> NDArray | None:
        """The multipliers to try next, [m] float64, or None when done.

        Args:
            inner: What the oracle found at the multipliers that were returned last, at first at the start.
        """


class Rule(Protocol):
    """How multipliers are updated: by mathematics, or by a trained policy.

    Attributes:
        name: Its name.
        summary: One line with the source of the method.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def summary(self) -> str: ...  # noqa: D102

    def start(self, multipliers: NDArray, region: Region) -> Ascent:
        """Begin.

        Args:
            multipliers: [m] float64, where the oracle is called first, in natural units.
            region: Where multipliers may be, in natural units: a usual multiplier and a usual change of the
                objective have size 1.
        """


def maximize(
    oracle: Callable[..., Inner],
    rule: Rule,
    start: NDArray,
    region: Region,
    steps: int,
    *,
    known: Sequence[Step] = (),
    on_step: Callable[[Step], object] = lambda step: None,
    is_over: Callable[[], bool] = lambda: False,
) -> Dual:
    """Raise the value of a dual function.

    Ends when the rule is done, when exact slopes are 0 or an exact value reaches `region.upper`, as there is then
    nothing better, or after a number of steps.

    Args:
        oracle: Called with multipliers [m]; by rules with a penalty also with weights [m], see
            `oracles.augmented_oracle`.
        rule: Which multipliers to try.
        start: [m] float64, multipliers to begin with, brought inside of the region.
        region: Where multipliers may be, and their units.
        steps: Calls of the oracle, at least 1.
        known: History of an earlier run with the same arguments: its answers are taken instead of calls of the
            oracle, so that a run on a device goes on where it was interrupted.
        on_step: Called after each call of the oracle.
        is_over: Asked before each call but the first; whether to stop.

    Raises:
        InputError: If a shape or the number of steps is wrong, `known` is of another run, or the rule has a
            penalty and the oracle takes none.
        SolverError: If the oracle finds numbers that are not finite.
    """
    start = np.asarray(start, dtype=np.float64)
    if start.shape != region.low.shape or not np.isfinite(start).all():
        raise InputError(f"multipliers have shape {start.shape}: expected {region.low.shape}, finite")
    if steps < 1:
        raise InputError(f"{steps} steps: expected at least 1")
    point: NDArray | None = region.clip(start)
    ascent = rule.start(point / region.units, region.natural())
    if ascent.penalty:
        _check_weights(oracle, rule)
    history: list[Step] = []
    while point is not None and len(history) < steps and not (history and is_over()):
        if len(history) < len(known):
            step = _recall(known[len(history)], point)
        else:
            step = _call(oracle, point, ascent.penalty * region.units**2 / region.unit, region)
            on_step(step)
        history.append(step)
        point = None if _best_possible(step, region) else _advance(ascent, step.inner, region)
    best = max(history, key=lambda step: step.inner.value)
    bound = max((step.inner.value for step in history if step.inner.exact), default=None)
    return Dual(best.multipliers, best.inner.value, bound, history)


def _check_weights(oracle: Callable[..., Inner], rule: Rule) -> None:
    """Refuse an oracle that takes multipliers alone."""
    try:
        inspect.signature(oracle).bind(None, None)
    except TypeError:
        message = f"rule {rule.name} adds a quadratic term: expected an oracle of multipliers and weights"
        raise InputError(message) from None


def _call(oracle: Callable[..., Inner], point: NDArray, weights: NDArray, region: Region) -> Step:
    """Ask the oracle."""
    inner = oracle(point.copy(), weights) if weights.any() else oracle(point.copy())
    slopes = np.asarray(inner.slopes, dtype=np.float64)
    if slopes.shape != point.shape:
        raise InputError(f"slopes have shape {slopes.shape}: expected {point.shape}")
    if not (np.isfinite(inner.value) and np.isfinite(slopes).all()):
        raise SolverError("the Lagrangian or its slopes are not finite")
    projected = region.project(point, slopes) * region.units / region.unit
    return Step(point, Inner(float(inner.value), slopes, bool(inner.exact)), float(np.linalg.norm(projected)))


def _recall(step: Step, point: NDArray) -> Step:
    """A step of an earlier run, which must have been at the same point."""
    if step.multipliers.shape != point.shape or not np.allclose(step.multipliers, point, rtol=1e-9, atol=1e-12):
        raise InputError("the known steps are of another run: expected the same rule, start and region")
    return step


def _best_possible(step: Step, region: Region) -> bool:
    """Whether no multipliers are better."""
    if not step.multipliers.size:
        return True
    tolerance = STATIONARY * max(region.unit, abs(region.upper))
    return step.inner.exact and (step.norm <= STATIONARY or step.inner.value >= region.upper - tolerance)


def _advance(ascent: Ascent, inner: Inner, region: Region) -> NDArray | None:
    """What the rule says, which speaks in natural units."""
    natural = Inner(inner.value / region.unit, inner.slopes * region.units / region.unit, inner.exact)
    point = ascent.next(natural)
    return None if point is None else region.clip(point * region.units)
