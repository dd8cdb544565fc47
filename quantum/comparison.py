"""Methods without anything quantum beside a quantum one, for as many samples and evaluations."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.errors import CoGymError
from co_gym.solvers.base import Options
from quantum.baselines import annealed_bits, rounded_bits, uniform_bits
from quantum.encodings.base import Encoded
from quantum.hamiltonians import Ising
from quantum.objectives import objective
from quantum.product import tuned_product
from quantum.setup import Setup

Row = dict[str, Any]
EXACT_SECONDS = 10.0
"""Most time for the exact solution beside."""


def row(method: str, setup: Setup, x: NDArray) -> Row:
    """Figures of samples [S, n] of a method."""
    program = setup.task.program
    objectives, feasible = program.evaluate(x), program.feasible(x)
    best = setup.task.objective(x[feasible][np.argmin(objectives[feasible])]) if feasible.any() else None
    return {"method": method, "objective": best, "samples": len(x)} | vars(setup.quality(x))


def comparison(setup: Setup, encoded: Encoded, evaluations: int, exact: bool) -> list[Row]:
    """Uniform sampling, LP rounding, a product state, annealing, greedy and exact, each as a row of figures.

    Args:
        setup: Of the quantum solve; as many samples are taken as that took. What is missing when its time is over
            is left out.
        encoded: The Hamiltonian of the quantum method, which annealing minimizes too.
        evaluations: The product state's angles get as many as the quantum method's did.
        exact: Whether these were tuned on the exact distribution.
    """
    program, shots, seed = setup.task.program, setup.catch.shots, setup.seed
    rng = np.random.default_rng(seed)

    def product() -> NDArray:
        landscape = setup.landscape if exact else None
        wanted = objective(setup.choices.objective)
        share = setup.choices.shots
        found = tuned_product(program, setup.marginals, wanted, evaluations, landscape, share, seed)
        return rounded_bits(found, shots, rng, least=0.0)

    samplers: dict[str, Callable[[], NDArray]] = {
        "uniform sampling": lambda: uniform_bits(program.num_variables, shots, rng),
        "LP rounding": lambda: rounded_bits(setup.marginals, shots, rng),
        "product state": product,
        "simulated annealing": lambda: _annealed(encoded, shots, seed),
    }
    rows: list[Row] = []
    for name, sample in samplers.items():
        if not setup.is_over():
            rows.append(row(name, setup, sample()))
    for role in ("baseline", "exact"):
        if not setup.is_over():
            rows += _solved(setup, role)
    return rows


def _annealed(encoded: Encoded, shots: int, seed: int) -> NDArray:
    from quantum.encodings import encoding

    if not isinstance(encoded.diagonal, Ising):
        encoded = encoding("slack").encode(encoded.program)
    return encoded.decode(annealed_bits(encoded.terms("simulated annealing"), shots, seed))


def _solved(setup: Setup, role: str) -> list[Row]:
    """What a registered solver of some role finds, in a few seconds."""
    from co_gym.runner import solve

    begin = time.perf_counter()
    try:
        found = solve(
            setup.task.instance, role, options=Options(min(EXACT_SECONDS, max(0.1, setup.monitor.remaining)))
        )
    except CoGymError:  # no such solver for this problem
        return []
    return [
        {
            "method": found.method,
            "objective": found.objective,
            "status": found.status,
            "seconds": round(time.perf_counter() - begin, 3),
        }
    ]
