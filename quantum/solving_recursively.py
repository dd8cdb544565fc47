"""Recursive QAOA from the instance to the answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from co_gym.instance import Instance
from co_gym.solvers.base import Answer, Monitor
from quantum.choices import Choices
from quantum.encodings.base import Encoded
from quantum.recursive import Reduction, least, strongest
from quantum.setup import Setup
from quantum.solving import counted
from quantum.variational import Variational

ENUMERATED = 6
"""Spins that are left to enumeration."""


@dataclass(frozen=True, eq=False)
class Reduced(Encoded):
    """What is left of a Hamiltonian; its bits are decoded as those of the whole.

    Attributes:
        whole: The Hamiltonian.
        reduction: What is left of it.
    """

    whole: Encoded
    reduction: Reduction

    def decode(self, bits: NDArray) -> NDArray:
        """See `Encoded`."""
        return self.whole.decode(self.reduction.expand(bits))


def solve(
    instance: Instance, choices: Choices, monitor: Monitor, seed: int = 0, start: NDArray | None = None
) -> Answer:
    """Solves an instance by recursive QAOA; see `quantum.recursive`.

    Raises:
        SolverError: If the encoding has no Hamiltonian of terms.
    """
    setup = Setup.of(instance, choices, monitor, seed, start)
    if (early := setup.without_circuit()) is not None:
        return early
    with setup.variational() as method:
        encoded = method.encode(setup.multipliers(method.encoding))
        reduction, largest = reduce(method, encoded)
    if reduction.ising.num_qubits <= ENUMERATED:
        setup.catch.take(encoded.decode(reduction.expand(least(reduction.ising))[None]))
    return setup.answer(
        {
            "ansatz": method.ansatz.name,
            "layers": choices.layers,
            "backend": choices.backend,
            **largest,
            "evaluations": method.evaluations,
            "removed": len(reduction.rules),
        }
    )


def reduce(method: Variational, encoded: Encoded) -> tuple[Reduction, dict[str, int | None]]:
    """Removes spins until few are left or time is up; also the counts of the first and largest circuit.

    Raises:
        SolverError: If the encoding has no Hamiltonian of terms.
    """
    reduction = Reduction.of(encoded.terms("recursive QAOA"))
    largest: dict[str, int | None] = {}
    while reduction.ising.num_qubits > ENUMERATED and not method.is_over():
        q = reduction.ising.num_qubits
        part = Reduced(reduction.ising, np.arange(q), encoded.program, encoded, reduction)
        run = method.tuned(part, None, "energy")
        simulator = run.compiled.simulator
        if run.exact and simulator is not None:
            states, weights = run.states(), simulator.probabilities(run.tuned.angles)
        else:
            states = method.sample(run)
            weights = np.full(len(states), 1.0 / len(states))
        largest = largest or counted(run)
        reduction = reduction.remove(*strongest(reduction.ising, states, weights))
    return reduction, largest
