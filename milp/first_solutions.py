"""First solutions of a destroy-and-repair search: predicted values, annealing, HiGHS on the whole program."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milp.annealing import Annealing
from milp.dependents import Choices, choices
from milp.fixing import loosened, restricted
from milp.search_state import SearchState

FIRST_SHARE = 0.15
"""Of the time, for a first solution, but at most `FIRST_SECONDS`; more if it finds none."""
FIRST_SECONDS = 3.0
FIX_SECONDS = 1.0
"""Most seconds for what is left when predicted values are fixed: it has its best solutions soon."""
QUICK_SECONDS = 0.5
"""For the whole program before it is annealed, as small ones are done by then."""
ANNEALING_SHARE = 0.5
"""Of the time that is left, for annealing; it ends sooner when nothing better comes."""
SURE = 0.99
"""Variables that are predicted at least as surely are fixed at first."""


def find_first(state: SearchState) -> bool:
    """Finds good first solutions; returns whether to go on from them."""
    chosen = choices(state.program)
    if chosen is not None:
        if state.solve_whole(min(QUICK_SECONDS, FIRST_SHARE * state.left)):
            return False
        anneal(state, chosen)
    if chosen is None or state.incumbent is None:
        enough = min(FIRST_SECONDS, FIRST_SHARE * state.left)
        if state.solve_whole(state.left if state.incumbent is None else enough, enough):
            return False
    if state.incumbent is None:
        state.ended = "interrupted" if state.stopped else "no solution"
        return False
    return True


def anneal(state: SearchState, chosen: Choices) -> None:
    """Anneals until nothing better comes, but no longer than its share of the time."""

    def is_over() -> bool:
        return state.stopped or (state.incumbent is not None and state.stagnates)

    try:
        Annealing(chosen, state.seed).run(ANNEALING_SHARE * state.left, state.take, is_over)
    except KeyboardInterrupt:
        state.interrupted = True


def fix_and_repair(state: SearchState, marginals: NDArray) -> bool:
    """Fixes what is predicted surely and solves the rest; where that fails, only the surer half, and so on.

    Returns:
        Whether anything is predicted surely: among variables that may be exchanged for each other nothing is, and
        the prediction is of no use.
    """
    program, values = state.program, np.round(marginals)
    doubt = np.where(program.binary, 0.5 - np.abs(marginals - 0.5), np.inf)
    fixed = doubt < 1.0 - SURE
    if not fixed.any():
        return False
    while fixed.any() and state.left > 0 and not state.stopped:
        fixed = loosened(program, values, fixed, doubt)
        part, columns = restricted(program, values, np.flatnonzero(program.integer & ~fixed))

        def take(found: NDArray, columns: NDArray = columns) -> bool:
            candidate = values.copy()
            candidate[columns] = found
            return state.take(candidate)

        state.solve(part, min(FIX_SECONDS, FIRST_SHARE * state.left), take=take)
        if state.incumbent is not None:
            break
        if fixed.any():
            fixed &= doubt < np.median(doubt[fixed])
    return True
