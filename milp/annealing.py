"""Simulated annealing (Kirkpatrick et al. 1983) of programs that are binary choices and what follows from them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from co_gym.solvers.kernels.rng import seed_state
from milp.dependents import Choices
from milp.kernels.annealing import BEST, BROKEN, HARD, TARGET, Layout, State, anneal, probe

PROBES = 2000
HOT, COLD = 0.3, 0.005
"""First and last temperature, relative to how much a move changes the objective on average."""
FIRST_STEPS, LEAST_STEPS = 200, 100_000
"""Moves of the first annealing, for each variable and at least."""
LENGTHENED = 3
"""How much longer each annealing is than the one before."""
CHUNK = 100_000
"""Moves between looks at the clock."""
FEWEST = 10_000
"""Moves that are worth to begin with."""
HEAVIER = 4.0
"""By which the weights of rows grow that are violated at the end of an annealing."""
USELESS, HOPELESS = 3, 8
"""Annealings without improvement after which it ends; the latter as long as nothing feasible was found."""

Take = Callable[[NDArray], object]


class Annealing:
    """Anneals again and again, each time for longer; may be run on where it stopped.

    Args:
        choices: The program.
        seed: Of its random choices.
    """

    def __init__(self, choices: Choices, seed: int = 0) -> None:
        self.choices, self.layout = choices, choices.layout
        self.state = _state(self.layout, np.random.default_rng(seed))
        self._set_scales()
        self._steps, self._useless = max(LEAST_STEPS, FIRST_STEPS * choices.num_binary), 0
        self._speed = math.inf  # moves in a second

    def run(self, seconds: float, take: Take, is_over: Callable[[], bool] = lambda: False) -> None:
        """Searches until time is up or no better solution comes.

        Args:
            seconds: Time limit.
            take: Called with each better solution, [n] float64 in the program's variables.
            is_over: Asked between the chunks of an annealing.
        """
        end = time.perf_counter() + seconds
        while self._useless < (USELESS if math.isfinite(self.state.totals[BEST]) else HOPELESS):
            fitting = self._speed * (end - time.perf_counter())
            if not fitting >= FEWEST:
                return
            whole = fitting >= self._steps
            steps = self._steps if fitting >= 2 * self._steps else int(fitting)
            before = self.state.totals[BEST]
            if not self._anneal(steps, take, lambda: is_over() or time.perf_counter() > end):
                return
            if whole:
                self._steps *= LENGTHENED
                self._judge(before)

    def _anneal(self, steps: int, take: Take, is_over: Callable[[], bool]) -> bool:
        """Cools once from hot to cold, chunk by chunk; returns whether it came to the end."""
        begin = time.perf_counter()
        for first in range(0, steps, CHUNK):
            if is_over():
                return False
            last, before = min(steps, first + CHUNK), self.state.totals[BEST]
            hot, cold = (self.scale * HOT * (COLD / HOT) ** (step / steps) for step in (first, last))
            anneal(self.layout, self.state, last - first, hot, cold)
            if self.state.totals[BEST] < before:
                take(self.choices.expand(self.state.best))
            self._speed = last / (time.perf_counter() - begin)
        return True

    def _judge(self, before: float) -> None:
        """What the end of an annealing says: weigh more what is violated, or count that nothing better came."""
        if self.state.totals[BROKEN]:
            activity, layout = self.state.activity, self.layout
            excess = np.maximum(layout.low - activity, activity - layout.high)
            self.state.weight[(layout.owner == HARD) & (excess > 0)] *= HEAVIER
        self._useless = 0 if self.state.totals[BEST] < before else self._useless + 1

    def _set_scales(self) -> None:
        """Sets the scale of temperatures, and the weights of rows so that violations matter as much."""
        rises, shifts = np.empty(PROBES), np.empty(PROBES)
        probe(self.layout, self.state, rises, shifts)
        self.scale = _typical(rises)
        self.state.weight[:] = self.scale / _typical(shifts)


def _typical(changes: NDArray) -> float:
    """Mean of what is not 0; 1 if nothing is."""
    sizes = np.abs(changes[changes != 0])
    return float(np.mean(sizes)) if sizes.size else 1.0


def _state(layout: Layout, rng: np.random.Generator) -> State:
    """A random state: of each group as many variables as it asks for are 1, all others 0."""
    num_variables, num_rows, b = layout.cost.size, layout.owner.size, layout.num_binary
    members, place = layout.members.copy(), np.full(b, HARD, dtype=np.int64)
    values = np.zeros(num_variables)
    for first, last, count in zip(layout.group_starts[:-1], layout.group_starts[1:], layout.ones, strict=True):
        rng.shuffle(members[first:last])
        values[members[first : first + count]] = 1.0
    place[members] = np.arange(members.size)
    lengths = np.diff(layout.starts)
    changes = int(4 * lengths[:b].max(initial=0) + lengths[b:].sum())
    totals = np.zeros(5)
    totals[[BEST, TARGET]] = np.inf
    return State(
        values=values,
        activity=np.zeros(num_rows),
        weight=np.ones(num_rows),
        members=members,
        place=place,
        totals=totals,
        best=values.copy(),
        old_rows=np.empty(changes, np.int64),
        old_activities=np.empty(changes),
        old_variables=np.empty(4 + num_variables, np.int64),
        old_values=np.empty(4 + num_variables),
        dirty=np.empty(num_variables, np.int64),
        is_dirty=np.zeros(num_variables, np.bool_),
        sizes=np.zeros(3, np.int64),
        move=np.empty(4, np.int64),
        rng=seed_state(int(rng.integers(2**62))),
    )
