"""Results in the submission format of the Quantum Optimization Benchmarking Library (Koch et al. 2025)."""

from __future__ import annotations

import csv
import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from co_gym import __version__, registry
from co_gym.errors import CoGymError, InputError
from co_gym.result import Result

MISSING = "N/A"
COLUMNS = (
    "Problem", "Submitter", "Affiliation", "Date", "Reference", "Best Objective Value", "Optimality Bound",
    "Modeling Approach", "# Decision Variables", "# Binary Variables", "# Integer Variables",
    "# Continuous Variables", "# Non-Zero Coefficients", "Coefficients Type", "Coefficients Range", "Workflow",
    "Algorithm Type", "Paradigm", "# Runs", "# Feasible Runs", "# Successful Runs", "Success Threshold",
    "Hardware Specifications", "Total Runtime", "Time to Solution", "CPU Runtime", "GPU Runtime", "QPU Runtime",
    "Other HW Runtime", "Remarks",
)  # fmt: skip
DETERMINISTIC = ("scip", "highs")
"""Methods that answer the same for any seed, but for ties."""


def submission_row(result: Result) -> dict[str, Any]:
    """A result as a row; who submits it is left to be filled in.

    A run is successful if it reached the best known objective, or proved its own; times are seconds.
    """
    best = result.instance.reference
    successful = result.status == "optimal" or (best is not None and result.reference_gap == 0)
    backend = str(result.details.get("backend", ""))
    device = backend.startswith("ibm:")
    reached = next((e.time for e in result.history if e.objective == result.objective), None)
    row = dict.fromkeys(COLUMNS, MISSING) | _model(result) | {
        "Problem": result.instance.name,
        "Submitter": "",
        "Affiliation": "",
        "Date": date.today().isoformat(),
        "Reference": f"co-gym {__version__}",
        "Workflow": _workflow(result),
        "Algorithm Type": "Deterministic" if result.method in DETERMINISTIC else "Stochastic",
        "Paradigm": "Quantum Hardware" if device else "Quantum Simulator" if backend else "Classical",
        "# Runs": 1,
        "# Feasible Runs": int(result.feasible),
        "# Successful Runs": int(successful),
        "Success Threshold": 0,
        "Hardware Specifications": f"{platform.machine()}, {platform.system()}, {backend or 'CPU'}",
        "Total Runtime": round(result.runtime, 4),
    }  # fmt: skip
    if result.objective is not None and result.feasible:
        row["Best Objective Value"] = result.objective
        row["Time to Solution"] = MISSING if reached is None else round(reached, 4)
    if result.bound is not None:
        row["Optimality Bound"] = result.bound
    if not device:
        row["CPU Runtime"] = round(result.runtime, 4)
    return row


def _model(result: Result) -> dict[str, Any]:
    """What is said of the formulation that was solved; nothing where there is none."""
    problem = registry.problem(result.instance.problem)
    try:
        program = problem.formulate(result.instance, result.details.get("form")).program
    except CoGymError:
        return {}
    integer = int(program.integer.sum())
    binary = int(program.binary.sum())
    data = [program.c[program.c != 0], program.A.data] + ([] if program.Q is None else [program.Q.data])
    values = np.concatenate(data) if data else np.zeros(1)
    whole = bool(np.all(values == np.round(values)))
    kind = "QUBO" if "encoding" in result.details else "Quadratic Program" if program.Q is not None else "MIP"
    return {
        "Modeling Approach": f"{kind}, {result.details['encoding']}" if kind == "QUBO" else kind,
        "# Decision Variables": program.num_variables,
        "# Binary Variables": binary,
        "# Integer Variables": integer - binary,
        "# Continuous Variables": program.num_variables - integer,
        "# Non-Zero Coefficients": int(values.size),
        "Coefficients Type": "Integer" if whole else "Continuous",
        "Coefficients Range": f"{values.min(initial=0.0):g} - {values.max(initial=0.0):g}",
    }


def _workflow(result: Result) -> str:
    """The method and how it was set up."""
    keys = ("encoding", "ansatz", "layers", "shots", "evaluations", "qubits")
    settings = [f"{key} {result.details[key]}" for key in keys if result.details.get(key) is not None]
    return "; ".join([f"method {result.method}, seed {result.seed}", *settings])


def write_submission(path: str | Path, results: Sequence[Result]) -> None:
    """Writes results to a CSV file, a row each.

    Raises:
        InputError: If the file cannot be written.
    """
    try:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(submission_row(result) for result in results)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=path) from error
