"""Integrals of SCIP's primal and dual bounds over time, exact between the events that change them.

Bounds are step functions. An event handler notes each change, so that the integral between two decisions is the
sum of bound times duration over the pieces. Conventions are Ecole's (Prouvost et al. 2020): for a minimization,

    primal: (min(primal bound, initial bound) - offset) dt
    dual: (offset - max(dual bound, initial bound)) dt
    primal-dual: (min(primal bound, initial primal) - max(dual bound, initial dual)) dt

and with all signs and extrema turned round for a maximization. Offsets are 0 by default and initial bounds
infinite, which SCIP writes as 1e20: without bounds of your own, each second before the first solution weighs 1e20.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from milp.clock import clock
from milp.reward_algebra import Moment, Reward

Bounds = tuple[float, float] | Callable[[Any], tuple[float, float]]
"""Two numbers, or a function from the PySCIPOpt model to them, called before the solve."""

TRANSFORMED = 3
"""SCIP's stage from which it has bounds."""

_NUMBERS = itertools.count()


class StepIntegral:
    """Integral of a step function, piece by piece.

    Args:
        time: Where it begins.
        value: The function from there on.
    """

    def __init__(self, time: float, value: float) -> None:
        self.time, self.value, self.area = time, value, 0.0

    def change(self, time: float, value: float) -> None:
        """The function takes a new value."""
        self.area += self.value * (time - self.time)
        self.time, self.value = time, value

    def take(self, time: float) -> float:
        """The integral since the last call."""
        self.change(time, self.value)
        area, self.area = self.area, 0.0
        return area


class BoundIntegral(Reward):
    """Integral of a function of both bounds since the last decision, or since the solve began.

    Args:
        clock: `"cpu"`, `"wall"`, `"scip"` or `"nodes"`: over what is integrated; see `milp.clock`.
        bounds: Two numbers, or a function from the model to them: for `PrimalIntegral` and `DualIntegral` offset
            and initial bound, for `PrimalDualIntegral` initial primal and dual bound.
    """

    def __init__(self, clock: str = "cpu", bounds: Bounds | None = None) -> None:
        self.clock, self.bounds = _clock(clock), bounds

    def begin(self, model: Any) -> None:
        """See `Reward`."""
        self.sign = 1.0 if model.getObjectiveSense() == "minimize" else -1.0
        if self.bounds is None:
            self.pair = self.default(self.sign * model.infinity())
        else:
            self.pair = self.bounds(model) if callable(self.bounds) else self.bounds
        worst = self.sign * model.infinity()
        self.primal, self.dual = worst, -worst
        self.failure: Exception | None = None
        self.integral = StepIntegral(self.clock(model), self.height())
        _listen(model, self)

    def default(self, infinity: float) -> tuple[float, float]:
        """Ecole's offset and bounds; `infinity` is the worst primal bound."""
        raise NotImplementedError

    def height(self) -> float:
        """What is integrated, at the present bounds."""
        raise NotImplementedError

    def update(self, model: Any) -> None:
        """Bounds may have changed."""
        if model.getStage() >= TRANSFORMED:
            self._read(model)
        self.integral.change(self.clock(model), self.height())

    def _read(self, model: Any) -> None:
        self.dual = model.getDualbound()
        self.primal = model.getPrimalbound()
        best = model.getBestSol() if model.getNSols() else None
        if best is not None:  # at the event of a new incumbent, the primal bound is still that of the one before
            value = model.getSolObjVal(best)
            self.primal = min(self.primal, value) if self.sign > 0 else max(self.primal, value)

    def measure(self, moment: Moment) -> float:
        """See `Reward`."""
        if self.failure is not None:
            raise self.failure
        self.update(moment.model)
        return self.integral.take(self.integral.time)

    def _better_primal(self, initial: float) -> float:
        return min(self.primal, initial) if self.sign > 0 else max(self.primal, initial)

    def _better_dual(self, initial: float) -> float:
        return max(self.dual, initial) if self.sign > 0 else min(self.dual, initial)


class PrimalIntegral(BoundIntegral):
    """Integral of primal bound minus offset."""

    def default(self, infinity: float) -> tuple[float, float]:
        """See `BoundIntegral`."""
        return 0.0, infinity

    def height(self) -> float:
        """See `BoundIntegral`."""
        offset, initial = self.pair
        return self.sign * (self._better_primal(initial) - offset)


class DualIntegral(BoundIntegral):
    """Integral of offset minus dual bound."""

    def default(self, infinity: float) -> tuple[float, float]:
        """See `BoundIntegral`."""
        return 0.0, -infinity

    def height(self) -> float:
        """See `BoundIntegral`."""
        offset, initial = self.pair
        return self.sign * (offset - self._better_dual(initial))


class PrimalDualIntegral(BoundIntegral):
    """Integral of primal minus dual bound."""

    def default(self, infinity: float) -> tuple[float, float]:
        """See `BoundIntegral`."""
        return infinity, -infinity

    def height(self) -> float:
        """See `BoundIntegral`."""
        return self.sign * (self._better_primal(self.pair[0]) - self._better_dual(self.pair[1]))


_clock = clock  # the name of the keyword of BoundIntegral


def _listen(model: Any, integral: BoundIntegral) -> None:
    """Has SCIP tell the integral whenever a bound may have changed."""
    from pyscipopt import SCIP_EVENTTYPE, Eventhdlr

    class Listener(Eventhdlr):
        """Listens for new incumbents and dual bounds."""

        def eventinit(self) -> None:
            for kind in (SCIP_EVENTTYPE.BESTSOLFOUND, SCIP_EVENTTYPE.DUALBOUNDIMPROVED):
                self.model.catchEvent(kind, self)

        def eventexec(self, event: Any) -> None:
            try:
                integral.update(self.model)
            except Exception as error:  # SCIP cannot pass it on
                integral.failure = integral.failure or error

    model.includeEventhdlr(Listener(), f"co_gym_integral_{next(_NUMBERS)}", "integrates SCIP's bounds")
