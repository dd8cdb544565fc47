"""Which variables a destroy-and-repair search sets free: the ways to choose them, and how many."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from co_gym.formulation import MixedIntegerProgram

GROWTH, SHRINKAGE = 1.3, 0.7
FIRST_SHARE = 0.1
LEAST = 10
LEAST_CHANCE = 1e-3
"""Added to the probability that a variable is predicted to differ, so that any may be set free."""


@dataclass
class Operator:
    """A way to choose variables, how many it chooses, and how it has done.

    Attributes:
        name: Of the way.
        size: Integer variables that it sets free.
        credit: Share of the recent repairs that found a better solution; decides how often it is chosen.
    """

    name: str
    size: float
    credit: float = 1.0

    def learn(self, improved: bool, timed_out: bool, most: int) -> None:
        """What came of a repair: exhausted neighbourhoods grow, those not finished in time shrink."""
        self.credit = 0.8 * self.credit + 0.2 * improved
        if timed_out:
            self.size = max(LEAST, SHRINKAGE * self.size)
        elif not improved:
            self.size = min(most, GROWTH * self.size)


@dataclass
class Neighbourhoods:
    """Chooses the variables that are set free around an incumbent.

    `rows`: the variables of random rows; `near`: those of rows around one of them; `relaxed`: where the LP
    relaxation disagrees with the incumbent (RINS, Danna et al. 2005) or its reduced cost is small; `predicted`:
    where a prediction disagrees or is unsure. All with some chance.

    Args:
        program: The program.
        rng: Source of randomness.
        relaxed: [n] float64, values of the LP relaxation; None if there are none.
        reduced_costs: [n] float64, with `relaxed`.
        marginals: [n] float64, probabilities of being 1; None: nothing is predicted.
    """

    program: MixedIntegerProgram
    rng: np.random.Generator
    relaxed: NDArray | None = None
    reduced_costs: NDArray | None = None
    marginals: NDArray | None = None
    operators: list[Operator] = field(init=False)

    def __post_init__(self) -> None:
        self._integers = np.flatnonzero(self.program.integer)
        self._by_column = self.program.A.tocsc()
        first = max(LEAST, min(FIRST_SHARE * self._integers.size, 500.0))
        names = ["rows", "near"]
        names += ["relaxed"] if self.relaxed is not None else []
        names += ["predicted"] if self.marginals is not None else []
        self.operators = [Operator(name, first) for name in names]

    def draw(self) -> Operator:
        """An operator, by its credit."""
        weights = np.array([0.1 + operator.credit for operator in self.operators])
        return self.operators[int(self.rng.choice(len(weights), p=weights / weights.sum()))]

    def free(self, operator: Operator, incumbent: NDArray) -> NDArray:
        """Positions of the integer variables that are set free."""
        size = min(int(operator.size), self._integers.size)
        if operator.name in ("rows", "near") and self.program.num_rows:
            chosen = self._of_rows(size) if operator.name == "rows" else self._near(size)
        elif operator.name == "relaxed":
            assert self.relaxed is not None
            assert self.reduced_costs is not None
            scale = max(float(np.quantile(np.abs(self.reduced_costs[self._integers]), 0.5)), 1e-9)
            appeal = np.abs(self.relaxed - incumbent) - 0.5 * np.minimum(np.abs(self.reduced_costs) / scale, 2.0)
            chosen = self._best(appeal, size)
        elif operator.name == "predicted":
            assert self.marginals is not None
            chosen = self._best(np.log(np.abs(self.marginals - incumbent) + LEAST_CHANCE), size, noise=1.0)
        else:
            chosen = self.rng.choice(self._integers, size, replace=False)
        return chosen

    def _best(self, appeal: NDArray, size: int, noise: float = 0.3) -> NDArray:
        """The integer variables of greatest appeal, disturbed so that each draw is another.

        With noise 1 and logarithms of weights as appeal the variables are drawn by these weights, one by one
        without replacement (Gumbel-top-k, Kool et al. 2019).
        """
        noisy = appeal[self._integers] + self.rng.gumbel(scale=noise, size=self._integers.size)
        return self._integers[np.argpartition(-noisy, size - 1)[:size]]

    def _of_rows(self, size: int) -> NDArray:
        """The integer variables of random rows."""
        chosen = _Chosen(self.program.integer)
        for row in self.rng.permutation(self.program.num_rows):
            chosen.add(self._columns(row))
            if chosen.count >= size:
                break
        return chosen.integers

    def _near(self, size: int) -> NDArray:
        """The integer variables of rows that share variables, from a random row on."""
        chosen = _Chosen(self.program.integer)
        seen = np.zeros(self.program.num_rows, dtype=bool)
        front = [int(self.rng.integers(self.program.num_rows))]
        while front and chosen.count < size:
            row = front.pop(int(self.rng.integers(len(front))))
            if seen[row]:
                continue
            seen[row] = True
            columns = self._columns(row)
            chosen.add(columns)
            for column in self.rng.permutation(columns)[:3]:
                span = slice(*self._by_column.indptr[column : column + 2])
                rows = self._by_column.indices[span]
                front += self.rng.permutation(rows)[:3].tolist()
        return chosen.integers

    def _columns(self, row: int) -> NDArray:
        return self.program.A.indices[slice(*self.program.A.indptr[row : row + 2])]


class _Chosen:
    """Variables chosen so far, and how many integer ones there are among them."""

    def __init__(self, integer: NDArray) -> None:
        self._integer, self._mask, self.count = integer, np.zeros(integer.size, dtype=bool), 0

    def add(self, columns: NDArray) -> None:
        """Adds variables, each given once."""
        new = columns[~self._mask[columns]]
        self._mask[new] = True
        self.count += int(np.count_nonzero(self._integer[new]))

    @property
    def integers(self) -> NDArray:
        """Positions of the chosen integer variables."""
        return np.flatnonzero(self._mask & self._integer)
