"""Pauli correlation encoding and quantum random access optimization from the instance to the answer."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from co_gym.errors import SolverError
from co_gym.instance import Instance
from co_gym.solvers.base import Answer, Monitor
from quantum.choices import Choices
from quantum.encodings import encoding
from quantum.hamiltonians import Ising
from quantum.setup import Setup


def solve(
    method: Any,
    instance: Instance,
    choices: Choices,
    monitor: Monitor,
    seed: int = 0,
    start: NDArray | None = None,
) -> Answer:
    """Solves an instance by `quantum.pce.PCE` or `quantum.qrao.QRAO`.

    Raises:
        SolverError: If the encoding has no Hamiltonian of terms.
    """
    setup = Setup.of(instance, choices, monitor, seed, start)
    if (early := setup.without_circuit()) is not None:
        return early
    written = encoding(choices.encoding)
    encoded = written.encode(setup.task.program, setup.multipliers(written))
    if not isinstance(encoded.diagonal, Ising):
        raise SolverError(f"compression needs a Hamiltonian of terms: that of '{choices.encoding}' is a table")
    found = method.solve(encoded.diagonal, steps=choices.evaluations, seed=seed, is_over=setup.is_over)
    setup.catch.take(encoded.decode(found.bits)[None])
    return setup.answer(
        {
            "qubits": found.num_qubits,
            "variables": found.num_variables,
            "parameters": found.num_parameters,
            "evaluations": found.evaluations,
            "energy": found.energy,
            "energy_before_refinement": found.energy_before,
            "tuning": found.losses.tolist(),
        }
    )
