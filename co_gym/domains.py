"""What kind of object a solution is: a permutation, a 0/1 vector, a vector of reals.

A domain says what is wrong with a candidate before any constraint of the problem is looked at, and can list
all its members for brute force.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Domain(Protocol):
    """The set of objects in which the solutions of an instance lie."""

    @property
    def size(self) -> int:
        """Length of a member."""

    def violations(self, candidate: NDArray) -> list[str]:
        """Reasons why `candidate` is no member; empty if it is one."""

    def cast(self, candidate: NDArray) -> NDArray:
        """A member in its own dtype (int64 or float64); call only without violations."""

    def members(self) -> Iterator[NDArray]:
        """Every member, for brute force on small instances."""


def _vector_violations(candidate: NDArray, size: int) -> list[str]:
    if candidate.dtype.kind not in "iufb":
        return [f"solution has dtype {candidate.dtype}: expected numbers"]
    if candidate.shape != (size,):
        return [f"solution has shape {candidate.shape}: expected ({size},)"]
    if candidate.dtype.kind == "f" and not np.isfinite(candidate).all():
        index = int(np.argmin(np.isfinite(candidate)))
        return [f"entry {index} is {candidate[index]}: expected a finite number"]
    return []


@dataclass(frozen=True)
class Permutation:
    """Orderings of 0 .. size-1."""

    size: int
    noun: str = "node"

    def violations(self, candidate: NDArray) -> list[str]:
        """Wrong length, fractional entries, entries out of range, repeated and missing entries."""
        problems = _vector_violations(candidate, self.size)
        if problems:
            return problems
        outside = (candidate != np.floor(candidate)) | (candidate < 0) | (candidate >= self.size)
        if outside.any():
            index = int(np.argmax(outside))
            return [f"position {index} holds {candidate[index]}: expected a {self.noun} in 0..{self.size - 1}"]
        counts = np.bincount(candidate.astype(np.int64), minlength=self.size)
        repeated = [f"{self.noun} {i} occurs {counts[i]} times" for i in np.flatnonzero(counts > 1)]
        return repeated + [f"{self.noun} {i} is missing" for i in np.flatnonzero(counts == 0)]

    def cast(self, candidate: NDArray) -> NDArray:
        """As int64."""
        return candidate.astype(np.int64)

    def members(self) -> Iterator[NDArray]:
        """All size! orderings."""
        for order in itertools.permutations(range(self.size)):
            yield np.array(order, dtype=np.int64)


@dataclass(frozen=True)
class Binary:
    """Vectors of zeros and ones."""

    size: int
    noun: str = "entry"

    def violations(self, candidate: NDArray) -> list[str]:
        """Wrong length, entries other than 0 and 1."""
        problems = _vector_violations(candidate, self.size)
        if problems:
            return problems
        bad = np.flatnonzero((candidate != 0) & (candidate != 1))
        return [f"{self.noun} {i} is {candidate[i]}: expected 0 or 1" for i in bad]

    def cast(self, candidate: NDArray) -> NDArray:
        """As int64."""
        return candidate.astype(np.int64)

    def members(self) -> Iterator[NDArray]:
        """All 2^size vectors."""
        for bits in itertools.product((0, 1), repeat=self.size):
            yield np.array(bits, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Box:
    """Real vectors between bounds, some entries integer to within `tolerance`.

    Attributes:
        lower: [size] float64, may hold -inf.
        upper: [size] float64, may hold inf.
        integer: [size] bool.
        names: Names of the entries, for messages; numbered if absent.
        tolerance: How far an integer entry may be from a whole number, and any entry outside its bounds
            (relative to the bound's magnitude where that exceeds 1).
    """

    lower: NDArray
    upper: NDArray
    integer: NDArray
    names: tuple[str, ...] | None = None
    tolerance: float = 1e-6

    @property
    def size(self) -> int:
        """Number of entries."""
        return int(self.lower.shape[0])

    def _label(self, index: np.intp) -> str:
        return self.names[index] if self.names else f"x[{index}]"

    def violations(self, candidate: NDArray) -> list[str]:
        """Wrong length, values outside their bounds, fractional values of integer entries."""
        problems = _vector_violations(candidate, self.size)
        if problems:
            return problems
        x = candidate.astype(np.float64)
        slack = self.tolerance
        for i in np.flatnonzero(x < self.lower - slack * np.maximum(1, np.abs(self.lower))):
            problems.append(f"variable {self._label(i)} is {x[i]:.12g}: below its lower bound {self.lower[i]:g}")
        for i in np.flatnonzero(x > self.upper + slack * np.maximum(1, np.abs(self.upper))):
            problems.append(f"variable {self._label(i)} is {x[i]:.12g}: above its upper bound {self.upper[i]:g}")
        for i in np.flatnonzero(self.integer & (np.abs(x - np.round(x)) > slack)):
            problems.append(f"variable {self._label(i)} is {x[i]:.12g}: expected an integer")
        return problems

    def cast(self, candidate: NDArray) -> NDArray:
        """As float64, integer entries rounded to the whole number they are within tolerance of."""
        x = candidate.astype(np.float64)
        return np.where(self.integer, np.round(x), x)

    def members(self) -> Iterator[NDArray]:
        """All integer points.

        Raises:
            ValueError: If an entry is continuous or unbounded.
        """
        if not self.integer.all() or not np.isfinite([self.lower, self.upper]).all():
            raise ValueError("only a bounded box of integer variables can be enumerated")
        ranges = [
            range(int(np.ceil(low)), int(np.floor(high)) + 1)
            for low, high in zip(self.lower, self.upper, strict=True)
        ]
        for point in itertools.product(*ranges):
            yield np.array(point, dtype=np.float64)
