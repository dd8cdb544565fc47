"""Rewards as expressions: numbers that a solve yields between two decisions, and arithmetic on them.

Follows Ecole (Prouvost et al. 2020). Unlike there, an expression may use the same reward twice: each part is
measured once for each decision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class RewardFunction(Protocol):
    """What an environment needs of a reward."""

    def reset(self, model: Any) -> None:
        """A PySCIPOpt model that is about to be solved."""

    def extract(self, model: Any, done: bool) -> float:
        """The reward since the last call, or since `reset`; `done` says whether the solve is over."""


class Moment:
    """One decision, and the values measured at it."""

    def __init__(self, model: Any, done: bool) -> None:
        self.model, self.done = model, done
        self.values: dict[int, float] = {}


class Reward:
    """A reward, and an operand of arithmetic: `-NodeCount() - 0.1 * LPIterations().log1p()`.

    A new kind overrides `begin` and `measure`.
    """

    parts: tuple[Reward, ...] = ()

    def begin(self, model: Any) -> None:
        """A new solve; event handlers may still be included."""

    def measure(self, moment: Moment) -> float:
        """The value at a decision."""
        raise NotImplementedError

    def reset(self, model: Any) -> None:
        """See `RewardFunction`."""
        for part in self._unique():
            part.begin(model)

    def extract(self, model: Any, done: bool = False) -> float:
        """See `RewardFunction`."""
        return self.value(Moment(model, done))

    def value(self, moment: Moment) -> float:
        """The value at a decision, measured once however often it is used."""
        if id(self) not in moment.values:
            moment.values[id(self)] = float(self.measure(moment))
        return moment.values[id(self)]

    def _unique(self) -> list[Reward]:
        found: dict[int, Reward] = {id(self): self}
        for part in self.parts:
            found |= {id(below): below for below in part._unique()}
        return list(found.values())

    def apply(self, function: Callable[[float], float]) -> Reward:
        """A function of this reward."""
        return Applied(function, self)

    def cumsum(self) -> Reward:
        """The sum of this reward since the beginning of the episode."""
        return CumulativeSum(self)

    def exp(self) -> Reward:
        """The exponential."""
        return self.apply(math.exp)

    def log(self) -> Reward:
        """The natural logarithm."""
        return self.apply(math.log)

    def log1p(self) -> Reward:
        """The natural logarithm of one more."""
        return self.apply(math.log1p)

    def log2(self) -> Reward:
        """The logarithm to base 2."""
        return self.apply(math.log2)

    def log10(self) -> Reward:
        """The logarithm to base 10."""
        return self.apply(math.log10)

    def sqrt(self) -> Reward:
        """The square root."""
        return self.apply(math.sqrt)

    def sin(self) -> Reward:
        """The sine."""
        return self.apply(math.sin)

    def cos(self) -> Reward:
        """The cosine."""
        return self.apply(math.cos)

    def tanh(self) -> Reward:
        """The hyperbolic tangent."""
        return self.apply(math.tanh)

    def floor(self) -> Reward:
        """The largest whole number below."""
        return self.apply(math.floor)

    def ceil(self) -> Reward:
        """The smallest whole number above."""
        return self.apply(math.ceil)

    def __abs__(self) -> Reward:
        return self.apply(abs)

    def __neg__(self) -> Reward:
        return self.apply(lambda value: -value)

    def __pos__(self) -> Reward:
        return self

    def __add__(self, other: Reward | float) -> Reward:
        return Applied(lambda a, b: a + b, self, as_reward(other))

    def __radd__(self, other: float) -> Reward:
        return as_reward(other) + self

    def __sub__(self, other: Reward | float) -> Reward:
        return Applied(lambda a, b: a - b, self, as_reward(other))

    def __rsub__(self, other: float) -> Reward:
        return as_reward(other) - self

    def __mul__(self, other: Reward | float) -> Reward:
        return Applied(lambda a, b: a * b, self, as_reward(other))

    def __rmul__(self, other: float) -> Reward:
        return as_reward(other) * self

    def __truediv__(self, other: Reward | float) -> Reward:
        return Applied(lambda a, b: a / b, self, as_reward(other))

    def __rtruediv__(self, other: float) -> Reward:
        return as_reward(other) / self

    def __pow__(self, other: Reward | float) -> Reward:
        return Applied(lambda a, b: a**b, self, as_reward(other))

    def __rpow__(self, other: float) -> Reward:
        return as_reward(other) ** self


class Constant(Reward):
    """The same number at every decision.

    Args:
        number: That number; 0 by default, as Ecole has it.
    """

    def __init__(self, number: float = 0.0) -> None:
        self.number = float(number)

    def measure(self, moment: Moment) -> float:
        """See `Reward`."""
        return self.number


class Applied(Reward):
    """A function of one or several rewards."""

    def __init__(self, function: Callable[..., float], *parts: Reward) -> None:
        self.function, self.parts = function, parts

    def measure(self, moment: Moment) -> float:
        """See `Reward`."""
        return self.function(*(part.value(moment) for part in self.parts))


class CumulativeSum(Reward):
    """The sum of a reward since the beginning of the episode."""

    def __init__(self, part: Reward) -> None:
        self.parts, self.total = (part,), 0.0

    def begin(self, model: Any) -> None:
        """See `Reward`."""
        self.total = 0.0

    def measure(self, moment: Moment) -> float:
        """See `Reward`."""
        self.total += self.parts[0].value(moment)
        return self.total


def as_reward(value: Reward | float) -> Reward:
    """A number as a constant reward; a reward as it is.

    Raises:
        TypeError: If it is neither.
    """
    if isinstance(value, Reward):
        return value
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no reward: expected a number or a Reward")
    return Constant(value)
