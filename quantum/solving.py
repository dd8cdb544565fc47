"""QAOA and VQE from the instance to the answer, with everything counted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from co_gym.instance import Instance
from co_gym.solvers.base import Answer, Monitor
from quantum.choices import Choices
from quantum.comparison import comparison
from quantum.instances import Subject
from quantum.landscape import on_variables
from quantum.multipliers import Dual
from quantum.quality import Quality
from quantum.setup import Setup
from quantum.updates import multipliers_for
from quantum.variational import Run, Variational

MOST_STATES = 1 << 22
"""Of an exact distribution that is evaluated."""
MOST_ROWS = 60
"""Of the distribution of objectives in the details."""
PRODUCT_NOTE = "the circuit makes a product state: this is randomized rounding, with nothing quantum about it"


def solve(
    instance: Instance, choices: Choices, monitor: Monitor, seed: int = 0, start: NDArray | None = None
) -> Answer:
    """Solves an instance by a variational method; see `quantum.solver`."""
    setup = Setup.of(instance, choices, monitor, seed, start)
    if (early := setup.without_circuit()) is not None:
        return early
    with setup.variational() as method:
        dual = multipliers_for(method, setup.duals)
        run = method.minimize(None if dual is None else dual.multipliers)
        bits = method.sample(run)
    details = figures(setup, method, run, bits) | {"multipliers": multipliers_of(choices, dual)}
    if choices.comparison:
        details["comparison"] = comparison(setup, run.encoded, method.evaluations, run.exact)
    return setup.answer(details)


def figures(setup: Setup, method: Variational, run: Run, bits: NDArray) -> dict[str, Any]:
    """What a circuit and its samples [S, q] are worth; see docs/quantum.md."""
    details: dict[str, Any] = {
        "ansatz": method.ansatz.name,
        "layers": setup.choices.layers,
        "backend": setup.choices.backend,
        **counted(run),
        "parameters": run.circuit.num_parameters,
        "evaluations": method.evaluations,
        "tuned_on": "exact distribution" if run.exact else "samples",
        **vars(judged(setup, run, bits)),
        "tuning": run.tuned.history,
        "distribution": spectrum(setup.task, run.encoded.decode(bits)),
    }
    return details | ({"note": PRODUCT_NOTE} if run.circuit.is_product else {})


def judged(setup: Setup, run: Run, bits: NDArray) -> Quality:
    """Figures of the exact distribution where it is known, else of the last samples."""
    landscape, simulator = setup.landscape, run.compiled.simulator
    if landscape is not None and simulator is not None and simulator.num_states <= MOST_STATES:
        probabilities = simulator.probabilities(run.tuned.angles)
        return landscape.quality(on_variables(run.encoded, run.states(), probabilities))
    return setup.quality(run.encoded.decode(bits))


def counted(run: Run) -> dict[str, int | None]:
    """Qubits, two-qubit gates and depth; None where the circuit has no gates."""
    if not run.circuit.runs_on_devices:
        return {"qubits": run.circuit.num_qubits, "two_qubit_gates": None, "depth": None}
    return vars(run.compiled.counts).copy()


def multipliers_of(choices: Choices, dual: Dual | None) -> dict[str, Any] | None:
    """What became of the multipliers."""
    if dual is None:
        return None
    return {
        "rule": choices.multipliers,
        "updates": len(dual.history),
        "value": dual.value if dual.history else None,
        "certified_bound": dual.bound,
        "values": dual.multipliers.tolist(),
    }


def spectrum(task: Subject, x: NDArray) -> list[list[float]]:
    """Objectives of feasible samples and their shares of all samples, the most frequent ones, best first."""
    feasible = task.program.feasible(x)
    values = np.round(task.program.evaluate(x[feasible]), 9)
    unique, counts = np.unique(values, return_counts=True)
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_ROWS])
    return [[task.program.sign * float(unique[i]) + 0.0, float(counts[i] / len(x))] for i in kept]  # no -0.0
