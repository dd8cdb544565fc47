"""Product states without a simulator: any number of qubits, sampled bit by bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quantum.circuits import Circuit, warm
from quantum.landscape import Landscape
from quantum.objectives import Objective
from quantum.programs import BinaryProgram
from quantum.tuning import Exact, Sampled, Target, tune


class ProductSampler:
    """Samples rotations about y of a product state, as `Compiled.sample` does.

    Args:
        initial: [q] float64, angles of the initial state.
    """

    def __init__(self, initial: NDArray) -> None:
        self.initial = initial

    def sample(self, angles: NDArray, shots: int, seed: int) -> NDArray:
        """[shots, q] uint8, at angles [q]."""
        ones = np.sin((self.initial + angles) / 2.0) ** 2
        return (np.random.default_rng(seed).random((shots, ones.size)) < ones).astype(np.uint8)


def tuned_product(
    program: BinaryProgram,
    marginals: NDArray,
    objective: Objective,
    evaluations: int,
    landscape: Landscape | None = None,
    shots: int = 1024,
    seed: int = 0,
) -> NDArray:
    """[n] float64, marginals of a product state tuned on the objective of the program.

    Args:
        program: The program.
        marginals: [n] float64, to begin with, kept 0.1 away from 0 and 1.
        objective: Of the distribution of objectives, where what is not feasible counts as the worst.
        evaluations: How many.
        landscape: Of the program: its exact distribution is tuned; None: samples are.
        shots: Of an evaluation on samples.
        seed: Of samples.
    """
    initial = warm(marginals, 0.1)
    target: Target
    if landscape is not None:
        from quantum.ansatze.rotations import rotations
        from quantum.simulator import simulator

        n = program.num_variables
        circuit = Circuit(n, (rotations(n, 0),), n, initial)
        target = Exact(simulator(circuit), landscape.scores, objective)
    else:
        target = Sampled(ProductSampler(initial), program.scores, objective, shots, seed)
    tuned = tune(target, np.zeros(initial.size), evaluations, seed=seed)
    return np.sin((initial + tuned.angles) / 2.0) ** 2
