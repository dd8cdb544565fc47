"""How fast mixed-integer programs are annealed: `python scripts/bench_annealing.py [DISTRIBUTION ...]`.

One thread, CPU time, medians: a move, taken or not, at the temperatures at which an annealing begins and ends, and
the entries of the matrix that it changes and mostly changes back. The floor is what the same additions take in
compiled code at random places of an array as long as there are rows, with a log by which they are undone; drawing
moves, violations and dependents come on top. Solutions are compared by `bench_primal.py`.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import argparse
from functools import partial

import numpy as np
from numba import njit
from numpy.typing import NDArray
from timing import milliseconds

from co_gym.report.table import markdown
from milp.annealing import COLD, HOT, Annealing
from milp.dependents import choices
from milp.distributions import distribution
from milp.kernels.annealing import ACTIVITIES, anneal, probe

FAMILIES = ["item-placement-medium", "generalized-independent-set-medium"]
MOVES, REPEATS, SAMPLES = 50_000, 7, 200


@njit
def add_and_undo(rows: NDArray, entries: NDArray, activity: NDArray, log: NDArray) -> None:
    """The additions of a move, and taking them back."""
    for k in range(rows.size):
        log[k] = activity[rows[k]]
        activity[rows[k]] += entries[k]
    for k in range(rows.size - 1, -1, -1):
        activity[rows[k]] = log[k]


def entries_of_a_move(annealing: Annealing) -> float:
    changed = []
    for _ in range(SAMPLES):
        probe(annealing.layout, annealing.state, np.empty(1), np.empty(1))
        changed.append(annealing.state.sizes[ACTIVITIES])
    return float(np.mean(changed))


def floor_of(entries: float, rows: int) -> float:
    """Microseconds of so many additions, taken back."""
    rng = np.random.default_rng(0)
    places, amounts = rng.integers(0, rows, 20 * round(entries)), rng.random(20 * round(entries))
    activity, log = np.zeros(rows), np.zeros(places.size)

    def repeat() -> None:
        for _ in range(200):
            add_and_undo(places, amounts, activity, log)

    return milliseconds(repeat, REPEATS) / 200 / 20 * 1e3


def moves(name: str) -> list[str]:
    program = distribution(name).program("validation", 0)
    found = choices(program)
    assert found is not None
    annealing = Annealing(found)
    times = []
    for heat in (HOT, COLD):
        temperature = annealing.scale * heat
        run = partial(anneal, annealing.layout, annealing.state, MOVES, temperature, temperature)
        times.append(milliseconds(run, REPEATS) / MOVES * 1e3)
    entries = entries_of_a_move(annealing)
    floor = floor_of(entries, annealing.layout.owner.size)
    cells = [f"{found.num_binary}", f"{found.columns.size - found.num_binary}", f"{entries:.0f}"]
    return [name, *cells, *(f"{t:.2f}" for t in times), f"{floor:.2f}", f"{times[-1] / floor:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("distributions", nargs="*", default=FAMILIES)
    names = parser.parse_args().distributions
    header = ["distribution", "choices", "dependents", "entries", "hot, us", "cold, us", "floor, us", "of floor"]
    print(markdown(header, [moves(name) for name in names]))


if __name__ == "__main__":
    main()
